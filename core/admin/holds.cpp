#include "core/admin/holds.h"

#include <algorithm>

namespace hookswitch {
namespace {

template <class List, class Value>
bool Has(const List& list, const Value& value) {
  return std::ranges::find(list, value) != list.end();
}

}  // namespace

Holds::Holds(std::span<const LaneStatus> lanes, Router& router) : router_(router) {
  for (const LaneStatus& lane : lanes) {
    if (IsBlocked(lane.state)) {
      const std::string state(ToString(lane.state));
      std::string why = "the sink is " + (lane.because.starts_with(state) ? lane.because : state);
      if (!lane.because.empty() && !lane.because.starts_with(state)) why += ": " + lane.because;
      blocked_.emplace(lane.sink, Lane{ToString(lane.state), std::move(why)});
    } else if (!lane.places.empty()) {
      with_places_.push_back(lane.sink);
    }
  }
}

std::optional<Holds::Hold> Holds::Of(const DeliverySummary& delivery) const {
  if (!IsOpen(delivery.state)) return {};
  if (const auto lane = blocked_.find(delivery.sink); lane != blocked_.end()) {
    return Hold{lane->second.state, lane->second.reason};
  }
  if (delivery.state == DeliveryState::kHeld) return Hold{"settle", "until its call has ended for good, or it is due"};
  if (!Has(with_places_, delivery.sink)) return {};
  auto place = router_.PlaceThatHolds(delivery.sink, delivery.seq);
  if (!place) return {};
  return Hold{ToString(LaneStatus::State::kMisconfigured), std::move(*place)};
}

DeliveryFilter Holds::Widened(DeliveryFilter filter) const {
  for (const auto& [sink, lane] : blocked_) filter.held_sinks.push_back(sink);
  // The journal does not know places: a delivery that one holds is pending there.
  const bool wants_held = Has(filter.states, DeliveryState::kHeld) && !Has(filter.states, DeliveryState::kPending);
  if (wants_held && !with_places_.empty()) filter.states.push_back(DeliveryState::kPending);
  return filter;
}

bool Holds::Fits(std::span<const DeliveryState> states, const DeliverySummary& delivery,
                 const std::optional<Hold>& hold) {
  if (states.empty()) return true;
  return Has(states, IsOpen(delivery.state) && hold ? DeliveryState::kHeld : delivery.state);
}

}  // namespace hookswitch
