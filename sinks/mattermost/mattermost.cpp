#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace mattermost {

// Our own limits: the server splits texts over 16383 characters into several posts and collapses long ones.
constexpr std::size_t kMaxTitle = 250, kMaxFieldName = 100, kMaxFieldValue = 500, kMaxFields = 25, kMaxText = 4000,
                      kMaxLinks = 5, kMaxLabel = 80, kMaxLinkBytes = 1000;
constexpr std::string_view kFence = "```", kTruncated = "\n… (truncated)", kZeroWidthSpace = "\xE2\x80\x8B",
                           kNoBreakSpace = "\xC2\xA0";

/// What a rejection is about. All messages of the sink share the webhook and its channel.
enum class About { kMessage, kChannel, kWebhook, kStatus };

struct Refusal {
  std::string_view id;  ///< prefix of an error's id
  About about;
};

// Errors of HandleIncomingWebhook and its callees (server/channels/app/webhook.go, post.go).
constexpr std::array kRefusals = {
    Refusal{"web.incoming_webhook.channel.", About::kChannel},         // no such channel
    Refusal{"web.incoming_webhook.channel_locked.", About::kChannel},  // the webhook is locked to another channel
    Refusal{"web.incoming_webhook.permissions.", About::kChannel},     // its owner may not post there
    Refusal{"app.channel.get.", About::kChannel},
    Refusal{"api.post.create_post.can_not_post_to_deleted", About::kChannel},  // archived
    Refusal{"api.post.create_post.town_square_read_only", About::kChannel},
    Refusal{"api.context.permissions.", About::kChannel},
    Refusal{"web.incoming_webhook.invalid.", About::kWebhook},   // no such webhook
    Refusal{"web.incoming_webhook.disabled.", About::kWebhook},  // disabled on the server
    Refusal{"web.incoming_webhook.user.", About::kWebhook},      // its owner, or @user of channel, is gone
    Refusal{"web.incoming_webhook.general.", About::kWebhook},
    Refusal{"web.incoming_webhook.parse.", About::kMessage},
    Refusal{"web.incoming_webhook.text.", About::kMessage},
    Refusal{"web.incoming_webhook.split_props_length.", About::kMessage},
    Refusal{"model.post.is_valid.", About::kMessage},
    Refusal{"model.incoming_hook.", About::kMessage},
    Refusal{"api.context.invalid_body_param.", About::kMessage},
    Refusal{"api.post.create_post.", About::kMessage},
};

About AboutOf(std::string_view id) {
  for (const Refusal& refusal : kRefusals) {
    if (id.starts_with(refusal.id)) return refusal.about;
  }
  return About::kStatus;
}

std::string Invalid(const std::string& why) {
  return "Mattermost finds the message invalid: " + why;
}

std::string_view ColorOf(std::uint32_t severity) {
  if (severity == HSW_ERROR) return "#D92D20";
  if (severity == HSW_WARNING) return "#F79009";
  return severity == HSW_SUCCESS ? "#12B76A" : "#667085";
}

/// The server looks for @name, and for Slack's <!channel> and <url|text>, before it parses markup, so a backslash does
/// not hide them. "https:\//" is not a link.
void Escape(std::string_view code_point, const hsw::TextSpot& spot, std::string& out) {
  const char c = code_point[0];
  if (spot.first_of_line && (c == ' ' || c == '\t')) {
    out += kNoBreakSpace;
    return;
  }
  const bool markup = std::string_view("\\*_~`|>[]()<#").find(c) != std::string_view::npos;
  const bool in_url = c == '/' && out.ends_with(':');
  if (markup || hsw::BeginsBlock(c, spot) || in_url) out += '\\';
  out += code_point;
  if (c == '@' || c == '<') out += kZeroWidthSpace;
}

std::string Plain(std::string_view text, std::size_t most) {
  return hsw::Escaped(text, most, "…", Escape);
}

std::string CodeBlock(std::string_view text, std::size_t most) {
  bool after_backtick = false;
  auto body = hsw::Escaped(hsw::Shorten(text, most, kTruncated), 2 * most + kTruncated.size(), kTruncated,
                           [&](std::string_view code_point, bool, std::string& out) {
                             if (after_backtick && code_point == "`") out += kZeroWidthSpace;
                             out += code_point;
                             if (code_point == "<") out += kZeroWidthSpace;
                             after_backtick = code_point == "`";
                           });
  return std::string(kFence).append("\n").append(body).append("\n").append(kFence);
}

