#include "core/admin/admin_server.h"

#include "core/admin/actions.h"
#include "core/base/log.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

constexpr int kThreads = 8;
constexpr int kHealthThreads = 2;
constexpr int kMostConnections = 256;
constexpr std::uint64_t kMostBody = 1 << 20;

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::Start(const config::Admin& admin, Router& router, HistoryApi& history,
                                                        const Clock& clock, Metrics& metrics) {
  HttpServerOptions options;
  options.name = "admin";
  options.listen = admin.listen.front();
  options.threads = kThreads;
  options.urgent_threads = kHealthThreads;
  options.is_urgent = [](const ServedRequest& request) { return AdminApi::IsHealth(request.path); };
  options.max_connections = kMostConnections;
  // All clients may share one address (a proxy's or this machine's), so it may hold all connections; incomplete ones
  // make room.
  options.max_per_address = kMostConnections;
  options.max_body = kMostBody;
  options.length_required = false;  // "curl -X POST …/reload" sends none
  options.headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}};

  std::unique_ptr<AdminServer> server(new AdminServer(admin, router, history, clock, metrics));
  auto started = HttpServer::Start(
      options,
      [self = server.get()](const ServedRequest& head) {
        return self->guard_.Judge(head, self->api_.routes().AccessOf(head));
      },
      [self = server.get()](Responder responder) { self->Handle(std::move(responder)); }, metrics);
  if (!started) return std::move(started).error();
  server->server_ = std::move(*started);
  for (std::size_t i = 1; i < admin.listen.size(); ++i) HSW_TRY(server->server_->Listen(admin.listen[i]));
  return server;
}

void AdminServer::Handle(Responder responder) {
  const ServedRequest request = responder.request();
  if (request.path == LiveStream::kPath && request.method == "GET") return live_.Handle(std::move(responder));
  const auto& caller = static_cast<const Caller&>(*responder.context());
  const Answer answer = api_.Handle(request, caller);
  // Also if it failed (5xx): it may have changed something first.
  const bool is_refused = answer.status >= 400 && answer.status < 500;
  if (api_.routes().AccessOf(request) == Access::kChange && !is_refused) {
    log::Info(
        "operator_request",
        {{"who", caller.who}, {"peer", request.peer}, {"path", ToUtf8(request.path)}, {"http_status", answer.status}});
    if (auto action = ActionOf(request, caller, answer, clock_.Wall())) history_.RecordAction(std::move(*action));
  }
  responder.Complete(answer);
}

bool AdminServer::Use(const config::Admin& admin) {
  const bool stays = admin.listen == bound_;
  // A config that moves to loopback needs no token, but the old listener stays until a restart.
  if ((stays || !admin.token.empty() || !admin.tokens.empty()) && guard_.Use(admin)) live_.EndAll();
  return stays;
}

}  // namespace hookswitch
