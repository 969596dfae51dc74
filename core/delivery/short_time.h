#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/base/clock.h"

namespace hookswitch {

/// A past time, or none, in 4 bytes: rounded up to 2^20 ns (1.05 ms), without what is above 2^52 ns (52 days), so an
/// older time reads as a later one. A value.
class ShortTime {
 public:
  ShortTime() = default;
  explicit ShortTime(MonoTime time) : units_(std::max(static_cast<std::uint32_t>(UnitsOf(time)), 1u)) {}

  explicit operator bool() const { return units_ != 0; }
  /// The latest time up to `now` that it can be.
  MonoTime Before(MonoTime now) const {
    constexpr std::int64_t kTurn = std::int64_t{1} << 32;
    const std::int64_t most = UnitsOf(now) + 1;  // a time of 0 units is kept as 1
    std::int64_t units = (most & ~(kTurn - 1)) | units_;
    if (units > most) units -= kTurn;
    return std::min(MonoTime(std::chrono::nanoseconds(units << kBits)), now);
  }

 private:
  static constexpr int kBits = 20;
  static std::int64_t UnitsOf(MonoTime time) {
    return (std::chrono::nanoseconds(time.time_since_epoch()).count() + (1 << kBits) - 1) >> kBits;
  }
  std::uint32_t units_ = 0;  ///< 0: none
};

}  // namespace hookswitch
