#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>
#include <string>

#include "core/cli/commands.h"
#include "core/cli/printing.h"
#include "core/config/scalars.h"
#include "core/ingress/http_server.h"

namespace hookswitch::cli {
namespace {

// As much as a sink may send (plugins/README.md).
constexpr std::size_t kMostBody = 16 << 20;

/// A request as text for people, without its headers: they hold the sink's credentials.
std::string Shown(const ServedRequest& request) {
  std::string text = std::string(request.method) + ' ' + std::string(request.path);
  if (!request.query.empty()) text += '?' + std::string(request.query);
  text = OneLine(text + "  " + std::string(request.Header("Content-Type")) + ", ") +
         std::to_string(request.body.size()) + " bytes\n";
  return text + Printable(request.body) + (request.body.ends_with('\n') ? "" : "\n");
}

}  // namespace

int PluginReceive(const Options& options) {
  const auto listen = config::ParseListen(options.listen);
  if (!listen) return Fail("--listen " + options.listen + " is no HOST:PORT, such as 127.0.0.1:9000", kUsage);
  // Blocked in all threads started from here on, so that the sigwait below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  int left = options.count;
  Metrics metrics;
  const HttpServerOptions server_options{.listen = *listen, .threads = 1, .max_body = kMostBody, .name = "receive"};
  auto server = HttpServer::Start(
      server_options, [](const ServedRequest&) { return HeadVerdict(std::optional<Answer>()); },
      [&](Responder responder) {
        std::cout << Shown(responder.request()) << std::flush;
        Answer answer;
        answer.status = options.answer;
        const bool has_body = options.answer != 204 && options.answer != 304;  // RFC 9110 6.4.1
        if (has_body) answer.body = "{}";
        responder.Complete(answer);
        if (--left == 0) ::kill(::getpid(), SIGTERM);
      },
      metrics);
  if (!server) return Fail(server.error().message);
  std::cout << "listening on http://" << (*server)->Address() << std::endl;
  int number = 0;
  sigwait(&signals, &number);
  (*server)->Drain(std::chrono::seconds(1));
  return kFine;
}

}  // namespace hookswitch::cli
