#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace mattermost {

// Ours: the server splits texts over 16383 characters into several posts, and folds long ones away.
constexpr std::size_t kMaxTitle = 250, kMaxFieldName = 100, kMaxFieldValue = 500, kMaxFields = 25, kMaxText = 4000,
                      kMaxLinks = 5, kMaxLabel = 80, kMaxLinkBytes = 1000;
constexpr std::string_view kFence = "```", kTruncated = "\n… (truncated)", kZeroWidthSpace = "\xE2\x80\x8B";

std::string_view ColorOf(std::uint32_t severity) {
  if (severity == HSW_ERROR) return "#D92D20";
  if (severity == HSW_WARNING) return "#F79009";
  return severity == HSW_SUCCESS ? "#12B76A" : "#667085";
}

/// The server looks for @name, and for Slack's <!channel> and <url|text>, before it knows of any markup, so a backslash
/// does not hide them. "https:\//" is no link.
void Escape(std::string_view code_point, bool first_of_line, std::string& out) {
  const char c = code_point[0];
  const bool markup = std::string_view("\\*_~`|>[]()<#").find(c) != std::string_view::npos;
  const bool at_start = first_of_line && (c == '-' || c == '+');
  const bool in_url = c == '/' && out.ends_with(':');
  if (markup || at_start || in_url) out += '\\';
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
    if (status >= 500 && status != 501) return hsw::FromHttp(response);
    const std::string id(response.Json("/id").value_or(""));
    const std::string why(response.Json("/message").value_or("it does not say why"));
    if (id.starts_with("web.incoming_webhook.")) {
      const auto word = std::string_view(id).substr(21, id.find('.', 21) - 21);
      if (word == "channel" || word == "channel_locked" || word == "permissions") {
        return hsw::Outcome::Misconfigured("bad_channel", "Mattermost cannot post into the channel: " + why,
                                           "check channel, and that the webhook is not locked to another");
      }
      if (word == "invalid" || word == "disabled" || word == "user" || word == "general") {
        return hsw::Outcome::Misconfigured("bad_webhook", "Mattermost does not take the webhook: " + why,
                                           "check webhook_url, and that incoming webhooks are switched on");
      }
    }
    if (status == 400) return hsw::Outcome::Rejected("http_400", "Mattermost finds the message invalid: " + why);
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
    "webhook_url": {"type": "string", "x-secret": true, "description": "The incoming webhook's URL, https://…/hooks/…; who knows it can post."},
    "channel": {"type": "string", "minLength": 1, "maxLength": 64, "description": "Another channel than the webhook's: its name in URLs, or @user."},
    "username": {"type": "string", "minLength": 1, "maxLength": 64, "description": "The name shown, if the server allows that."},
    "max_transcript": {"type": "integer", "default": 4000, "minimum": 0, "maximum": 10000, "description": "Characters of the transcript that are shown; 0 leaves it out."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests and private networks."}
  }
})";

}  // namespace mattermost

// RateLimitSettings of a server: 10 a second, bursts of 100, by default.
HSW_HTTP_SINK(mattermost::Sink, "mattermost", "1.0.0", "Mattermost: incoming webhooks", mattermost::kSchema,
              .rate_max = 5, .rate_per_ms = 1000, .rate_burst = 20, .concurrency = 2, .concurrent_calls = true)
