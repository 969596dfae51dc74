#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace hookswitch {

/// A lane as people see it.
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
  std::uint64_t pending = 0;  ///< waiting, in flight included
  std::uint64_t in_flight = 0;
  std::optional<WallTime> oldest;  ///< acceptance of the oldest pending delivery
  /// The next try of what waits, if it is known: now with kProbing; with kPaused: the pause's end.
  std::optional<WallTime> until;
  /// Places behind it that have refused what went there (at most 20), while it goes on with others.
  struct Place {
    std::string name, because;
    std::uint64_t waiting = 0;
    WallTime next_try{};
  };
  std::vector<Place> places{};
};
std::string_view ToString(LaneStatus::State state);

}  // namespace hookswitch
