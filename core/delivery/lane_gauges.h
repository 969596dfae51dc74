#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/delivery/lane_status.h"

namespace hookswitch {

/// The latest published status of all lanes. [thread: any]
class LaneSnapshot {
 public:
  using Lanes = std::shared_ptr<const std::vector<LaneStatus>>;

  void Publish(std::vector<LaneStatus> lanes) {
    auto latest = std::make_shared<const std::vector<LaneStatus>>(std::move(lanes));
    MutexLock lock(mu_);
    latest_.swap(latest);
  }
  Lanes Get() const {
    MutexLock lock(mu_);
    return latest_;
  }

 private:
  mutable Mutex mu_;
  Lanes latest_ GUARDED_BY(mu_) = std::make_shared<const std::vector<LaneStatus>>();
};

/// Shows a snapshot's lanes as metrics. Sinks have names of the config, so what is shown is bounded by it. [thread:
/// any]
class LaneGauges {
 public:
  explicit LaneGauges(Metrics& metrics) : metrics_(metrics) {}

  /// Lanes shown before and missing now count as empty, and are in no state.
  void Show(const std::vector<LaneStatus>& lanes, WallTime now) EXCLUDES(mu_);

 private:
  struct Gauges {
    Gauges(const std::string& sink, Metrics& metrics);
    void Set(const LaneStatus& lane, WallTime now);
    void Clear();
    Gauge pending, in_flight, oldest_seconds, open, refused_places, settling;
    std::vector<Gauge> states{};                ///< by LaneStatus::State
    std::map<LaneStatus::State, Gauge> held{};  ///< of the states that block
    bool is_listed = false;
  };

  Metrics& metrics_;
  Mutex mu_;
  std::map<std::string, Gauges, std::less<>> gauges_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
