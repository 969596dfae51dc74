#include "core/journal/indexes.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

namespace hookswitch {

// Any eight bytes of a SHA-256 digest are a good hash. The first byte selects the part.
std::uint64_t DedupSet::HashOf(const Digest& digest) {
  std::uint64_t hash;
  std::memcpy(&hash, digest.data() + 8, sizeof hash);
  return hash;
}

EventSeq DedupSet::Find(const Digest& digest) const {
  const Part& part = parts_[digest[0]];
  if (part.capacity == 0) return 0;
  const std::uint32_t mask = part.capacity - 1;
  for (std::uint32_t i = HashOf(digest) & mask;; i = (i + 1) & mask) {
    const Slot& slot = part.slots[i];
    if (slot.event == 0) return 0;
    if (slot.digest == digest) return slot.event;
  }
}

void DedupSet::Place(Part& part, const Digest& digest, EventSeq event) {
  const std::uint32_t mask = part.capacity - 1;
  std::uint32_t i = HashOf(digest) & mask;
  while (part.slots[i].event != 0) i = (i + 1) & mask;
  part.slots[i] = {digest, event};
}

void DedupSet::Grow(Part& part) {
  Part grown;
  grown.capacity = part.capacity == 0 ? 16 : part.capacity * 2;
  grown.used = part.used;
  grown.slots = std::make_unique<Slot[]>(grown.capacity);
  for (std::uint32_t i = 0; i < part.capacity; ++i) {
    if (part.slots[i].event != 0) Place(grown, part.slots[i].digest, part.slots[i].event);
  }
  part = std::move(grown);
}

void DedupSet::Insert(const Digest& digest, EventSeq event) {
  Part& part = parts_[digest[0]];
  if ((part.used + 1) * 8ULL > part.capacity * 7ULL) Grow(part);
  Place(part, digest, event);
  ++part.used;
  ++size_;
}

void DedupSet::Erase(const Digest& digest, EventSeq event) {
  Part& part = parts_[digest[0]];
  if (part.capacity == 0) return;
  const std::uint32_t mask = part.capacity - 1;
  std::uint32_t hole = HashOf(digest) & mask;
  for (;; hole = (hole + 1) & mask) {
    if (part.slots[hole].event == 0) return;
    if (part.slots[hole].digest == digest) break;
  }
  if (part.slots[hole].event != event) return;
  --part.used;
  --size_;
  // Closes the gap: entries that could not be reached past the hole move into it.
  for (std::uint32_t i = (hole + 1) & mask; part.slots[i].event != 0; i = (i + 1) & mask) {
    const std::uint32_t home = HashOf(part.slots[i].digest) & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      part.slots[hole] = part.slots[i];
      hole = i;
    }
  }
  part.slots[hole].event = 0;
}

bool PendingSet::Contains(DeliverySeq delivery) const {
  const auto word = words_.find(delivery / 64);
  return word != words_.end() && ((word->second >> (delivery % 64)) & 1) != 0;
}

void PendingSet::Set(DeliverySeq delivery, std::string_view sink, bool pending) {
  if (Contains(delivery) == pending) return;
  auto of_sink = counts_.find(sink);
  if (of_sink == counts_.end()) of_sink = counts_.emplace(sink, 0).first;
  Flip(delivery, of_sink->second);
  changed_.emplace_back(delivery, &of_sink->second);
}

void PendingSet::Flip(DeliverySeq delivery, std::uint64_t& of_sink) {
  const bool pending = !Contains(delivery);
  const auto word = words_.try_emplace(delivery / 64).first;
  word->second ^= std::uint64_t{1} << (delivery % 64);
  if (word->second == 0) words_.erase(word);
  size_ += pending ? 1 : -1;
  of_sink += pending ? 1 : -1;
}

void PendingSet::Rollback() {
  for (auto it = changed_.rbegin(); it != changed_.rend(); ++it) Flip(it->first, *it->second);
  changed_.clear();
}

