#pragma once
#include <array>
#include <cstdint>

#include "core/base/clock.h"
#include "core/config/config.h"

namespace hookswitch {

/// Circuit breaker of one sink: opens after too many failures in a row, or at too high a failure rate within a window.
/// A value; not thread-safe, no clock.
class Breaker {
 public:
  explicit Breaker(const config::Breaker& policy = {}) : policy_(policy) {}

  const config::Breaker& policy() const { return policy_; }
  /// Keeps the counts.
  void SetPolicy(const config::Breaker& policy) { policy_ = policy; }
  void Worked(MonoTime now);
  /// Returns whether the breaker opens; opening resets the counts.
  bool Failed(MonoTime now);

 private:
  // Attempts in one tenth of the window.
  struct Part {
    std::int64_t number = -1;
    std::uint32_t worked = 0, failed = 0;
  };
  static constexpr std::int64_t kParts = 10;
  Part& Now(MonoTime now);

  config::Breaker policy_;
  int in_a_row_ = 0;
  std::array<Part, kParts> parts_;
};

}  // namespace hookswitch
