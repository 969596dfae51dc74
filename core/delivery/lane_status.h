#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/token_bucket.h"
#include "core/delivery/hour_counts.h"

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
  std::uint64_t settling = 0;      ///< of `pending`: held until their calls end
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
  std::uint64_t refused_places = 0;  ///< all of them
  /// Start of the trouble (or the last Resume) or of the pause, or since when it has no plugin; empty if unknown or
  /// none.
  std::optional<WallTime> since{};
  // As in use: the config's, or what the plugin advises. Empty and 0 for a removed sink.
  std::string plugin{}, fallback{};
  Rate rate{};                                            ///< `max` 0: no limit
  int concurrency = 0;                                    ///< attempts at a time
  std::shared_ptr<const HourCounts> last_hour = nullptr;  ///< never nullptr from a Dispatcher; goes on counting
};
inline constexpr std::size_t kLaneStates = static_cast<std::size_t>(LaneStatus::State::kRemoved) + 1;
std::string_view ToString(LaneStatus::State state);

/// Whether a lane in this state starts nothing until an operator or a probe changes it.
inline bool IsBlocked(LaneStatus::State state) {
  using State = LaneStatus::State;
  return state == State::kPaused || state == State::kMisconfigured || state == State::kUnavailable ||
         state == State::kRemoved;
}

}  // namespace hookswitch
