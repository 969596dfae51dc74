#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/admin/event_reading.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/delivery/dispatcher.h"
#include "core/delivery/lane_status.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// One part of the router as /readyz shows it. Only `failing` parts make the answer 503; `note` alone is a warning.
struct Part {
  std::string name;  ///< "journal", "config", "sink ops"
  bool failing = false;
  std::string note;  ///< "" when all is well
};

/// What waits for a sink that the config does not have.
struct OrphanedDeliveries {
  std::string sink;
  std::uint64_t pending = 0;
};

struct ReloadReport {
  bool applied = false;
  std::uint64_t generation = 0;  ///< the one that runs now
  std::vector<config::Problem> problems;
  std::vector<std::string> need_restart;  ///< keys that differ from what runs, and only a restart applies
  std::vector<OrphanedDeliveries> orphaned{};
  /// Variables of secrets that the reload could not read anew, because the process's own environment has them.
  std::vector<std::string> from_process = {};
};

struct RouterStatus {
  std::string version, ingress, admin, config_file;
  std::uint64_t generation = 0;
  WallTime started_at{};
  WallTime applied_at{};                    ///< the running config
  std::vector<std::string> need_restart{};  ///< as of the last reload: "server.listen"
  JournalStats journal;
  std::vector<std::string> sources{};  ///< their names in the config
};

/// The router as its operators see it. Called from the admin server's threads, several at a time.
class Router {
 public:
  virtual ~Router() = default;
  /// Waits for nothing that may take long.
  virtual std::vector<Part> Parts() = 0;
  virtual RouterStatus Status() = 0;
  virtual std::shared_ptr<const config::Config> CurrentConfig() = 0;
  /// The event as the current config reads and routes it (ReadEvent).
  virtual EventReading Read(const StoredEvent& stored) = 0;
  /// Waits until it is done.
  virtual ReloadReport Reload() = 0;

  // As the functions of Dispatcher.
  virtual std::vector<LaneStatus> Lanes() = 0;
  virtual hookswitch::Status Pause(const std::string& sink, const hookswitch::Pause& pause) = 0;
  /// With `wait` it waits for the first outcome.
  virtual Dispatcher::Resumed Resume(const std::string& sink, bool wait) = 0;
  virtual std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) = 0;
  /// Takes over deliveries that wait in the journal.
  virtual void Accept(std::vector<PendingDelivery> deliveries) = 0;
  virtual std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries) = 0;
};

}  // namespace hookswitch
