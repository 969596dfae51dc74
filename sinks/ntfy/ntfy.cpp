#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace ntfy {

// A longer message silently becomes an attachment (docs.ntfy.sh/publish/#limitations).
constexpr std::size_t kMaxMessageBytes = 4096;
// Our own limits: a body stays small even if every character is escaped.
constexpr std::size_t kMaxTitle = 250, kMaxField = 500;
constexpr std::uint32_t kQuotaPauseMs = 15 * 60 * 1000;

/// What a rejection is about, if its code is more precise than its status. A sink has one topic.
enum class About { kAccess, kTopic, kServer, kQuota, kStatus };

struct Refusal {
  std::string_view code;
  About about;
};

// From ntfy's server/errors.go. Other codes of 400 and 413 are about the message, those of 429 about the rate.
constexpr std::array kRefusals = {
    Refusal{"40101", About::kAccess}, Refusal{"40301", About::kAccess}, Refusal{"40009", About::kTopic},
    Refusal{"40010", About::kTopic},  Refusal{"40401", About::kServer}, Refusal{"42908", About::kQuota},
};

About AboutOf(std::string_view code) {
  for (const Refusal& refusal : kRefusals) {
    if (refusal.code == code) return refusal.about;
  }
  return About::kStatus;
}

/// The topic from a link such as https://ntfy.sh/calls-7Hq2; returns other texts unchanged.
std::string TopicOf(std::string topic) {
  while (topic.ends_with('/')) topic.pop_back();
  return topic.substr(topic.rfind('/') + 1);
}

/// The server from the config, else from a topic given as link.
std::string ServerOf(const hsw::Config& config) {
  const auto topic = config.String("topic");
  const auto slash = topic.find('/', topic.find("://") == std::string::npos ? 0 : topic.find("://") + 3);
  const bool is_link = topic.find("://") != std::string::npos && slash != std::string::npos;
  return config.String("server", is_link ? topic.substr(0, slash) : "https://ntfy.sh");
}

struct Look {
  std::int64_t priority;
  std::string tags;
};

Look LookOf(const hsw::Config& config, const std::string& severity, std::int64_t priority, std::string_view tags) {
  return {config.Int("priority." + severity, priority), config.String("tags." + severity, tags)};
}

