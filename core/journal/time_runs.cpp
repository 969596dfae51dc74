#include "core/journal/time_runs.h"

#include <algorithm>
#include <iterator>

namespace hookswitch {

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
