#pragma once
#include <atomic>
#include <chrono>

#include "core/base/clock.h"

namespace hookswitch {

/// A clock that stands still until it is told to move. Safe from any thread.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime now = WallTime(std::chrono::milliseconds(1'772'614'923'114))) : wall_ms_(Ms(now)) {}

  WallTime Wall() const override { return WallTime(std::chrono::milliseconds(wall_ms_.load())); }
  MonoTime Mono() const override { return MonoTime(std::chrono::nanoseconds(mono_ns_.load())); }

  /// Moves both clocks forward.
  void Advance(std::chrono::nanoseconds by) {
    mono_ns_ += by.count();
    wall_ms_ += std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
  }
  /// The wall clock jumps; the monotonic one does not.
  void SetWall(WallTime now) { wall_ms_ = Ms(now); }

 private:
  static std::int64_t Ms(WallTime time) { return time.time_since_epoch().count(); }
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> mono_ns_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
};

}  // namespace hookswitch
