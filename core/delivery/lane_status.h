#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace hookswitch {

/// A lane as shown to operators.
struct LaneStatus {
  std::string sink;
  enum class State {
    kOpen,
    kThrottled,
    kPaused,
    kMisconfigured,
    kFailing,  ///< the breaker is open
    kProbing,
    kUnavailable,
    kRemoved
  } state = State::kOpen;
  std::string because;        ///< why it is not open
  std::uint64_t pending = 0;  ///< including those in flight
  std::uint64_t in_flight = 0;
  std::optional<WallTime> oldest;  ///< acceptance of the oldest pending delivery
  /// The next attempt, if known. kProbing: now; kPaused: end of the pause.
  std::optional<WallTime> until;
  /// Refused places behind the sink (at most 20).
  struct Place {
    std::string name, because;
    std::uint64_t waiting = 0;
    WallTime next_try{};
  };
  std::vector<Place> places{};
};
std::string_view ToString(LaneStatus::State state);

}  // namespace hookswitch
