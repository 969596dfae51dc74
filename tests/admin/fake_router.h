#pragma once
#include <algorithm>
#include <functional>
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
  RunningConfig Running() override {
    return {status.generation, hash, status.applied_at, config,
            std::make_shared<const std::map<std::string, std::string, std::less<>>>(plugin_schemas)};
  }
  ActivePlan Plan() override {
    if (on_plan) on_plan();
    return plan;
  }
  Cluster* routers = nullptr;
  Cluster* cluster() override { return routers; }
  EventReading Read(const StoredEvent&) override { return reading; }
  std::shared_ptr<const CallEvent> Normalize(const StoredEvent&) override { return reading.call; }
  ReloadReport Reload(const std::string& by) override {
    asked = "reload by " + by;
    if (on_reload) on_reload();
    return report;
  }
  std::shared_ptr<const hookswitch::LastReload> LastReload() override { return last_reload; }
  PastReading ReadAsAccepted(const StoredEvent&) override { return past; }
  ReachProof::Challenge MakeChallenge() override { return {"7-nonce", "proof"}; }
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
  Result<TestResult> TestSink(const std::string& sink) override {
    asked = sink + " tested";
    return tested;
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
  Digest hash{};
  std::map<std::string, std::string, std::less<>> plugin_schemas;
  std::shared_ptr<config::Config> config = std::make_shared<config::Config>();
  ActivePlan plan{7, nullptr, std::make_shared<DeliveryPlan>()};
  EventReading reading;
  PastReading past;
  ReloadReport report;
  std::function<void()> on_reload, on_plan;  ///< called while one is made
  std::shared_ptr<const hookswitch::LastReload> last_reload;
  std::vector<LaneStatus> lanes;
  hookswitch::Status stored = Ok();
  Dispatcher::Resumed resumed;
  Result<TestResult> tested = TestResult{};
  std::set<DeliverySeq> held_by_place;  ///< of the sink "ops"
  DeliverySeq in_flight = 0;

  std::string asked;  ///< "ops paused"
  hookswitch::Pause paused;
  std::vector<DeliverySeq> accepted, released;
};

}  // namespace hookswitch
