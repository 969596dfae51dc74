#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/admin/admin_api.h"
#include "core/admin/guard.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/base/sync.h"
#include "core/config/config.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// The admin listeners: an HTTP server for an AdminApi, with an AdminGuard in front.
class AdminServer {
 public:
  /// Listens on all of `admin.listen` and serves. Errors as HttpServer::Start. The references outlive it.
  static Result<std::unique_ptr<AdminServer>> Start(const config::Admin& admin, Router& router, HistoryApi& history,
                                                    const Clock& clock, Metrics& metrics);

  // [thread: any]
  /// Applies the tokens of a reloaded config. False: its `listen` differs from what is bound, which needs a restart;
  /// until then a config without tokens does not remove the current ones.
  bool Use(const config::Admin& admin);
  /// As HttpServer::Address.
  std::string Address() const { return server_->Address(); }
  /// As HttpServer::Passes.
  std::uint64_t Passes() { return server_->Passes(); }
  /// [thread: control] As HttpServer::Drain.
  void Drain(std::chrono::milliseconds timeout) { server_->Drain(timeout); }

 private:
  AdminServer(const config::Admin& admin, Router& router, HistoryApi& history, const Clock& clock, Metrics& metrics)
      : bound_(admin.listen), guard_(admin, clock, metrics), api_(router, history, guard_, clock, metrics) {}
  void Handle(Responder responder);

  const std::vector<config::Listen> bound_;
  AdminGuard guard_;
  AdminApi api_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace hookswitch
