#include "core/demo/slack_stand_in.h"

#include <atomic>
#include <utility>

#include "core/base/metrics.h"
#include "core/ingress/http_server.h"

namespace hookswitch::demo {
namespace {

// A webhook's path is /services/TEAM/APP/SECRET. Here the last part is the channel.
constexpr std::string_view kWebhooks = "/services/T0DEMO/B0DEMO/";

class HttpStandIn final : public SlackStandIn {
 public:
  explicit HttpStandIn(OnRequest on_request) : on_request_(std::move(on_request)) {}

  Status Serve() {
    HttpServerOptions options{.listen = {.host = "127.0.0.1", .port = 0}, .threads = 1, .name = "slack"};
    options.inline_body = options.max_body;
    auto server = HttpServer::Start(
        options, [](const ServedRequest&) { return HeadVerdict(std::optional<Answer>()); },
        [this](Responder responder) { Handle(std::move(responder)); }, metrics_);
    if (!server) return std::move(server).error();
    server_ = std::move(*server);
    return Ok();
  }

  std::string Url(std::string_view channel) const override {
    return "http://" + server_->Address() + std::string(kWebhooks) + std::string(channel);
  }
  void AskForPause(int seconds) override { pause_ = seconds; }

 private:
  // [thread: server]
  void Handle(Responder responder) {
    const ServedRequest request = responder.request();
    Request seen;
    Answer answer;
    answer.content_type = "text/html";
    answer.body = "ok";
    json::error_code error;
    json::value message = json::parse(request.body, error);
    if (request.method != "POST" || !request.path.starts_with(kWebhooks)) {
      answer.status = 404;
      answer.body = "no_service";
    } else if (error) {
      answer.status = 400;
      answer.body = "invalid_payload";
    } else if ((seen.retry_after = pause_.exchange(0)) != 0) {
      answer.status = 429;
      answer.body = "rate_limited";
      answer.retry_after_seconds = seen.retry_after;
    } else {
      seen.message = std::move(message);
    }
    seen.status = answer.status;
    if (answer.status != 404) seen.channel = request.path.substr(kWebhooks.size());
    on_request_(std::move(seen));
    responder.Complete(answer);
  }

  const OnRequest on_request_;
  std::atomic<int> pause_{0};  // seconds; 0: none is wanted
  Metrics metrics_;
  std::unique_ptr<HttpServer> server_;  // last: its threads end before what they use
};

}  // namespace

Result<std::unique_ptr<SlackStandIn>> SlackStandIn::Start(OnRequest on_request) {
  auto stand_in = std::make_unique<HttpStandIn>(std::move(on_request));
  HSW_TRY(stand_in->Serve());
  return std::unique_ptr<SlackStandIn>(std::move(stand_in));
}

}  // namespace hookswitch::demo
