#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/config/config.h"

namespace hookswitch {

/// Even random numbers in [0, 1) from a seed (splitmix64): the same seed gives the same retries.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : state_(seed) {}
  double Next();

 private:
  std::uint64_t state_;
};

/// How long to wait before the next try, or empty to give up.
///
/// `failures` counts the tries that failed, this one included (at least 1); `failing_for` is the time since the first
/// of them: what a delivery waited before was not its fault. The wait is the schedule's (its last entry repeats) within
/// ±20 %, but the last try comes no later than at `give_up_after`.
std::optional<std::chrono::milliseconds> NextTry(const config::Retry& retry, std::uint32_t failures,
                                                 std::chrono::milliseconds failing_for, Jitter& jitter);

/// How long to keep still when the other side asks for `retry_after` (over 0): that, or `most` where it asks for more,
/// and up to a second longer, so that all who were told the same do not come back at once. No more than twice as long.
std::chrono::milliseconds PauseFor(std::chrono::milliseconds retry_after, std::chrono::milliseconds most,
                                   Jitter& jitter);

}  // namespace hookswitch