std::uint64_t PendingSet::CountOf(std::string_view sink) const {
  const auto found = counts_.find(sink);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<std::string> PendingSet::WithAtLeast(std::uint64_t count) const {
  std::vector<std::string> sinks;
  if (size_ < count) return sinks;
  for (const auto& [sink, waiting] : counts_) {
    if (waiting >= count) sinks.push_back(sink);
  }
  return sinks;
}

DeliverySeq PendingSet::Floor(DeliverySeq next) const {
  if (words_.empty()) return next;
  const auto& [word, bits] = *words_.begin();
  return word * 64 + std::countr_zero(bits);
}

std::int64_t ConfigUse::Find(const Digest& hash) const {
  const auto found = numbers_.find(hash);
  return found == numbers_.end() ? 0 : found->second;
}

void ConfigUse::Insert(const Digest& hash, std::int64_t config) {
  if (numbers_.emplace(hash, config).second) inserted_.push_back(hash);
}

void ConfigUse::Erase(std::int64_t config) {
  std::erase_if(numbers_, [&](const auto& entry) { return entry.second == config; });
}

void ConfigUse::Count(std::int64_t config, int by) {
  if (config == 0) return;
  events_[config] += by;
  counted_.emplace_back(config, by);
}

std::vector<std::int64_t> ConfigUse::Unused() const {
  std::int64_t newest = 0;
  for (const auto& [hash, config] : numbers_) newest = std::max(newest, config);
  std::vector<std::int64_t> unused;
  for (const auto& [hash, config] : numbers_) {
    const auto events = events_.find(config);
    if (config != newest && (events == events_.end() || events->second == 0)) unused.push_back(config);
  }
  return unused;
}

void ConfigUse::Begin() {
  inserted_.clear();
  counted_.clear();
}

void ConfigUse::Rollback() {
  for (const auto& [config, by] : counted_) events_[config] -= by;
  for (const Digest& hash : inserted_) numbers_.erase(hash);
  Begin();
}

void TimeRuns::Add(EventSeq event, std::int64_t received_ms) {
  // A damaged row's time must not overflow below.
  received_ms = std::clamp<std::int64_t>(received_ms, 0, kNever / 2);
  const bool begins = runs_.empty() || received_ms < runs_.rbegin()->second.newest_ms - kDisorderMs;
  const auto run = begins ? runs_.try_emplace(runs_.end(), event) : std::prev(runs_.end());
  run->second.newest_ms = std::max(run->second.newest_ms, received_ms);
  if (begins || run->second.next_ms == kNever) SetNext(run, event, received_ms);
}

void TimeRuns::RemoveFrom(EventSeq event) {
  while (!runs_.empty() && runs_.rbegin()->first >= event) {
    const auto last = std::prev(runs_.end());
    by_age_.erase({last->second.next_ms, last->first});
    runs_.erase(last);
  }
}

TimeRuns::Rest TimeRuns::RestOf(Runs::const_iterator run) const {
  const auto after = std::next(run);
  return {run->first, run->second.next, after == runs_.end() ? kNever : after->first};
}

std::optional<TimeRuns::Rest> TimeRuns::OldestUntil(std::int64_t cutoff_ms) const {
  if (by_age_.empty() || by_age_.begin()->first > cutoff_ms) return {};
  return RestOf(runs_.find(by_age_.begin()->second));
}

std::optional<TimeRuns::Rest> TimeRuns::First() const {
  const auto found = std::ranges::find_if(runs_, [](const auto& entry) { return entry.second.next_ms != kNever; });
  if (found == runs_.end()) return {};
  return RestOf(found);
}

void TimeRuns::Advance(const Rest& rest, EventSeq next, std::int64_t next_ms, bool skipped) {
  const auto run = runs_.find(rest.run);
  run->second.skipped = run->second.skipped || skipped;
  SetNext(run, next, next_ms);
  const bool is_over = next_ms == kNever && !run->second.skipped && std::next(run) != runs_.end();
  if (is_over) runs_.erase(run);
}

void TimeRuns::Restart() {
  for (auto run = runs_.begin(); run != runs_.end(); ++run) {
    if (!std::exchange(run->second.skipped, false)) continue;
    SetNext(run, run->first, std::numeric_limits<std::int64_t>::min());
  }
}

void TimeRuns::SetNext(Runs::iterator run, EventSeq next, std::int64_t next_ms) {
  by_age_.erase({run->second.next_ms, run->first});
  run->second.next = next;
  run->second.next_ms = next_ms;
  if (next_ms != kNever) by_age_.emplace(next_ms, run->first);
}

}  // namespace hookswitch
