#pragma once
#include <chrono>
#include <string_view>

#include "core/base/clock.h"
#include "core/delivery/attempt.h"
#include "core/delivery/lane.h"
#include "core/delivery/lane_runtime.h"
#include "core/event/outcome.h"

namespace hookswitch {

/// An attempt that has its verdict.
struct Concluded {
  const Attempt& attempt;
  std::string_view event_id;  ///< "" if the event could not be read
  const Outcome& outcome;     ///< masked
  const Lane::Verdict& verdict;
  std::string_view fallback;  ///< the sink that takes over, or ""
  std::chrono::milliseconds latency;
  MonoTime accepted;  ///< the delivery
  MonoTime now;
};

// A reason may quote what the other side answered, and that may be what it was sent: it stands in the attempt's record.
// The log gets the error's word, the status and lengths.

/// Tells the log and the lane's series what came of an attempt.
void TellAttempt(LaneRuntime& lane, const Concluded& concluded);

/// A delivery that ends without an attempt.
struct Ended {
  std::string delivery;
  std::string_view event_id;
  const Outcome& outcome;
  DeliveryState state;
  std::string_view fallback;
};
void TellEnding(LaneRuntime& lane, const Ended& ended);

/// Tells the log what `verdict` did to the lane, and keeps the reason for those who look at the lane. `was_throttled`:
/// the lane stood still already, which is not worth a second line.
void TellLane(LaneRuntime& lane, const Outcome& outcome, const Lane::Verdict& verdict, bool was_throttled);

}  // namespace hookswitch
