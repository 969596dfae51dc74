#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/wait_shares.h"
#include "core/event/wait.h"

namespace hookswitch {

/// What kept a lane from starting deliveries that were due, and when. Times passed in must not fall; not thread-safe.
///
/// Keeps a bounded number of intervals: above it the one that is the shortest for its age is forgotten, and that time
/// is then unknown. Where slots and pace are the limit in turn, the time between two starts counts for the one that
/// ends last, because it alone decides how fast the lane is.
class WaitLog {
 public:
  static constexpr std::size_t kMost = 64;

  /// From `now` on `why` keeps deliveries from starting; empty: nothing does.
  void Note(std::optional<WaitKind> why, MonoTime now) {
    if (why != why_) Change(why, now);
  }
  /// A delivery starts. What keeps others from starting after it is said by the next Note.
  void Started(MonoTime now) {
    if (IsLimit(why_)) Keep(now);
  }
  /// Gives `kind` its times.
  void Claim(WaitShares& shares, WaitKind kind) const;

  std::size_t size() const { return past_.size(); }

 private:
  struct Interval {
    WaitKind kind;
    MonoTime from, until;
  };
  static bool IsLimit(std::optional<WaitKind> why) { return why == WaitKind::kSlot || why == WaitKind::kPace; }
  void Change(std::optional<WaitKind> why, MonoTime now);
  void Keep(MonoTime now);

  std::optional<WaitKind> why_;
  MonoTime since_{};            ///< with `why_`: not in `past_` from here on
  std::vector<Interval> past_;  ///< in order, not overlapping
};

}  // namespace hookswitch
