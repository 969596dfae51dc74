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

/// The admin listeners: an HTTP server of their own before an AdminApi, with an AdminGuard at the door.
class AdminServer {
 public:
  /// Listens on all of `admin.listen` and serves. Errors are those of HttpServer. The references outlive it.
  static Result<std::unique_ptr<AdminServer>> Start(const config::Admin& admin, Router& router, HistoryApi& history,
                                                    const Clock& clock, Metrics& metrics);

  /// Takes the tokens of a reloaded config. False: its `listen` is another one than what is bound, which needs a
  /// restart. Tokens are never given up for a listener that stays. Safe from any thread.
  bool Use(const config::Admin& admin);
  /// "127.0.0.1:8001", "unix:/run/x.sock"; several with ", " between.
  std::string Address() const { return server_->Address(); }
  /// As HttpServer::Passes.
  std::uint64_t Passes() { return server_->Passes(); }
  /// As HttpServer::Drain.
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
