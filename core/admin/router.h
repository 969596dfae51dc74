#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/admin/event_reading.h"
#include "core/admin/past_configs.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/delivery/delivery_plan.h"
#include "core/delivery/dispatcher.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/test_message.h"
#include "core/ingress/reach_proof.h"
#include "core/journal/cluster.h"
#include "core/journal/journal.h"
#include "core/routing/route_table.h"

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

/// The last reload since the start.
struct LastReload {
  std::uint64_t number = 0;  ///< of the reload: 1, 2, …
  WallTime at{};
  std::string by;  ///< who asked for it: name of a token or a local user, "SIGHUP"; "" if unknown
  ReloadReport report;
};

/// How much of what is stored the search index has.
struct IndexStatus {
  bool usable = false;        ///< false: searches read the journal
  std::uint64_t indexed = 0;  ///< events
  std::uint64_t behind = 0;   ///< numbers of events that are newer than the newest indexed one
  std::uint64_t bytes = 0;    ///< on disk
};

struct RouterStatus {
  std::string version, ingress, admin, config_file;
  std::string name{};  ///< of the host
  std::uint64_t generation = 0;
  WallTime started_at{};
  WallTime applied_at{};                    ///< when the running config was applied
  std::vector<std::string> need_restart{};  ///< as of the last reload: "server.listen"
  JournalStats journal;
  IndexStatus search{};
  std::vector<std::string> sources{};  ///< names of the configured sources
};

/// The config generation that runs, as far as events are read, routed and sent by it.
struct ActivePlan {
  std::uint64_t generation = 0;
  std::shared_ptr<const RouteTable> routes;  ///< this and the following: not nullptr
  std::shared_ptr<const DeliveryPlan> plan;
};

/// The running config, to show it.
struct RunningConfig {
  std::uint64_t generation = 0;
  Digest hash{};  ///< KeptConfig::hash
  WallTime applied_at{};
  std::shared_ptr<const config::Config> config;  ///< this and the following: not nullptr
  /// By plugin; without those that cannot be inspected.
  std::shared_ptr<const std::map<std::string, std::string, std::less<>>> plugin_schemas;
};

/// The router as the admin API uses it. Called by several threads of the admin server at a time. [thread: any]
class Router {
 public:
  virtual ~Router() = default;
  /// Health checks. Does not wait for anything slow.
  virtual std::vector<Part> Parts() = 0;
  virtual RouterStatus Status() = 0;
  virtual std::shared_ptr<const config::Config> CurrentConfig() = 0;
  virtual RunningConfig Running() = 0;
  virtual ActivePlan Plan() = 0;
  /// How the current config reads and routes the event (ReadEvent).
  virtual EventReading Read(const StoredEvent& stored) = 0;
  /// The event by the current config, or if that does not read it by its own; without the rules, which is much faster
  /// than Read. nullptr: not a call, or unreadable.
  virtual std::shared_ptr<const CallEvent> Normalize(const StoredEvent& stored) = 0;
  /// Blocks until the reload has ended; one runs at a time. `by`: as LastReload::by.
  virtual ReloadReport Reload(const std::string& by) = 0;
  /// nullptr: there was none since the start.
  virtual std::shared_ptr<const hookswitch::LastReload> LastReload() = 0;
  /// How the config that the event names did (PastConfigs::Read). May block for seconds.
  virtual PastReading ReadAsAccepted(const StoredEvent& stored) = 0;

  /// The routers that share the journal; nullptr: it is this one's alone. Valid as long as the router.
  virtual Cluster* cluster() { return nullptr; }

  /// For a check whether a request reaches this router.
  virtual ReachProof::Challenge MakeChallenge() = 0;

  /// As last published; never waits for the scheduler.
  virtual std::vector<LaneStatus> Lanes() = 0;
  // As in Dispatcher.
  virtual hookswitch::Status Pause(const std::string& sink, const hookswitch::Pause& pause) = 0;
  /// With `wait` blocks until the first outcome, for a limited time.
  virtual Dispatcher::Resumed Resume(const std::string& sink, bool wait) = 0;
  /// Sends a test message through the sink (SendTestMessage). Errors: kNotFound, kUnavailable (its plugin is). Blocks.
  virtual Result<TestResult> TestSink(const std::string& sink) = 0;
  virtual std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) = 0;
  /// Enqueues deliveries that are pending in the journal.
  virtual void Accept(std::vector<PendingDelivery> deliveries) = 0;
  virtual std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries) = 0;
};

}  // namespace hookswitch
