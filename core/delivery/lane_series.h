#pragma once
#include <string>
#include <vector>

#include "core/base/metrics.h"
#include "core/delivery/failure_reason.h"
#include "core/event/wait.h"

namespace hookswitch {

/// What is counted of one sink; all of it is shown at 0 from the lane's start. [thread: any]
struct LaneSeries {
  LaneSeries(const std::string& sink, Metrics& metrics);

  void Failed(FailureReason reason) const { failures[static_cast<std::size_t>(reason)].Add(); }
  void Waited(const Wait& wait) const;

  Counter delivered, retry, rejected, misconfigured, fell_back, dead, canceled;
  Counter replayed;
  std::vector<Counter> failures;      ///< by FailureReason
  std::vector<Counter> wait_seconds;  ///< by WaitKind
  Histogram attempt_seconds, delivery_seconds;
};

}  // namespace hookswitch
