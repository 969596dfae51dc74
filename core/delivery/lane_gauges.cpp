#include "core/delivery/lane_gauges.h"

#include <algorithm>
#include <chrono>

namespace hookswitch {

LaneGauges::Gauges::Gauges(const std::string& sink, Metrics& metrics)
    : pending(metrics.MakeGauge("hookswitch_deliveries_pending", "Deliveries that have not ended.", {{"sink", sink}})),
      oldest_seconds(metrics.MakeGauge("hookswitch_deliveries_oldest_seconds",
                                       "Age of the oldest delivery that has not ended; 0 if none.", {{"sink", sink}})),
      open(metrics.MakeGauge("hookswitch_lane_open", "1 while the sink's lane starts deliveries, else 0.",
                             {{"sink", sink}})) {}

void LaneGauges::Show(const std::vector<LaneStatus>& lanes, WallTime now) {
  MutexLock lock(mu_);
  for (auto& [sink, gauges] : gauges_) gauges.is_listed = false;
  for (const LaneStatus& lane : lanes) {
    Gauges& gauges = gauges_.try_emplace(lane.sink, lane.sink, metrics_).first->second;
    gauges.is_listed = true;
    gauges.pending.Set(static_cast<double>(lane.pending));
    gauges.oldest_seconds.Set(lane.oldest ? std::max(0.0, std::chrono::duration<double>(now - *lane.oldest).count())
                                          : 0.0);
    gauges.open.Set(lane.state == LaneStatus::State::kOpen ? 1 : 0);
  }
  for (const auto& [sink, gauges] : gauges_) {
    if (gauges.is_listed) continue;
    for (const Gauge& gauge : {gauges.pending, gauges.oldest_seconds, gauges.open}) gauge.Set(0);
  }
}

}  // namespace hookswitch
