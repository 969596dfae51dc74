#pragma once
#include <atomic>
#include <string>
#include <string_view>

#include "core/admin/config_api.h"
#include "core/admin/guard.h"
#include "core/admin/history_api.h"
#include "core/admin/problems.h"
#include "core/admin/router.h"
#include "core/admin/routes.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/metrics.h"
#include "core/delivery/test_message.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// Serves the admin listener: /healthz, /readyz, /metrics, /api/v1/… (OPERATING.md, "Admin API"), in JSON except for
/// /metrics, and the inspector page. Limits how many slow requests run at a time, so that they do not take all threads.
/// [thread: any]
class AdminApi {
 public:
  /// The references outlive it.
  AdminApi(Router& router, HistoryApi& history, AdminGuard& guard, const Clock& clock, Metrics& metrics);
  AdminApi(const AdminApi&) = delete;
  AdminApi& operator=(const AdminApi&) = delete;

  /// All operations, also those of `history`.
  const AdminRoutes& routes() const { return routes_; }
  /// `caller`: from AdminGuard::Judge. May block.
  Answer Handle(const ServedRequest& request, const Caller& caller) const { return routes_.Handle(request, caller); }
  /// True for /healthz and /readyz, which must be answered however busy the others are.
  static bool IsHealth(std::string_view path) { return path == "/healthz" || path == "/readyz"; }

 private:
  Answer Ready(bool whole) const;
  Answer ShowMetrics() const;
  Answer SignIn(const RoutedRequest& routed);
  Answer ShowStatus(const Caller& caller);
  Answer ListRouters();
  Answer AskOthersToReload();
  Answer ListSinks();
  Answer Reload(const Caller& caller);
  /// 404 if there is no such sink.
  std::optional<Answer> NoSuchSink(std::string_view sink);
  Answer PauseSink(std::string_view sink, std::string_view body);
  Answer ResumeSink(std::string_view sink);
  Answer TestSink(std::string_view sink);

  Router& router_;
  AdminGuard& guard_;
  const Clock& clock_;
  Metrics& metrics_;
  ProblemFinder problems_;
  ConfigApi config_;
  AdminRoutes routes_;
  std::atomic<int> reloads_{0};  ///< running or waiting
  std::atomic<int> resumes_{0};  ///< waiting for an outcome
  std::atomic<int> tests_{0};    ///< being sent
};

/// The response to POST /api/v1/sinks/{name}/test, also printed by `hookswitch send-test --format json`.
json::object ToObject(std::string_view sink, const TestResult& result);
/// The response to POST /api/v1/reload, also printed by `hookswitch reload --format json`.
std::string ToJson(const ReloadReport& report);

}  // namespace hookswitch
