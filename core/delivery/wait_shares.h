#pragma once
#include <array>
#include <cstddef>

#include "core/base/clock.h"
#include "core/event/wait.h"

namespace hookswitch {

/// Divides the time that a delivery waited among what it waited for. Each moment goes to what claims it first; what
/// nothing claims is unknown. A value.
class WaitShares {
 public:
  WaitShares(MonoTime from, MonoTime until);

  /// Gives `kind` what is left of the time between `from` and `until`.
  void Claim(WaitKind kind, MonoTime from, MonoTime until);
  /// In order of their first moments; without those under 1 ms.
  Waits Result() const;

 private:
  struct Span {
    MonoTime from, until;
  };
  /// Pieces of the time that are not claimed; more are not kept apart, and stay unknown.
  static constexpr std::size_t kMostPieces = 16;

  std::array<Span, kMostPieces> pieces_;  ///< in order; `count_` of them
  std::size_t count_ = 0;
  std::array<MonoTime::duration, kWaitKinds> times_{};
  std::array<MonoTime, kWaitKinds> begins_{};  ///< with a time over 0
};

}  // namespace hookswitch
