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

/// One health check of /readyz. A `failing` one makes the response 503; a `note` alone is a warning.
struct Part {
  std::string name;  ///< "journal", "config", "sink ops"
  bool failing = false;
  std::string note;  ///< "" when all is well
};

/// Pending deliveries for a sink that is not in the config.
struct OrphanedDeliveries {
  std::string sink;
  std::uint64_t pending = 0;
};

struct ReloadReport {
  bool applied = false;
  std::uint64_t generation = 0;  ///< the one that runs now
  std::vector<config::Problem> problems;
  std::vector<std::string> need_restart;  ///< keys whose values differ from those in use; only a restart applies them
  std::vector<OrphanedDeliveries> orphaned{};
  /// Variables that the reload could not reread, because they come from the process's own environment.
  std::vector<std::string> from_process = {};
};

struct RouterStatus {
  std::string version, ingress, admin, config_file;
  std::uint64_t generation = 0;
  WallTime started_at{};
  WallTime applied_at{};                    ///< when the running config was applied
  std::vector<std::string> need_restart{};  ///< as of the last reload: "server.listen"
  JournalStats journal;
  std::vector<std::string> sources{};  ///< names of the configured sources
};

/// The router as the admin API uses it. Called by several threads of the admin server at a time. [thread: any]
class Router {
 public:
  virtual ~Router() = default;
  /// Health checks. Does not wait for anything slow.
  virtual std::vector<Part> Parts() = 0;
  virtual RouterStatus Status() = 0;
  virtual std::shared_ptr<const config::Config> CurrentConfig() = 0;
  /// How the current config reads and routes the event (ReadEvent).
  virtual EventReading Read(const StoredEvent& stored) = 0;
  /// Blocks until the reload has ended; one runs at a time.
  virtual ReloadReport Reload() = 0;

  /// As last published; never waits for the scheduler.
  virtual std::vector<LaneStatus> Lanes() = 0;
  // As in Dispatcher.
  virtual hookswitch::Status Pause(const std::string& sink, const hookswitch::Pause& pause) = 0;
  /// With `wait` blocks until the first outcome, for a limited time.
  virtual Dispatcher::Resumed Resume(const std::string& sink, bool wait) = 0;
  virtual std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) = 0;
  /// Enqueues deliveries that are pending in the journal.
  virtual void Accept(std::vector<PendingDelivery> deliveries) = 0;
  virtual std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries) = 0;
};

}  // namespace hookswitch
