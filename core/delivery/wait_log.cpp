#include "core/delivery/wait_log.h"

#include <algorithm>

namespace hookswitch {

void WaitLog::Change(std::optional<WaitKind> why, MonoTime now) {
  // Of two limits the one that ends last decides.
  if (!IsLimit(why_) || !IsLimit(why)) Keep(now);
  why_ = why;
}

/// Moves the time up to `now` to the past.
void WaitLog::Keep(MonoTime now) {
  const Interval interval{why_.value_or(WaitKind::kSlot), since_, now};
  since_ = now;
  if (!why_ || interval.from >= now) return;
  if (!past_.empty() && past_.back().kind == interval.kind && past_.back().until == interval.from) {
    past_.back().until = now;
    return;
  }
  if (past_.size() == kMost) {
    // A delivery for which an interval matters has waited since its beginning: what was short for that long ago goes.
    const auto share = [now](const Interval& one) {
      return static_cast<double>((one.until - one.from).count()) / static_cast<double>((now - one.from).count());
    };
    past_.erase(std::min_element(past_.begin(), past_.end(),
                                 [&](const Interval& a, const Interval& b) { return share(a) < share(b); }));
  }
  past_.push_back(interval);
}

void WaitLog::Claim(WaitShares& shares, WaitKind kind) const {
  for (const Interval& interval : past_) {
    if (interval.kind == kind) shares.Claim(kind, interval.from, interval.until);
  }
  if (why_ == kind) shares.Claim(kind, since_, MonoTime::max());
}

}  // namespace hookswitch
