#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/sync.h"

namespace hookswitch {

/// What became of a sink's attempts in each of the last sixty minutes of the wall clock. [thread: any]
class HourCounts {
 public:
  static constexpr std::size_t kMinutes = 60;
  enum class What {
    kDelivered,
    kRetried,  ///< failed, and is tried again
    kDead,     ///< given up at this sink, whether or not a fallback took over
  };

  void Count(What what, WallTime now) EXCLUDES(mu_);

  using Series = std::array<std::uint32_t, kMinutes>;
  struct Hour {
    WallTime from{};  ///< start of the first minute; the last one is the current
    Series delivered{}, retried{}, dead{};
  };
  Hour At(WallTime now) const EXCLUDES(mu_);
  /// How often Count was called.
  std::uint64_t Total() const EXCLUDES(mu_);

 private:
  struct Minute {
    std::int64_t number = -1;               ///< since the epoch; -1: never used
    std::array<std::uint32_t, 3> counts{};  ///< by What
  };

  mutable Mutex mu_;
  std::uint64_t total_ GUARDED_BY(mu_) = 0;
  std::array<Minute, kMinutes> minutes_ GUARDED_BY(mu_){};  ///< a minute at the remainder of its number
};

}  // namespace hookswitch