/// Most important first, the transcript last: the end is cut.
std::string TextOf(const hsw::Message& message, std::size_t max_transcript) {
  std::string text;
  auto add = [&text](std::string_view part, std::string_view gap) {
    if (hsw::IsBlank(part)) return;
    if (!text.empty()) text += gap;
    text += part;
  };
  for (const hsw_pair& field : message.Fields()) {
    if (hsw::IsBlank(hsw::View(field.value))) continue;
    add(hsw::Shorten(hsw::View(field.name), kMaxField) + ": " + hsw::Shorten(hsw::View(field.value), kMaxField), "\n");
  }
  add(message.Text(), "\n\n");
  std::string_view gap = "\n\n";
  for (const hsw_pair& link : message.Links()) {
    const auto label = hsw::View(link.name), url = hsw::View(link.value);
    if (!hsw::IsWebUrl(url)) continue;
    add(label.empty() ? std::string(url) : hsw::Shorten(label, kMaxField) + ": " + std::string(url), gap);
    gap = "\n";
  }
  if (max_transcript > 0 && !hsw::IsBlank(message.Transcript()))
    add(hsw::Shorten(message.Transcript(), max_transcript), "\n\n");
  if (text.empty()) text = message.Title();  // ntfy would show an empty message as "triggered"
  return hsw::ShortenBytes(text, kMaxMessageBytes);
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(ServerOf(config)),
        topic_(TopicOf(config.String("topic"))),
        token_(config.String("token")),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 1000))),
        info_(LookOf(config, "info", 3, "information_source")),
        success_(LookOf(config, "success", 3, "white_check_mark")),
        warning_(LookOf(config, "warning", 4, "warning")),
        error_(LookOf(config, "error", 5, "rotating_light")) {
    if (auto problem = hsw::ProblemWithServiceUrl(url_, config.Bool("allow_http"), true); !problem.empty()) {
      throw std::invalid_argument("server " + problem);
    }
    if (!url_.ends_with('/')) url_ += '/';
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    const auto problem = hsw::ProblemWithServiceUrl(ServerOf(config), config.Bool("allow_http"), true);
    if (!problem.empty()) report("/server", "server " + problem);
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    const Look& look = LookFor(message.Severity());
    hsw::JsonWriter json;
    json.BeginObject();
    json.Key("topic").String(topic_);
    json.Key("title").String(hsw::Shorten(message.Title(), kMaxTitle));
    json.Key("message").String(TextOf(message, max_transcript_));
    json.Key("priority").Number(look.priority);
    if (!look.tags.empty()) {
      json.Key("tags").BeginArray();
      std::string_view rest = look.tags;
      while (!rest.empty()) {
        const auto tag = rest.substr(0, rest.find(','));
        json.String(tag);
        rest.remove_prefix(std::min(rest.size(), tag.size() + 1));
      }
      json.EndArray();
    }
    for (const hsw_pair& link : message.Links()) {
      if (!hsw::IsWebUrl(hsw::View(link.value))) continue;
      json.Key("click").String(hsw::View(link.value));
      break;
    }
    json.EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    if (!token_.empty()) request.Header("Authorization", "Bearer " + token_);
    request.Body(json.Text());
  }

  /// Errors are {"code":40301,"http":403,"error":"forbidden",…}; their list is server/errors.go of ntfy.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    if (status >= 200 && status < 300) {
      const auto id = response.Json("/id");
      if (!id) {
        return hsw::Outcome::Misconfigured("not_ntfy", "the server's answer is not one of ntfy", "check server")
            .MaybeDelivered();
      }
      return hsw::Outcome::Delivered().RemoteId(std::string(*id));
    }
    const std::string code(response.Json("/code").value_or(""));
    switch (AboutOf(code)) {
      case About::kAccess:
        return hsw::Outcome::Misconfigured("http_" + std::to_string(status), "ntfy refused access to the topic",
                                           "check token, and that it may write to the topic")
            .OfSink();
      case About::kTopic:
        return hsw::Outcome::Misconfigured("bad_topic", "ntfy does not allow the topic", "choose another topic")
            .OfSink();
      case About::kServer:
        return hsw::Outcome::Misconfigured("http_" + std::to_string(status), "ntfy has nothing at this URL",
                                           "check server: the root URL, without the topic")
            .OfSink();
      case About::kQuota:  // a short retry would be too soon
        return hsw::Outcome::Retry("daily_quota", "ntfy's daily message quota is reached")
            .RetryAfterMs(std::max(response.RetryAfterMs(), kQuotaPauseMs));
      case About::kStatus: break;
    }
    if (status == 413) return hsw::Outcome::Rejected("too_large", "ntfy finds the message too large");
    if (status == 507) {
      // Only for UnifiedPush topics: rejected before it is stored while nobody subscribes.
      return hsw::Outcome::Retry("no_subscriber", "ntfy has no subscriber to charge the message to")
          .RetryAfterMs(response.RetryAfterMs());
    }
    return hsw::FromHttp(response);
  }

 private:
  const Look& LookFor(std::uint32_t severity) const {
    if (severity == HSW_ERROR) return error_;
    if (severity == HSW_WARNING) return warning_;
    return severity == HSW_SUCCESS ? success_ : info_;
  }

  std::string url_, topic_, token_;
  std::size_t max_transcript_;
  Look info_, success_, warning_, error_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["topic"],
  "properties": {
    "server": {"type": "string", "description": "The server's root URL, without the topic. Without it https://ntfy.sh, or the one that topic links to."},
    "topic": {"type": "string", "pattern": "^(https?://[^/ ]{1,255}/)?[-_A-Za-z0-9]{1,64}/?$", "description": "The topic, or a link to it. On an open server whoever knows it can read along."},
    "token": {"type": "string", "x-secret": true, "examples": ["tk_example"], "description": "Access token, for topics that are not open to all."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a server without TLS: for tests and private networks."},
    "priority": {
      "type": "object", "additionalProperties": false, "description": "ntfy's priority, 1 (min) to 5 (max), by severity.",
      "properties": {
        "info": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3},
        "success": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3},
        "warning": {"type": "integer", "minimum": 1, "maximum": 5, "default": 4},
        "error": {"type": "integer", "minimum": 1, "maximum": 5, "default": 5}
      }
    },
    "tags": {
      "type": "object", "additionalProperties": false, "description": "Tags by severity, separated by commas; names of emojis are shown as such. Empty for none.",
      "properties": {
        "info": {"type": "string", "maxLength": 200, "default": "information_source"},
        "success": {"type": "string", "maxLength": 200, "default": "white_check_mark"},
        "warning": {"type": "string", "maxLength": 200, "default": "warning"},
        "error": {"type": "string", "maxLength": 200, "default": "rotating_light"}
      }
    },
    "max_transcript": {"type": "integer", "default": 1000, "minimum": 0, "maximum": 4000, "description": "Characters of the transcript that are shown; 0 leaves it out."}
  }
})";

}  // namespace ntfy

// 60 requests at once, then one per 5 s (docs.ntfy.sh/publish/#limitations).
HSW_HTTP_SINK(ntfy::Sink, "ntfy", "1.0.0", "ntfy: push notifications to phones and desktops", ntfy::kSchema,
              .rate_max = 1, .rate_per_ms = 5000, .rate_burst = 30, .concurrency = 2, .concurrent_calls = true)