std::string ProblemWith(const hsw::Config& config) {
  const auto url = config.String("webhook_url");
  if (auto problem = hsw::ProblemWithServiceUrl(url, config.Bool("allow_http")); !problem.empty()) return problem;
  if (url.find("/hooks/") == std::string::npos) {
    return "is not an incoming webhook's URL: it looks like https://mattermost.example.com/hooks/…; make one under "
           "Integrations > Incoming Webhooks";
  }
  return {};
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(config.String("webhook_url")),
        channel_(config.String("channel")),
        username_(config.String("username")),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 4000))) {
    if (auto problem = ProblemWith(config); !problem.empty()) throw std::invalid_argument("webhook_url " + problem);
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = ProblemWith(config); !problem.empty()) report("/webhook_url", "webhook_url " + problem);
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    hsw::JsonWriter json;
    json.BeginObject();
    if (!channel_.empty()) json.Key("channel").String(channel_);
    if (!username_.empty()) json.Key("username").String(username_);
    const std::string title = Plain(message.Title(), kMaxTitle);
    json.Key("text").String("**" + title + "**");
    json.Key("attachments").BeginArray().BeginObject();
    json.Key("fallback").String(title);
    json.Key("color").String(ColorOf(message.Severity()));
    json.Key("text").String(TextOf(message));
    WriteFields(message, json);
    json.EndObject().EndArray().EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Body(json.Text());
  }

  /// A success is the text "ok"; errors are {"id":"web.incoming_webhook.….app_error","message":"…","status_code":400}.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    if (status >= 200 && status < 300) {
      if (response.Body().starts_with("ok")) return hsw::Outcome::Delivered();
      return hsw::Outcome::Misconfigured("not_mattermost", "the server's answer is not one of Mattermost",
                                         "check webhook_url")
          .MaybeDelivered();
    }
    // Temporary, whatever the body says.
    const bool may_pass_later = status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
    if (may_pass_later) return hsw::FromHttp(response);
    const std::string id(response.Json("/id").value_or(""));
    const std::string why(response.Json("/message").value_or("it does not say why"));
    switch (AboutOf(id)) {
      case About::kChannel:
        return hsw::Outcome::Misconfigured("bad_channel", "Mattermost cannot post into the channel: " + why,
                                           "check channel, and that the webhook is not locked to another")
            .OfSink();
      case About::kWebhook:
        return hsw::Outcome::Misconfigured("bad_webhook", "Mattermost does not take the webhook: " + why,
                                           "check webhook_url, and that incoming webhooks are switched on")
            .OfSink();
      case About::kMessage: return hsw::Outcome::Rejected("http_" + std::to_string(status), Invalid(why));
      case About::kStatus: break;
    }
    // Unknown error: it may be about the webhook, the channel or the message.
    if (!id.empty() && status < 500) {
      return hsw::Outcome::Misconfigured("http_" + std::to_string(status),
                                         "Mattermost does not take the message: " + why + " (" + id + ")",
                                         "look for the error in Mattermost's log");
    }
    if (status == 400) return hsw::Outcome::Rejected("http_400", Invalid(why));
    return hsw::FromHttp(response);
  }

 private:
  static void WriteFields(const hsw::Message& message, hsw::JsonWriter& json) {
    std::size_t count = 0;
    json.Key("fields").BeginArray();
    for (const hsw_pair& field : message.Fields()) {
      const auto name = Plain(hsw::View(field.name), kMaxFieldName);
      const auto value = Plain(hsw::View(field.value), kMaxFieldValue);
      if (hsw::IsBlank(name) || hsw::IsBlank(value) || count == kMaxFields) continue;
      json.BeginObject().Key("title").String(name).Key("value").String(value).Key("short").Bool(true).EndObject();
      ++count;
    }
    json.EndArray();
  }

  std::string TextOf(const hsw::Message& message) const {
    std::string out;
    if (!hsw::IsBlank(message.Text())) out = Plain(message.Text(), kMaxText);
    bool first = true;
    for (const hsw::WebLink& link : hsw::WebLinks(message, kMaxLinks, kMaxLinkBytes)) {
      if (!out.empty()) out += first ? "\n\n" : " · ";
      first = false;
      const auto label = Plain(link.label, kMaxLabel);
      out.append("[").append(hsw::IsBlank(label) ? "link" : label).append("](").append(link.url).append(")");
    }
    if (max_transcript_ == 0 || hsw::IsBlank(message.Transcript())) return out;
    if (!out.empty()) out += "\n\n";
    return out.append(CodeBlock(message.Transcript(), max_transcript_));
  }

  std::string url_, channel_, username_;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["webhook_url"],
  "properties": {
    "webhook_url": {"type": "string", "x-secret": true, "examples": ["https://mattermost.example.com/hooks/example"], "description": "The incoming webhook's URL, https://…/hooks/…; who knows it can post."},
    "channel": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Another channel than the webhook's: its name in URLs, or @user."},
    "username": {"type": "string", "minLength": 1, "maxLength": 64, "description": "The name shown, if the server allows that."},
    "max_transcript": {"type": "integer", "default": 4000, "minimum": 0, "maximum": 10000, "description": "Characters of the transcript that are shown; 0 leaves it out."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests and private networks."}
  }
})";

}  // namespace mattermost

// A server's default RateLimitSettings: 10 per second, bursts of 100.
HSW_HTTP_SINK(mattermost::Sink, "mattermost", "1.0.0", "Mattermost: incoming webhooks", mattermost::kSchema,
              .rate_max = 5, .rate_per_ms = 1000, .rate_burst = 20, .concurrency = 2, .concurrent_calls = true)
