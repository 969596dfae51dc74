#include <stdexcept>
#include <string>

#include "answers.h"
#include "hookswitch/sink.hpp"
#include "layout.h"
#include "webhook_url.h"

namespace slack {

/// Posts messages to Slack's webhooks: incoming webhooks (GovSlack too), Workflow Builder's, and servers that speak the
/// same. The webhook's URL is its only credential. channel, username and icon are not settings: Slack answers 404 to an
/// app's webhook that names a channel.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(config.String("webhook_url")),
        kind_(KindOf(url_)),
        server_(kind_ == Kind::kWorkflow        ? Server::kWorkflow
                : config.Bool("allow_any_host") ? Server::kCompatible
                                                : Server::kMessage),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 2800))) {
    if (auto problem = ProblemWith(url_, config.Bool("allow_any_host")); !problem.empty()) {
      throw std::invalid_argument("webhook_url " + problem);
    }
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    const auto problem = ProblemWith(config.String("webhook_url"), config.Bool("allow_any_host"));
    if (!problem.empty()) report("/webhook_url", "webhook_url " + problem);
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    request.Url(url_);
    request.Header("Content-Type", "application/json; charset=utf-8");
    if (kind_ == Kind::kWorkflow) {
      request.Body(WorkflowBody(delivery, max_transcript_));
    } else if (IsPlain(delivery)) {
      request.Body(PlainBody(delivery.Message(), max_transcript_));
    } else {
      request.Body(BlocksBody(delivery.Message(), max_transcript_));
    }
  }

  hsw::Outcome Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const {
    return Classify(server_, IsPlain(delivery), response);
  }

 private:
  static bool IsPlain(const hsw::Delivery& delivery) { return delivery.State() == kPlain; }

  std::string url_;
  Kind kind_;
  Server server_;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["webhook_url"],
  "properties": {
    "webhook_url": {
      "type": "string", "x-secret": true,
      "description": "The webhook's URL; who knows it can post. An incoming webhook gets a message, a Workflow Builder webhook the variables title, status, agent, call_id, duration, text, transcript and link."
    },
    "allow_any_host": {
      "type": "boolean", "default": false,
      "description": "Accept any http or https URL, and as success any 2xx answer that is no refusal and no web page: for Slack-compatible servers and tests."
    },
    "max_transcript": {
      "type": "integer", "default": 2800, "minimum": 0, "maximum": 2900,
      "description": "Characters of the transcript that are shown; 0 leaves it out. Slack's limit for its block is 3000."
    }
  }
})";

}  // namespace slack

// Slack allows one message per second and webhook, with short bursts (docs.slack.dev/apis/web-api/rate-limits).
HSW_HTTP_SINK(slack::Sink, "slack", "1.0.0", "Slack: incoming webhooks, GovSlack and Workflow Builder", slack::kSchema,
              .rate_max = 1, .rate_per_ms = 1000, .rate_burst = 3, .concurrency = 2, .concurrent_calls = true)
