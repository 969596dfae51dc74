#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/base/ids.h"

namespace hookswitch {

/// Groups stored events into runs of non-decreasing time of receipt: once one event of a run is too young to remove, so
/// is the rest. A run ends where the wall clock was set back. Usually there is one run.
///
/// Requests are stored nearly in order of receipt; disorder of up to kDisorderMs does not end a run. Not thread-safe.
class TimeRuns {
 public:
  static constexpr std::int64_t kDisorderMs = 60'000;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// Adds an event; its number must be higher than all before.
  void Add(EventSeq event, std::int64_t received_ms);
  /// Undoes Add for `event` and all later ones.
  void RemoveFrom(EventSeq event);

  /// The part of a run not checked yet.
  struct Rest {
    EventSeq run = 0;   ///< first event of the run; identifies it
    EventSeq next = 0;  ///< next event to check
    EventSeq end = 0;   ///< the first event after the run
  };
  /// The run whose next event is oldest, if received at or before `cutoff_ms`.
  std::optional<Rest> OldestUntil(std::int64_t cutoff_ms) const;
  /// The run whose next event was accepted first, whatever its time.
  std::optional<Rest> First() const;

  /// Marks `rest.run` as checked below `next`, which was received at `next_ms` (kNever: no more events). `skipped`:
  /// some of them are still stored; Restart must check them again.
  void Advance(const Rest& rest, EventSeq next, std::int64_t next_ms, bool skipped);
  /// Makes runs with skipped events start from their beginning again.
  void Restart();

 private:
  struct Run {
    EventSeq next = 0;
    std::int64_t next_ms = 0;  ///< kNever: fully checked
    std::int64_t newest_ms = 0;
    bool skipped = false;
  };
  using Runs = std::map<EventSeq, Run>;
  Rest RestOf(Runs::const_iterator run) const;
  void SetNext(Runs::iterator run, EventSeq next, std::int64_t next_ms);

  Runs runs_;                                           ///< by first event; the last run grows
  std::set<std::pair<std::int64_t, EventSeq>> by_age_;  ///< next_ms and run, of runs not fully checked
};

}  // namespace hookswitch
