#include "core/delivery/refused_places.h"

#include <algorithm>
#include <array>

namespace hookswitch {
namespace {

using std::chrono::seconds;

constexpr std::array<seconds, 6> kProbes{seconds(5),   seconds(30),  seconds(60),
                                         seconds(120), seconds(300), seconds(600)};
// Above this many places those without waiting deliveries are forgotten; the next delivery to one is simply tried.
constexpr std::size_t kMostPlaces = 10'000;

seconds WaitAfter(std::uint32_t refusals) {
  return kProbes[std::min<std::size_t>(std::max(refusals, 1u), kProbes.size()) - 1];
}

std::vector<std::pair<DeliverySeq, RefusedPlaces::Ref>> InOrder(const RefusedPlaces::Place& place) {
  std::vector<std::pair<DeliverySeq, RefusedPlaces::Ref>> waited;
  for (const auto& [tried, seq, ref] : place.waiting) waited.emplace_back(seq, ref);
  std::sort(waited.begin(), waited.end());
  return waited;
}

}  // namespace

template <class Change>
void RefusedPlaces::Alter(Key key, Place& place, Change change) {
  const auto has_turn = [&place] { return !place.probe && !place.waiting.empty(); };
  if (has_turn()) turns_.erase({place.probe_at, key});
  change();
  if (has_turn()) turns_.insert({place.probe_at, key});
}

const RefusedPlaces::Place* RefusedPlaces::Find(Key key) const {
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : &found->second;
}

bool RefusedPlaces::Refused(Key key, const std::string& name, const std::string& reason, Ref ref,
                            std::uint64_t delivered, MonoTime now) {
  if (places_.size() >= kMostPlaces) {
    std::erase_if(places_, [&](const auto& entry) {
      return entry.first != key && entry.second.waiting.empty() && !entry.second.probe;
    });
  }
  auto [found, is_new] = places_.try_emplace(key);
  Place& place = found->second;
  place.reason = reason;
  if (is_new) {
    place.name = name;
    place.since = now;
    place.delivered_before = delivered;
  } else if (place.probe != ref) {
    return false;  // it was in flight already, or its place was not known before
  }
  probes_.erase(ref);
  Alter(key, place, [&] {
    place.probe.reset();
    ++place.refusals;
    place.probe_at = now + WaitAfter(place.refusals);
  });
  return is_new;
}

void RefusedPlaces::StartProbe(Key key, Place& place, Ref ref) {
  EndProbe(ref);
  Alter(key, place, [&] { place.probe = ref; });
  probes_[ref] = key;
}

void RefusedPlaces::ShowsNothing(Ref ref, MonoTime now) {
  const auto probe = probes_.extract(ref);
  if (!probe) return;
  Place& place = places_.at(probe.mapped());
  Alter(probe.mapped(), place, [&] {
    place.probe.reset();
    place.probe_at = now + WaitAfter(place.refusals);
  });
}

void RefusedPlaces::EndProbe(Ref ref) {
  const auto probe = probes_.extract(ref);
  if (!probe) return;
  Place& place = places_.at(probe.mapped());
  Alter(probe.mapped(), place, [&] { place.probe.reset(); });
}

std::optional<RefusedPlaces::Key> RefusedPlaces::ProbedBy(Ref ref) const {
  const auto probe = probes_.find(ref);
  if (probe == probes_.end()) return {};
  return probe->second;
}

std::vector<std::pair<DeliverySeq, RefusedPlaces::Ref>> RefusedPlaces::Works(Key key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return {};
  turns_.erase({found->second.probe_at, key});
  if (found->second.probe) probes_.erase(*found->second.probe);
  auto waited = InOrder(found->second);
  places_.erase(found);
  return waited;
}

void RefusedPlaces::Wait(Key key, bool tried, DeliverySeq seq, Ref ref) {
  Place& place = places_.at(key);
  Alter(key, place, [&] { place.waiting.insert({tried, seq, ref}); });
}

bool RefusedPlaces::MayGo(Key key, Ref ref, MonoTime now) {
  const auto found = places_.find(key);
  if (found == places_.end() || found->second.probe == ref) return true;
  Place& place = found->second;
  if (place.probe || place.probe_at > now) return false;
  StartProbe(key, place, ref);
  return true;
}

std::optional<RefusedPlaces::Waiting> RefusedPlaces::First(MonoTime now) const {
  if (Next() > now) return std::nullopt;
  const Key key = turns_.begin()->second;
  const auto& [tried, seq, ref] = *places_.at(key).waiting.begin();
  return Waiting{key, seq, ref};
}

void RefusedPlaces::Take(const Waiting& first) {
  Drop(first);
  StartProbe(first.key, places_.at(first.key), first.ref);
}

void RefusedPlaces::Drop(const Waiting& first) {
  Place& place = places_.at(first.key);
  Alter(first.key, place, [&] {
    if (place.waiting.erase({false, first.seq, first.ref}) == 0) place.waiting.erase({true, first.seq, first.ref});
  });
}

void RefusedPlaces::Resume(MonoTime now) {
  for (auto& [key, place] : places_) {
    Alter(key, place, [&place = place, now] { place.probe_at = std::min(place.probe_at, now); });
  }
}

std::vector<std::pair<DeliverySeq, RefusedPlaces::Ref>> RefusedPlaces::Clear() {
  std::vector<std::pair<DeliverySeq, Ref>> waited;
  for (const auto& [key, place] : places_) {
    const auto more = InOrder(place);
    waited.insert(waited.end(), more.begin(), more.end());
  }
  places_.clear();
  turns_.clear();
  probes_.clear();
  std::sort(waited.begin(), waited.end());
  return waited;
}

void RefusedPlaces::ClearQueues() {
  for (auto& [key, place] : places_) {
    place.waiting.clear();
    place.probe.reset();
  }
  turns_.clear();
  probes_.clear();
}

}  // namespace hookswitch
