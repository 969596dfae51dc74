#include "core/delivery/admission.h"

#include <algorithm>

#include "core/delivery/delivery_refusals.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

/// Whether the slot still has this delivery, and it is queued. Queues name deliveries that may have left.
bool IsQueued(const LaneSlot& slot, DeliverySeq seq) {
  return slot.phase == LaneSlot::Phase::kWaiting && slot.seq == seq && slot.awaits_admission;
}

}  // namespace

bool Admission::Admit(LaneSlots& slots, Ref ref, const SendTarget& target, MonoTime now) {
  if (MayGo(slots, ref, target, now)) return true;
  sent_to_.erase(ref);
  slots[ref].awaits_admission = true;
  return false;
}

bool Admission::MayGo(const LaneSlots& slots, Ref ref, const SendTarget& target, MonoTime now) {
  const LaneSlot& slot = slots[ref];
  if (places_.ProbedBy(ref) != target.place) LeaveProbe(ref);
  if (target.order) {
    const auto is_out = [&slots](Ref other) { return slots[other].phase != LaneSlot::Phase::kWaiting; };
    if (!order_.Admit(*target.order, slot.seq, ref, is_out)) {
      LeaveProbe(ref);  // the one that has the turn may wait for the same place
      return false;
    }
  }
  if (!target.place) return true;
  if (!places_.MayGo(*target.place, ref, now)) {
    place_of_[ref] = *target.place;
    places_.Wait(*target.place, slot.tried(), slot.seq, ref);
    return false;
  }
  const auto sent = sent_to_.find(ref);
  if (sent != sent_to_.end() && sent->second == *target.place) return true;  // taken from that destination's queue
  if (!destinations_.Admit({*target.place, slot.seq, ref}, target.pace, now)) return false;
  sent_to_[ref] = *target.place;
  return true;
}

std::optional<Admission::Ref> Admission::TakeNext(LaneSlots& slots, const CallQueues& calls, MonoTime now) {
  const auto next = TakeFromDestination(slots, calls, now);
  return next ? next : TakePlaceProbe(slots, calls, now);
}

std::optional<Admission::Ref> Admission::TakeFromDestination(LaneSlots& slots, const CallQueues& calls, MonoTime now) {
  while (const auto first = destinations_.First(now)) {
    const bool is_queued = IsQueued(slots[first->ref], first->seq);
    if (is_queued && calls.IsFirst(slots, first->ref)) {
      destinations_.Take(*first, now);
      sent_to_[first->ref] = first->key;
      return first->ref;
    }
    destinations_.Drop(*first);
    if (is_queued) slots[first->ref].awaits_admission = false;  // it starts when it becomes the first of its call
  }
  return std::nullopt;
}

std::optional<Admission::Ref> Admission::TakePlaceProbe(LaneSlots& slots, const CallQueues& calls, MonoTime now) {
  while (const auto first = places_.First(now)) {
    const auto place = place_of_.find(first->ref);
    const bool is_queued =
        IsQueued(slots[first->ref], first->seq) && place != place_of_.end() && place->second == first->key;
    if (is_queued && calls.IsFirst(slots, first->ref)) {
      places_.Take(*first);
      return first->ref;
    }
    places_.Drop(*first);
    if (is_queued) LeavePlace(slots, first->ref, first->seq);
  }
  return std::nullopt;
}

Admission::Sent Admission::Finish(Ref ref) {
  Sent sent{.ref = ref};
  if (const auto found = sent_to_.extract(ref)) sent.destination = found.mapped();
  if (const auto found = place_of_.extract(ref)) sent.probed = found.mapped();
  return sent;
}

std::optional<std::vector<Admission::Ref>> Admission::PlaceWorks(LaneSlots& slots, const Sent& sent, MonoTime now) {
  const auto place = sent.destination ? sent.destination : sent.probed;
  const auto* refused = place ? places_.Find(*place) : nullptr;
  if (!refused) return std::nullopt;
  place_log_.Add(*place, WaitKind::kTrouble, refused->since, now);
  return LeavePlaces(slots, places_.Works(*place));
}

void Admission::EndAttempt(const Sent& sent, MonoTime now) {
  places_.ShowsNothing(sent.ref, now);
}

bool Admission::Throttle(const Sent& sent, MonoTime now, MonoTime until) {
  if (!sent.destination) return false;
  place_log_.Add(*sent.destination, WaitKind::kThrottle, now, until);
  destinations_.Hold(*sent.destination, until);
  return true;
}

