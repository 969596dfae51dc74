#include "core/delivery/lane_series.h"

#include <chrono>

namespace hookswitch {
namespace {

Counter OutcomeCounter(Metrics& metrics, const std::string& sink, const char* outcome) {
  return metrics.MakeCounter("hookswitch_deliveries_total",
                             "Outcomes of attempts, and deliveries that ended otherwise than delivered.",
                             {{"sink", sink}, {"outcome", outcome}});
}

}  // namespace

LaneSeries::LaneSeries(const std::string& sink, Metrics& metrics)
    : delivered(OutcomeCounter(metrics, sink, "delivered")),
      retry(OutcomeCounter(metrics, sink, "retry")),
      rejected(OutcomeCounter(metrics, sink, "rejected")),
      misconfigured(OutcomeCounter(metrics, sink, "misconfigured")),
      fell_back(OutcomeCounter(metrics, sink, "fell_back")),
      dead(OutcomeCounter(metrics, sink, "dead")),
      canceled(OutcomeCounter(metrics, sink, "canceled")),
      replayed(metrics.MakeCounter("hookswitch_deliveries_replayed_total",
                                   "Deliveries that an operator's replay made pending.", {{"sink", sink}})),
      attempt_seconds(metrics.MakeLatency("hookswitch_delivery_attempt_seconds",
                                          "Time of one attempt, from its start to its outcome.", {{"sink", sink}},
                                          {30, 60})),
      // Settling, retries and pauses take minutes and hours.
      delivery_seconds(metrics.MakeLatency("hookswitch_delivery_seconds",
                                           "Time from the event's acceptance to its delivery.", {{"sink", sink}},
                                           {30, 60, 300, 1800, 7200, 43'200})) {
  for (std::size_t reason = 0; reason < kFailureReasons; ++reason) {
    failures.push_back(
        metrics.MakeCounter("hookswitch_delivery_failures_total", "Attempts that failed, by reason.",
                            {{"sink", sink}, {"reason", std::string(ToString(static_cast<FailureReason>(reason)))}}));
  }
  for (std::size_t kind = 0; kind < kWaitKinds; ++kind) {
    wait_seconds.push_back(
        metrics.MakeCounter("hookswitch_delivery_wait_seconds_total", "What deliveries waited for before attempts.",
                            {{"sink", sink}, {"kind", std::string(ToString(static_cast<WaitKind>(kind)))}}));
  }
}

void LaneSeries::Waited(const Wait& wait) const {
  wait_seconds[static_cast<std::size_t>(wait.kind)].Add(std::chrono::duration<double>(wait.time).count());
}

}  // namespace hookswitch
