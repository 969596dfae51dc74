#pragma once
#include <chrono>
#include <string_view>

#include "core/base/clock.h"
#include "core/delivery/attempt.h"
#include "core/delivery/lane.h"
#include "core/delivery/lane_runtime.h"
#include "core/event/outcome.h"

namespace hookswitch {

/// An attempt with its verdict.
struct Concluded {
  const Attempt& attempt;
  std::string_view event_id;  ///< "" if the event could not be read
  const Outcome& outcome;     ///< masked
  const Lane::Verdict& verdict;
  std::string_view fallback;  ///< the fallback sink, or ""
  std::chrono::milliseconds latency;
  MonoTime accepted;  ///< when the delivery was accepted
  MonoTime now;
};

// A reason may quote the response, which may echo the request: it goes into the attempt's record, while the log gets
// the error code, the status and lengths.

/// Logs an attempt's result and counts it in the lane's metrics.
void LogAttempt(LaneRuntime& lane, const Concluded& concluded);

/// A delivery that ends without an attempt.
struct Ended {
  std::string delivery;
  std::string_view event_id;
  const Outcome& outcome;
  DeliveryState state;
  std::string_view fallback;
};
void LogEnding(LaneRuntime& lane, const Ended& ended);

/// Logs how `verdict` changed the lane, and keeps the reason for the lane's status. `was_throttled`: already throttled;
/// not logged again.
void LogLaneChange(LaneRuntime& lane, const Outcome& outcome, const Lane::Verdict& verdict, bool was_throttled);

}  // namespace hookswitch
