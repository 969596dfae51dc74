#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "core/config/config.h"

namespace hookswitch {

/// Uniform random numbers in [0, 1) from a seed: the same seed gives the same retries.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : engine_(seed) {}
  double Next() { return std::uniform_real_distribution<double>()(engine_); }

 private:
  std::mt19937_64 engine_;
};

/// Delay before the next try; empty: give up.
///
/// `failures` counts failed tries including this one (at least 1); `failing_for` is the time since the first of them.
/// The delay is the schedule's (its last entry repeats) ±20 %; the last try is at `give_up_after` at the latest.
std::optional<std::chrono::milliseconds> NextTry(const config::Retry& retry, std::uint32_t failures,
                                                 std::chrono::milliseconds failing_for, Jitter& jitter);

/// Pause for a Retry-After of `retry_after` (over 0): at most `most`, plus a random part of up to a second, but never
/// more than doubled, so that clients do not all come back at once.
std::chrono::milliseconds PauseFor(std::chrono::milliseconds retry_after, std::chrono::milliseconds most,
                                   Jitter& jitter);

}  // namespace hookswitch
