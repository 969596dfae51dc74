#pragma once
#include <algorithm>
#include <chrono>

#include "core/base/clock.h"

namespace hookswitch {

struct Rate {
  int max = 0;
  std::chrono::milliseconds per{1000};
  int burst = 1;  ///< the default of a config is `max`
  bool operator==(const Rate&) const = default;
};

/// Paces starts: on average `rate.max` per `rate.per`, at most `rate.burst` at once. `rate.max` 0 lets everything pass.
///
/// Keeps one time instead of a count (the virtual scheduling form of the generic cell rate algorithm, ITU-T I.371):
/// exact, without rounding that adds up. In any span t at most burst + t * max / per starts. A value; no locks.
class TokenBucket {
 public:
  explicit TokenBucket(const Rate& rate = {}) { SetRate(rate); }

  /// Starts already made count under the new rate.
  void SetRate(const Rate& rate) {
    interval_ =
        rate.max > 0 ? std::max<Duration>(std::chrono::nanoseconds(rate.per) / rate.max, Duration(1)) : Duration(0);
    // A plugin may ask for any pace; so much at once is no limit.
    const Duration::rep most = std::chrono::duration_cast<Duration>(kLongestSlack) / std::max(interval_, Duration(1));
    slack_ = interval_ * std::min<Duration::rep>(std::max(rate.burst, 1) - 1, most);
  }

  /// When the next start may be made; the epoch means at once.
  MonoTime Next() const { return interval_ == Duration(0) ? MonoTime{} : due_ - slack_; }
  bool Ready(MonoTime now) const { return interval_ == Duration(0) || due_ - slack_ <= now; }
  /// True if it is as if nothing had ever started.
  bool Full(MonoTime now) const { return due_ <= now; }
  /// Counts a start. Ready(now) was true.
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
