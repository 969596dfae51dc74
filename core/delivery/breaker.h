#pragma once
#include <array>
#include <cstdint>

#include "core/base/clock.h"
#include "core/config/config.h"

namespace hookswitch {

/// Counts what a sink does with attempts and tells when it has failed too often: so many times in a row, or in too
/// great a part of a window. A value; no locks, no clock.
class Breaker {
 public:
  explicit Breaker(const config::Breaker& policy = {}) : policy_(policy) {}

  const config::Breaker& policy() const { return policy_; }
  /// What was counted stays.
  void SetPolicy(const config::Breaker& policy) { policy_ = policy; }
  void Worked(MonoTime now);
  /// Returns whether the breaker opens; what it counted is forgotten then.
  bool Failed(MonoTime now);

 private:
  // A part of the window: the attempts of one tenth of it.
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
