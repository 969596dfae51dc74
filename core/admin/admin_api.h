#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/admin/guard.h"
#include "core/admin/history_api.h"
#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/config/problem.h"
#include "core/delivery/dispatcher.h"
#include "core/ingress/http_server.h"

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

/// What the admin API asks of the router. Called from the admin server's threads; all must be safe there.
struct AdminHooks {
  std::function<std::vector<Part>()> parts;  ///< waits for nothing that may take long
  std::function<RouterStatus()> status;
  std::function<std::vector<LaneStatus>()> lanes;
  std::function<ReloadReport()> reload;  ///< waits until it is done
  std::function<Status(const std::string& sink, const Pause& pause)> pause;
  /// With `wait` it waits for the first outcome.
  std::function<Dispatcher::Resumed(const std::string& sink, bool wait)> resume;
};

/// The admin listener's answers: /healthz, /readyz, /metrics, /api/v1/… (OPERATING.md, "Admin API"). JSON but for
/// /metrics. What takes long is limited in number, so that no such requests keep others from a thread. Safe from any
/// thread.
class AdminApi {
 public:
  /// The references outlive it.
  AdminApi(AdminHooks hooks, HistoryApi& history, AdminGuard& guard, const Clock& clock, Metrics& metrics)
      : hooks_(std::move(hooks)), history_(history), guard_(guard), clock_(clock), metrics_(metrics) {}
  /// `caller`: what the guard said of the request's head.
  Answer Handle(const ServedRequest& request, const Caller& caller);
  /// /healthz and /readyz, which must be answered whatever keeps the others busy.
  static bool IsHealth(std::string_view path) { return path == "/healthz" || path == "/readyz"; }

 private:
  struct Page;
  Answer Ready(bool whole) const;
  Answer SignIn(const ServedRequest& request, const Caller& caller);
  Answer ShowStatus(const ServedRequest& request, const Caller& caller);
  Answer ListSinks(const ServedRequest& request, const Caller& caller);
  Answer Reload(const ServedRequest& request, const Caller& caller);
  Answer ChangeSink(const ServedRequest& request, std::string_view sink, bool paused);
  Answer PauseSink(std::string_view sink, std::string_view body);
  Answer ResumeSink(std::string_view sink);

  AdminHooks hooks_;
  HistoryApi& history_;
  AdminGuard& guard_;
  const Clock& clock_;
  Metrics& metrics_;
  std::atomic<int> reloads_{0};  ///< that run or wait
  std::atomic<int> resumes_{0};  ///< that wait for an outcome
};

/// What POST /api/v1/reload answers, also printed by `hookswitch reload --format json`.
std::string ToJson(const ReloadReport& report);

}  // namespace hookswitch
