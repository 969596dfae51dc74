#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/wait_shares.h"
#include "core/event/wait.h"

namespace hookswitch {

/// When places behind one sink took nothing: the last intervals, of all places together. Not thread-safe.
class PlaceLog {
 public:
  using Key = std::uint64_t;
  static constexpr std::size_t kMost = 64;

  /// `until` may be in the future.
  void Add(Key place, WaitKind why, MonoTime from, MonoTime until) {
    if (closed_.size() < kMost) closed_.emplace_back();
    closed_[next_] = {place, why, from, until};
    next_ = (next_ + 1) % kMost;
  }
  /// What was to last longer ends at `now`.
  void EndAll(MonoTime now) {
    for (Closed& one : closed_) one.until = std::min(one.until, now);
  }
  /// Claims the times of `place`.
  void Claim(WaitShares& shares, Key place) const {
    for (const Closed& one : closed_) {
      if (one.place == place) shares.Claim(one.why, one.from, one.until);
    }
  }

 private:
  struct Closed {
    Key place = 0;
    WaitKind why = WaitKind::kTrouble;
    MonoTime from{}, until{};
  };
  std::vector<Closed> closed_;
  std::size_t next_ = 0;  ///< the oldest, once there are `kMost`
};

}  // namespace hookswitch
