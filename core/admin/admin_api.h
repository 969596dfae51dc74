#pragma once
#include <atomic>
#include <string>
#include <string_view>

#include "core/admin/guard.h"
#include "core/admin/history_api.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// Serves the admin listener: /healthz, /readyz, /metrics, /api/v1/… (OPERATING.md, "Admin API"), in JSON except for
/// /metrics. Limits how many slow requests run at a time, so that they do not take all threads. [thread: any]
class AdminApi {
 public:
  /// The references outlive it.
  AdminApi(Router& router, HistoryApi& history, AdminGuard& guard, const Clock& clock, Metrics& metrics)
      : router_(router), history_(history), guard_(guard), clock_(clock), metrics_(metrics) {}
  /// `caller`: from AdminGuard::Judge. May block.
  Answer Handle(const ServedRequest& request, const Caller& caller);
  /// True for /healthz and /readyz, which must be answered however busy the others are.
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

  Router& router_;
  HistoryApi& history_;
  AdminGuard& guard_;
  const Clock& clock_;
  Metrics& metrics_;
  std::atomic<int> reloads_{0};  ///< running or waiting
  std::atomic<int> resumes_{0};  ///< waiting for an outcome
};

/// The response to POST /api/v1/reload, also printed by `hookswitch reload --format json`.
std::string ToJson(const ReloadReport& report);

}  // namespace hookswitch
