#pragma once
#include <algorithm>
#include <chrono>

#include "core/base/clock.h"

namespace hookswitch {

struct Rate {
  int max = 0;
  std::chrono::milliseconds per{1000};
  int burst = 1;  ///< a config's default is `max`
  bool operator==(const Rate&) const = default;
};

/// Rate limiter: on average `rate.max` starts per `rate.per`, at most `rate.burst` at once. `rate.max` 0: no limit.
///
/// Stores one time instead of a count (the virtual scheduling form of the generic cell rate algorithm, ITU-T I.371), so
/// rounding errors do not add up. In any interval t at most burst + t * max / per starts. A value; not thread-safe.
class TokenBucket {
 public:
  explicit TokenBucket(const Rate& rate = {}) { SetRate(rate); }

  /// Earlier starts count under the new rate.
  void SetRate(const Rate& rate) {
    interval_ =
        rate.max > 0 ? std::max<Duration>(std::chrono::nanoseconds(rate.per) / rate.max, Duration(1)) : Duration(0);
    // A plugin may set any rate: bound the slack, or it could overflow.
    const Duration::rep most = std::chrono::duration_cast<Duration>(kLongestSlack) / std::max(interval_, Duration(1));
    slack_ = interval_ * std::min<Duration::rep>(std::max(rate.burst, 1) - 1, most);
  }

  /// Earliest time of the next start; the epoch or a past time: at once.
  MonoTime Next() const { return interval_ == Duration(0) ? MonoTime{} : due_ - slack_; }
  bool Ready(MonoTime now) const { return interval_ == Duration(0) || due_ - slack_ <= now; }
  /// True if no earlier start limits the next ones.
  bool Full(MonoTime now) const { return due_ <= now; }
  /// Counts a start. Ready(now) must be true.
  void Take(MonoTime now) {
    if (interval_ != Duration(0)) due_ = std::max(due_, now) + interval_;
  }

 private:
  using Duration = MonoTime::duration;
  static constexpr std::chrono::hours kLongestSlack{24 * 366};
  Duration interval_{}, slack_{};
  MonoTime due_{};  ///< when the bucket is full again
};

}  // namespace hookswitch
