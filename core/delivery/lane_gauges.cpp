#include "core/delivery/lane_gauges.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>

namespace hookswitch {
namespace {

constexpr std::string_view kSettle = "settle";

Gauge HeldGauge(const std::string& sink, Metrics& metrics, std::string_view by) {
  return metrics.MakeGauge("hookswitch_deliveries_held", "Pending deliveries that are not to be started, by why.",
                           {{"sink", sink}, {"held_by", std::string(by)}});
}

}  // namespace

LaneGauges::Gauges::Gauges(const std::string& sink, Metrics& metrics)
    : pending(metrics.MakeGauge("hookswitch_deliveries_pending", "Deliveries that have not ended.", {{"sink", sink}})),
      in_flight(metrics.MakeGauge("hookswitch_deliveries_in_flight", "Deliveries of which an attempt is under way.",
                                  {{"sink", sink}})),
      oldest_seconds(metrics.MakeGauge("hookswitch_deliveries_oldest_seconds",
                                       "Age of the oldest delivery that has not ended; 0 if none.", {{"sink", sink}})),
      open(metrics.MakeGauge("hookswitch_lane_open", "1 while the sink's lane starts deliveries, else 0.",
                             {{"sink", sink}})),
      refused_places(metrics.MakeGauge("hookswitch_lane_refused_places",
                                       "Places behind the sink (channels, topics, recipients) that refuse messages.",
                                       {{"sink", sink}})),
      settling(HeldGauge(sink, metrics, kSettle)) {
  for (std::size_t i = 0; i < kLaneStates; ++i) {
    const auto state = static_cast<LaneStatus::State>(i);
    states.push_back(metrics.MakeGauge("hookswitch_lane_state", "1 for the state that the sink's lane is in, else 0.",
                                       {{"sink", sink}, {"state", std::string(ToString(state))}}));
    if (IsBlocked(state)) held.emplace(state, HeldGauge(sink, metrics, ToString(state)));
  }
}

void LaneGauges::Gauges::Set(const LaneStatus& lane, WallTime now) {
  const double age = lane.oldest ? std::chrono::duration<double>(now - *lane.oldest).count() : 0;
  const std::uint64_t not_started = lane.pending - std::min(lane.pending, lane.in_flight);
  pending.Set(static_cast<double>(lane.pending));
  in_flight.Set(static_cast<double>(lane.in_flight));
  oldest_seconds.Set(std::max(0.0, age));
  open.Set(lane.state == LaneStatus::State::kOpen ? 1 : 0);
  refused_places.Set(static_cast<double>(lane.refused_places));
  for (std::size_t i = 0; i < kLaneStates; ++i) states[i].Set(static_cast<LaneStatus::State>(i) == lane.state ? 1 : 0);
  for (const auto& [state, gauge] : held) gauge.Set(state == lane.state ? static_cast<double>(not_started) : 0);
  settling.Set(IsBlocked(lane.state) ? 0 : static_cast<double>(lane.settling));
}

void LaneGauges::Gauges::Clear() {
  for (const Gauge& gauge : {pending, in_flight, oldest_seconds, open, refused_places, settling}) gauge.Set(0);
  for (const Gauge& gauge : states) gauge.Set(0);
  for (const auto& [state, gauge] : held) gauge.Set(0);
}

void LaneGauges::Show(const std::vector<LaneStatus>& lanes, WallTime now) {
  MutexLock lock(mu_);
  for (auto& [sink, gauges] : gauges_) gauges.is_listed = false;
  for (const LaneStatus& lane : lanes) {
    Gauges& gauges = gauges_.try_emplace(lane.sink, lane.sink, metrics_).first->second;
    gauges.is_listed = true;
    gauges.Set(lane, now);
  }
  for (auto& [sink, gauges] : gauges_) {
    if (!gauges.is_listed) gauges.Clear();
  }
}

}  // namespace hookswitch
