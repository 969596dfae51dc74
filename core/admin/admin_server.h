#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/admin/admin_api.h"
#include "core/admin/guard.h"
#include "core/admin/live_stream.h"
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
  /// Applies the tokens of a reloaded config; if they are others, ends all streams. False: its `listen` differs from
  /// what is bound, which needs a restart; until then a config without tokens does not remove the current ones.
  bool Use(const config::Admin& admin);
  /// As HttpServer::Address.
  std::string Address() const { return server_->Address(); }
  /// As HttpServer::Passes.
  std::uint64_t Passes() { return server_->Passes(); }
  /// [thread: control] Ends the streams; then as HttpServer::Drain.
  void Drain(std::chrono::milliseconds timeout) {
    live_.Stop();
    server_->Drain(timeout);
  }

 private:
  AdminServer(const config::Admin& admin, Router& router, HistoryApi& history, const Clock& clock, Metrics& metrics)
      : bound_(admin.listen),
        clock_(clock),
        history_(history.history()),
        guard_(admin, clock, metrics),
        api_(router, history, guard_, clock, metrics),
        live_(router, history.history(), history.journal(), clock) {}
  void Handle(Responder responder);

  const std::vector<config::Listen> bound_;
  const Clock& clock_;
  History& history_;
  AdminGuard guard_;
  AdminApi api_;
  LiveStream live_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace hookswitch
