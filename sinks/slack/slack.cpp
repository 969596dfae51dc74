#include <stdexcept>
#include <string>
#include <variant>

#include "bot.h"
#include "hookswitch/sink.hpp"
#include "webhook.h"

namespace slack {

/// Posts through a webhook, whose URL is the credential, or through the Web API with a bot token.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host) : door_(Door(config)) {}

  static void Check(const hsw::Config& config, hsw::Report& report) {
    const bool webhook = config.Find("webhook_url").has_value(), bot = config.Find("token").has_value();
    if (webhook == bot) {
      return report(webhook ? "/token" : "", webhook ? "token and webhook_url are two ways to post: give one of them"
                                                     : "needs webhook_url, of an incoming webhook, or token, of a bot");
    }
    if (webhook) {
      const auto problem = Webhook::ProblemWith(config);
      if (!problem.empty()) report("/webhook_url", "webhook_url " + problem);
      for (const char* key : {"channel", "channels"}) {
        if (!config.Find(key) && !config.Find(key + std::string(".0.channel"))) continue;
        report(std::string("/") + key,
               std::string(key) + " needs a bot's token: a webhook posts where it was made for");
      }
      const auto needs_token = [&](const char* key) {
        report(std::string("/") + key,
               std::string(key) + " needs a bot's token: a webhook's messages cannot be found again");
      };
      if (config.String("thread", "none") != "none") needs_token("thread");
      if (config.Bool("update")) needs_token("update");
      if (config.String("long_transcript", "cut") != "cut") needs_token("long_transcript");
    } else {
      if (!config.Find("channel"))
        report("", "needs channel: where the bot posts what channels does not say otherwise");
      const auto problem = Bot::ProblemWithApi(config);
      if (!problem.empty()) report("/api_url", "api_url " + problem);
    }
  }

  /// A webhook has one rate limit, a bot one per channel.
  hsw::Options Advise() const {
    if (const auto* bot = std::get_if<Bot>(&door_)) return {.concurrency = 8, .updates = bot->updates()};
    return {.rate_max = 1, .rate_per_ms = 1000, .rate_burst = 3, .concurrency = 2};
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    std::visit([&](const auto& door) { door.Render(delivery, request); }, door_);
  }
  hsw::Outcome Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const {
    return std::visit([&](const auto& door) { return door.Interpret(delivery, response); }, door_);
  }

 private:
  static std::variant<Webhook, Bot> Door(const hsw::Config& config) {
    if (config.Find("token")) {
      if (const auto problem = Bot::ProblemWithApi(config); !problem.empty()) {
        throw std::invalid_argument("api_url " + problem);
      }
      return Bot(config);
    }
    if (const auto problem = Webhook::ProblemWith(config); !problem.empty()) {
      throw std::invalid_argument("webhook_url " + problem);
    }
    return Webhook(config);
  }

  std::variant<Webhook, Bot> door_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "webhook_url": {
      "type": "string", "x-secret": true, "examples": ["https://hooks.slack.com/services/T1EXAMPLE/B1EXAMPLE/example"],
      "description": "The webhook's URL; who knows it can post. An incoming webhook gets a message, a Workflow Builder webhook the variables title, status, agent, call_id, duration, text, transcript and link."
    },
    "token": {
      "type": "string", "x-secret": true, "pattern": "^xox[a-z]?[-.][-.A-Za-z0-9]+$", "examples": ["xoxb-example"],
      "description": "Instead of a webhook: the token of an app's bot (xoxb-…), with the scope chat:write, and files:write for long_transcript: file."
    },
    "channel": {
      "type": "string", "minLength": 1, "maxLength": 80,
      "description": "With token: where the bot posts. Best the channel's ID (C…): a name changes."
    },
    "channels": {
      "type": "array",
      "items": {
        "type": "object", "additionalProperties": false, "required": ["channel"],
        "properties": {
          "rule": {"type": "string", "minLength": 1, "x-hookswitch-ref": "rule", "description": "For what this rule sends: its name or a glob."},
          "agent": {"type": "string", "minLength": 1, "x-hookswitch-ref": "agent", "description": "For this agent: its name, its ID or a glob."},
          "channel": {"type": "string", "minLength": 1, "maxLength": 80, "description": "The channel then."}
        }
      },
      "description": "With token: other channels for some rules or agents; the first that fits counts."
    },
    "thread": {
      "type": "string", "enum": ["none", "call"], "default": "none",
      "description": "With token: call makes one thread of each call's messages."
    },
    "update": {
      "type": "boolean", "default": false,
      "description": "With token: a call's first message is changed to show the newest, instead of a new message. With thread: call the thread still gets each."
    },
    "long_transcript": {
      "type": "string", "enum": ["cut", "thread", "file"], "default": "cut",
      "description": "With token: what becomes of a transcript longer than max_transcript. thread posts all of it behind the message, file uploads it there."
    },
    "mentions": {
      "type": "object",
      "propertyNames": {"type": "string", "x-hookswitch-ref": "status"},
      "additionalProperties": {
        "type": "array", "maxItems": 15,
        "items": {"type": "string", "pattern": "^(here|channel|everyone|[UWS][A-Z0-9]{5,20})$"}
      },
      "description": "Who is called for a status or a group of them: {failed: [here, U012ABCDEF]}; the IDs of users (U…) and user groups (S…). What stands for a status itself counts before its groups."
    },
    "max_transcript": {
      "type": "integer", "default": 2800, "minimum": 0, "maximum": 2900,
      "description": "Characters of the transcript that are shown; 0 leaves it out. Slack's limit for its block is 3000."
    },
    "api_url": {
      "type": "string", "default": "https://slack.com/api",
      "description": "With token: the Web API; https://slack-gov.com/api for GovSlack."
    },
    "allow_any_host": {
      "type": "boolean", "default": false,
      "description": "Accept any http or https URL, and of a webhook as success any 2xx answer that is no refusal and no web page: for Slack-compatible servers and tests."
    }
  }
})";

}  // namespace slack

HSW_HTTP_SINK(slack::Sink, "slack", "1.1.0", "Slack: incoming webhooks, Workflow Builder, and apps with a bot's token",
              slack::kSchema, .concurrent_calls = true)
