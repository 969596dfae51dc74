#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/base/ids.h"

namespace hookswitch {

/// The stored events, in runs in which the time of receipt does not fall: so where one event of a run is too young to
/// be removed, the rest of its run is. A run ends where the wall clock was set back. Usually there is one run.
///
/// Requests are stored nearly in the order of their receipt; what is out of order by less than kDisorder ends no run.
/// For one thread.
class TimeRuns {
 public:
  static constexpr std::int64_t kDisorderMs = 60'000;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// Adds an event; each is later than those before.
  void Add(EventSeq event, std::int64_t received_ms);
  /// Takes back what was added from `event` on.
  void RemoveFrom(EventSeq event);

  /// A part of a run that was not looked at yet.
  struct Rest {
    EventSeq run = 0;   ///< its name
    EventSeq next = 0;  ///< where to go on
    EventSeq end = 0;   ///< the first event after the run
  };
  /// The one with the oldest next event, if that is at most `cutoff_ms`.
  std::optional<Rest> OldestUntil(std::int64_t cutoff_ms) const;
  /// The one with the event that was accepted first, whatever its time.
  std::optional<Rest> First() const;

  /// All of `rest.run` below `next` has been looked at; the event at `next` was received at `next_ms`, kNever if there
  /// is none. `skipped`: some of them are still stored, so Restart has to look again.
  void Advance(const Rest& rest, EventSeq next, std::int64_t next_ms, bool skipped);
  /// Has the runs that left something behind looked at from their beginning.
  void Restart();

 private:
  struct Run {
    EventSeq next = 0;
    std::int64_t next_ms = 0;  ///< kNever: all was looked at
    std::int64_t newest_ms = 0;
    bool skipped = false;
  };
  using Runs = std::map<EventSeq, Run>;
  Rest RestOf(Runs::const_iterator run) const;
  void SetNext(Runs::iterator run, EventSeq next, std::int64_t next_ms);

  Runs runs_;                                           ///< by their first event; the last one grows
  std::set<std::pair<std::int64_t, EventSeq>> by_age_;  ///< next_ms and name of those not looked at whole
};

}  // namespace hookswitch
