#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/admin/router.h"

namespace hookswitch {

/// A router whose parts the test sets, and which writes down what it is told.
struct FakeRouter : Router {
  std::vector<Part> Parts() override { return parts; }
  RouterStatus Status() override { return status; }
  std::shared_ptr<const config::Config> CurrentConfig() override { return config; }
  EventReading Read(const StoredEvent&) override { return reading; }
  ReloadReport Reload() override { return report; }
  std::vector<LaneStatus> Lanes() override { return lanes; }
  hookswitch::Status Pause(const std::string& sink, const hookswitch::Pause& pause) override {
    asked = sink + " paused";
    paused = pause;
    return stored;
  }
  Dispatcher::Resumed Resume(const std::string& sink, bool wait) override {
    asked = sink + (wait ? " resumed" : " resumed at once");
    return resumed;
  }
  std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) override {
    if (sink != "ops" || !held_by_place.contains(delivery)) return {};
    return "C0ARCHIVED is refused: is_archived";
  }
  void Accept(std::vector<PendingDelivery> deliveries) override {
    for (const auto& delivery : deliveries) accepted.push_back(delivery.seq);
  }
  std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries) override {
    std::erase_if(deliveries, [this](DeliverySeq seq) { return seq == in_flight; });
    released.insert(released.end(), deliveries.begin(), deliveries.end());
    return deliveries;
  }

  std::vector<Part> parts;
  RouterStatus status;
  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
  EventReading reading;
  ReloadReport report;
  std::vector<LaneStatus> lanes;
  hookswitch::Status stored = Ok();
  Dispatcher::Resumed resumed;
  std::set<DeliverySeq> held_by_place;  ///< of the sink "ops"
  DeliverySeq in_flight = 0;

  std::string asked;  ///< "ops paused"
  hookswitch::Pause paused;
  std::vector<DeliverySeq> accepted, released;
};

}  // namespace hookswitch