Admission::PlaceRefusal Admission::PlaceRefused(LaneSlots& slots, Ref ref, const std::string& name,
                                                const std::string& reason, std::uint32_t delivered, MonoTime now) {
  const Key key = RefusedPlaces::KeyOf(name);
  PlaceRefusal refusal{.is_new = places_.Refused(key, name, reason, ref, delivered, now)};
  const RefusedPlaces::Place& place = *places_.Find(key);
  refusal.is_last = place.refusals >= DeliveryRefusals::kMost && delivered != place.delivered_before;
  if (refusal.is_last) {
    for (const auto& [tried, seq, other] : place.waiting) {
      if (LeavePlace(slots, other, seq)) refusal.ended.push_back(other);
    }
    return refusal;
  }
  place_of_[ref] = key;
  refusal.wait = std::max(std::chrono::ceil<milliseconds>(place.probe_at - now), milliseconds(0));
  return refusal;
}

bool Admission::QueueForPlace(LaneSlots& slots, Ref ref) {
  const auto place = place_of_.find(ref);
  if (place == place_of_.end()) return false;
  if (!places_.Find(place->second)) {
    place_of_.erase(place);
    return false;
  }
  LaneSlot& slot = slots[ref];
  slot.awaits_admission = true;
  places_.Wait(place->second, slot.tried(), slot.seq, ref);
  return true;
}

std::optional<Admission::Ref> Admission::LeaveOtherOrder(LaneSlots& slots, Ref ref, const SendTarget& target,
                                                         MonoTime now) {
  if (!target.order || !order_.HasOtherKey(*target.order, ref)) return {};
  return LeaveOrder(slots, ref, now);
}

std::optional<Admission::Ref> Admission::Remove(LaneSlots& slots, Ref ref, MonoTime now) {
  LeaveProbe(ref);
  return LeaveOrder(slots, ref, now);
}

std::optional<Admission::Ref> Admission::LeaveOrder(LaneSlots& slots, Ref ref, MonoTime now) {
  const auto next = order_.End(slots[ref].seq, ref, now);
  if (next) slots[*next].awaits_admission = false;
  return next;
}

void Admission::Resume(MonoTime now) {
  destinations_.Resume();
  place_log_.EndAll(now);
  places_.Resume(now);
}

std::vector<Admission::Ref> Admission::ForgetPlaces(LaneSlots& slots, MonoTime now) {
  for (const auto& [key, place] : places_.all()) place_log_.Add(key, WaitKind::kTrouble, place.since, now);
  auto waited = LeavePlaces(slots, places_.Clear());
  place_of_.clear();
  return waited;
}

void Admission::ClearQueues() {
  destinations_.ClearQueues();
  places_.ClearQueues();
  place_of_.clear();
  sent_to_.clear();
}

void Admission::ClaimPlace(WaitShares& shares, Ref ref, const SendTarget& target) const {
  auto key = target.place;
  if (const auto queued = sent_to_.find(ref); !key && queued != sent_to_.end()) key = queued->second;
  if (!key) key = places_.ProbedBy(ref);
  if (!key) return;
  if (const auto* place = places_.Find(*key)) shares.Claim(WaitKind::kTrouble, place->since, MonoTime::max());
  place_log_.Claim(shares, *key);
}

void Admission::ClaimTurn(WaitShares& shares, Ref ref, MonoTime now) const {
  if (const auto turn = order_.TurnOf(ref)) shares.Claim(WaitKind::kOrder, MonoTime::min(), turn->Before(now));
  if (sent_to_.contains(ref)) shares.Claim(WaitKind::kPace, MonoTime::min(), MonoTime::max());
}

const RefusedPlaces::Place* Admission::PlaceOf(Ref ref) const {
  const auto place = place_of_.find(ref);
  return place == place_of_.end() ? nullptr : places_.Find(place->second);
}

void Admission::LeaveProbe(Ref ref) {
  places_.EndProbe(ref);
  place_of_.erase(ref);
}

/// Returns whether the delivery was queued.
bool Admission::LeavePlace(LaneSlots& slots, Ref ref, DeliverySeq seq) {
  if (!IsQueued(slots[ref], seq)) return false;
  slots[ref].awaits_admission = false;
  place_of_.erase(ref);
  return true;
}

std::vector<Admission::Ref> Admission::LeavePlaces(LaneSlots& slots,
                                                   const std::vector<std::pair<DeliverySeq, Ref>>& waited) {
  std::vector<Ref> left;
  for (const auto& [seq, ref] : waited) {
    if (LeavePlace(slots, ref, seq)) left.push_back(ref);
  }
  return left;
}

}  // namespace hookswitch
