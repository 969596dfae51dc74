#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace discord {

// docs.discord.com, "Embed Limits"; the last is for all texts of an embed together.
constexpr std::size_t kMaxTitle = 256, kMaxDescription = 4096, kMaxFields = 25, kMaxEmbed = 6000;
// Our own limits: fields, text and links together must leave room for some of the transcript.
constexpr std::size_t kMaxFieldName = 100, kMaxFieldValue = 300, kMaxAllFields = 2000, kMaxText = 1500, kMaxLinks = 3,
                      kMaxLinkBytes = 400;
constexpr std::string_view kFence = "```", kTruncated = "\n… (truncated)", kZeroWidthSpace = "\xE2\x80\x8B",
                           kNoBreakSpace = "\xC2\xA0";
constexpr std::uint32_t kBannedPauseMs = 10 * 60 * 1000, kLaterMs = 30 * 1000;
constexpr double kLongestSeconds = 86400;

/// What a rejection is about.
enum class About {
  kMessage,  ///< this message; others may pass
  kWebhook,  ///< the webhook, which is the credential
  kThread,   ///< the channel or thread of all of the sink's messages
  kName,     ///< the name from the config
  kLater,    ///< temporary: the same may pass later
  kStatus,   ///< decided by the HTTP status
};

struct Refusal {
  std::string_view code;
  About about;
};

// Discord's JSON error codes (docs.discord.com, "Opcodes and Status Codes").
constexpr std::array kRefusals = {
    Refusal{"10003", About::kThread},    // unknown channel
    Refusal{"10015", About::kWebhook},   // unknown webhook
    Refusal{"50027", About::kWebhook},   // invalid webhook token
    Refusal{"50008", About::kThread},    // no messages in this kind of channel
    Refusal{"50024", About::kThread},    // cannot do that in this kind of channel
    Refusal{"50083", About::kThread},    // the thread is archived
    Refusal{"160005", About::kThread},   // the thread is locked
    Refusal{"160006", About::kThread},   // no more active threads
    Refusal{"220001", About::kThread},   // a forum needs a thread
    Refusal{"220002", About::kThread},   // a thread's name and id
    Refusal{"220003", About::kThread},   // a thread's name outside of a forum
    Refusal{"220004", About::kThread},   // no such webhook in a forum
    Refusal{"20016", About::kLater},     // slow mode
    Refusal{"20028", About::kLater},     // the channel's write limit
    Refusal{"20029", About::kLater},     // the server's write limit
    Refusal{"40004", About::kLater},     // sending is switched off for a while
    Refusal{"40062", About::kLater},     // the service's limit
    Refusal{"130000", About::kLater},    // overloaded
    Refusal{"40005", About::kMessage},   // too large
    Refusal{"50006", About::kMessage},   // empty
    Refusal{"200000", About::kMessage},  // AutoMod blocked the text
    Refusal{"200001", About::kMessage},  // AutoMod blocked the title
    Refusal{"240000", About::kMessage},  // a link that Discord considers harmful
};

About AboutOf(std::string_view code, const hsw::Response& response) {
  for (const Refusal& refusal : kRefusals) {
    if (refusal.code == code) return refusal.about;
  }
  if (response.Status() != 400) return About::kStatus;
  // 50035, "Invalid Form Body", names the invalid field.
  if (response.Json("/errors/thread_id")) return About::kThread;
  return response.Json("/errors/username") ? About::kName : About::kMessage;
}

std::uint32_t ColorOf(std::uint32_t severity) {
  if (severity == HSW_ERROR) return 0xD92D20;
  if (severity == HSW_WARNING) return 0xF79009;
  return severity == HSW_SUCCESS ? 0x12B76A : 0x667085;
}

/// Discord shows ASCII punctuation after a backslash literally. "https:\//" is not a link.
void Escape(std::string_view code_point, const hsw::TextSpot& spot, std::string& out) {
  const char c = code_point[0];
  if (spot.first_of_line && (c == ' ' || c == '\t')) {
    out += kNoBreakSpace;
    return;
  }
  const bool markup = std::string_view("\\*_~`|>[]()<@").find(c) != std::string_view::npos;
  const bool in_url = c == '/' && out.ends_with(':');
  if (markup || hsw::BeginsBlock(c, spot) || in_url) out += '\\';
  out += code_point;
}

std::string Plain(std::string_view text, std::size_t most) {
  return hsw::Escaped(text, most, "…", Escape);
}

std::string CodeBlock(std::string_view text, std::size_t most) {
  // A code block has no escapes: no two backticks may be adjacent, nor one to the fence.
  bool after_backtick = false;
  auto body = hsw::Escaped(text, most - 2 * kFence.size() - 2, kTruncated,
                           [&](std::string_view code_point, bool, std::string& out) {
                             if (after_backtick && code_point == "`") out += kZeroWidthSpace;
                             out += code_point;
                             after_backtick = code_point == "`";
                           });
  std::string out(kFence);
  out.append("\n").append(body);
  if (body.ends_with('`')) out += kZeroWidthSpace;
  return out.append(kFence);
}

/// `url` with the API version this sink is written for. Without one Discord uses the oldest, which states waits in
/// milliseconds (docs.discord.com, "API Versioning"). Other servers' URLs stay unchanged.
std::string Versioned(std::string url) {
  constexpr std::string_view kVersion = "v10/";
  std::string_view host(url);
  host = host.substr(std::min(host.find("://") + 3, host.size()));
  host = host.substr(0, host.find_first_of(":/"));
  const bool is_discord = host == "discord.com" || host.ends_with(".discord.com") || host == "discordapp.com" ||
                          host.ends_with(".discordapp.com");
  constexpr std::string_view kApi = "/api/";
  const auto api = url.find(kApi);
  if (!is_discord || api == std::string::npos) return url;
  const auto at = api + kApi.size(), webhooks = url.find("webhooks/", at);
  const std::string_view between = std::string_view(url).substr(at, webhooks - at);
  const bool has_version = between.size() > 2 && between.starts_with('v') && between.ends_with('/') &&
                           between.find_first_not_of("0123456789", 1) == between.size() - 1;
  if (webhooks == std::string::npos || (!between.empty() && !has_version)) return url;
  return url.replace(at, between.size(), kVersion);
}

std::string ProblemWith(const hsw::Config& config) {
  const auto url = config.String("webhook_url");
  if (auto problem = hsw::ProblemWithServiceUrl(url, config.Bool("allow_http")); !problem.empty()) return problem;
  if (url.find("/webhooks/") == std::string::npos) {
    return "is not a webhook URL: it looks like https://discord.com/api/webhooks/…/…; copy it from the channel's "
           "settings > Integrations > Webhooks";
  }
  if (url.find_first_of("?#") != std::string::npos) return "must not have a query; a thread is named by thread_id";
  if (url.ends_with("/slack") || url.ends_with("/github")) {
    return "must be without /slack or /github at its end: this sink speaks Discord's own format";
  }
  return {};
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(Versioned(config.String("webhook_url")) + "?wait=true"),
        username_(config.String("username")),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 3000))) {
    if (auto problem = ProblemWith(config); !problem.empty()) throw std::invalid_argument("webhook_url " + problem);
    if (const auto thread = config.String("thread_id"); !thread.empty()) url_ += "&thread_id=" + thread;
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = ProblemWith(config); !problem.empty()) report("/webhook_url", "webhook_url " + problem);
    std::string name = config.String("username");
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const char* word : {"clyde", "discord"}) {
      if (name.find(word) != std::string::npos) {
        report("/username", "username must not contain \"" + std::string(word) + "\": Discord refuses it");
      }
    }
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    hsw::JsonWriter json;
    json.BeginObject();
    if (!username_.empty()) json.Key("username").String(username_);
    json.Key("allowed_mentions").BeginObject().Key("parse").BeginArray().EndArray().EndObject();
    json.Key("embeds").BeginArray().BeginObject();
    const std::string title = Plain(message.Title(), kMaxTitle);
    json.Key("title").String(title);
    json.Key("color").Number(ColorOf(message.Severity()));
    std::size_t used = hsw::Utf16Units(title);
    used += WriteFields(message, json);
    const auto description = Description(message, std::min(kMaxDescription, kMaxEmbed - used));
    if (!description.empty()) json.Key("description").String(description);
    if (const auto at = message.AtUnixMs()) {
      if (const auto time = hsw::Rfc3339(*at); !time.empty()) json.Key("timestamp").String(time);
    }
    json.EndObject().EndArray().EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Body(json.Text());
  }

  /// Errors are {"code":50035,"message":"Invalid Form Body","errors":{…}}.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    const auto id = response.Json("/id");
    if (status >= 200 && status < 300) {
      if (status == 204) return hsw::Outcome::Delivered();
      if (id) return hsw::Outcome::Delivered().RemoteId(std::string(*id));
      return hsw::Outcome::Misconfigured("not_discord", "the server's answer is not one of Discord",
                                         "check webhook_url")
          .MaybeDelivered();
    }
    if (status == 429) return Limited(response);
    if (status >= 500) return hsw::FromHttp(response);
    const auto code = response.Json("/code");
    const About about = AboutOf(code.value_or(""), response);
    switch (about) {
      case About::kWebhook:
        return hsw::Outcome::Misconfigured(code == "10015" ? "unknown_webhook" : "invalid_webhook_token",
                                           "Discord does not know the webhook: it was deleted or its URL is wrong",
                                           "make a new webhook and put its URL into webhook_url")
            .OfSink();
      case About::kThread:
        return hsw::Outcome::Misconfigured(
                   "bad_thread", "Discord cannot post into this channel or thread: " + Said(response),
                   "check thread_id; a forum's webhook needs one, and the thread must not be archived")
            .OfSink();
      case About::kName:
        return hsw::Outcome::Misconfigured("bad_username", "Discord does not take the name: " + Said(response),
                                           "check username")
            .OfSink();
      case About::kLater:
        return hsw::Outcome::Retry("discord_" + std::string(*code), "Discord takes no more for now: " + Said(response))
            .RetryAfterMs(response.RetryAfterMs() ? response.RetryAfterMs() : kLaterMs);
      case About::kMessage: {
        const bool is_number = code && code->find_first_not_of("0123456789") == std::string_view::npos;
        return hsw::Outcome::Rejected(is_number ? "discord_" + std::string(*code) : "http_400",
                                      "Discord finds the message invalid: " + Said(response));
      }
      case About::kStatus: break;
    }
    auto outcome = hsw::FromHttp(response);
    // With a code the response is from Discord, not from a firewall in front of it.
    if (code && status == 403) outcome.OfSink();
    return outcome;
  }

 private:
  static std::string Said(const hsw::Response& response) {
    const auto message = response.Json("/message");
    const auto errors = response.Json("/errors");
    std::string said(message.value_or("it does not say why"));
    if (errors) said.append(" ").append(*errors);
    return said;
  }

  static double NumberOf(std::string_view text) {
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number > 0 ? number : 0;
  }

  /// The body states the wait in fractional seconds; a response without a body is from the proxy in front of Discord,
  /// which blocks this address for a while after too many bad requests.
  static hsw::Outcome Limited(const hsw::Response& response) {
    const auto wait = response.Json("/retry_after");
    if (!wait) {
      return hsw::Outcome::Retry("address_limited", "Discord takes nothing from this address for a while")
          .RetryAfterMs(response.RetryAfterMs() ? response.RetryAfterMs() : kBannedPauseMs);
    }
    // This header is in seconds in every API version; values in milliseconds are a thousand times larger.
    const double reset = NumberOf(response.Header("X-RateLimit-Reset-After"));
    const auto is_ms = [reset](double said) { return reset > 0 && said > 100 * reset; };
    const double said = NumberOf(*wait), header_ms = response.RetryAfterMs();
    double ms = is_ms(said) ? said : said * 1000;
    if (said > kLongestSeconds && !is_ms(said)) ms = 0;  // not a plausible wait; the header may have one
    ms = std::max(ms, is_ms(header_ms / 1000) ? header_ms / 1000 : header_ms);
    return hsw::Outcome::Retry("http_429", "Discord asks to wait")
        .RetryAfterMs(static_cast<std::uint32_t>(std::ceil(ms)));
  }

  static std::size_t WriteFields(const hsw::Message& message, hsw::JsonWriter& json) {
    std::size_t used = 0, count = 0;
    json.Key("fields").BeginArray();
    for (const hsw_pair& field : message.Fields()) {
      const auto name = Plain(hsw::View(field.name), kMaxFieldName);
      const auto value = Plain(hsw::View(field.value), kMaxFieldValue);
      const std::size_t units = hsw::Utf16Units(name) + hsw::Utf16Units(value);
      if (hsw::IsBlank(name) || hsw::IsBlank(value)) continue;
      if (count == kMaxFields || used + units > kMaxAllFields) break;
      json.BeginObject().Key("name").String(name);
      json.Key("value").String(value).Key("inline").Bool(true).EndObject();
      used += units;
      ++count;
    }
    json.EndArray();
    return used;
  }

  std::string Description(const hsw::Message& message, std::size_t most) const {
    std::string out;
    if (!hsw::IsBlank(message.Text())) out = Plain(message.Text(), kMaxText);
    std::string links;
    for (const hsw::WebLink& link : hsw::WebLinks(message, kMaxLinks, kMaxLinkBytes)) {
      const auto label = Plain(link.label, 80);
      if (!links.empty()) links += " · ";
      links.append("[").append(hsw::IsBlank(label) ? "link" : label).append("](").append(link.url).append(")");
    }
    if (!links.empty()) out.append(out.empty() ? "" : "\n\n").append(links);
    if (max_transcript_ == 0 || hsw::IsBlank(message.Transcript())) return out;
    if (!out.empty()) out += "\n";
    const auto shown = hsw::Shorten(message.Transcript(), max_transcript_, kTruncated);
    return out.append(CodeBlock(shown, most - hsw::Utf16Units(out)));
  }

  std::string url_, username_;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["webhook_url"],
  "properties": {
    "webhook_url": {"type": "string", "x-secret": true, "examples": ["https://discord.com/api/webhooks/1/example"], "description": "The webhook's URL, https://discord.com/api/webhooks/…/…; who knows it can post."},
    "username": {"type": "string", "minLength": 1, "maxLength": 80, "description": "The name shown instead of the webhook's."},
    "thread_id": {"type": "string", "pattern": "^[0-9]{1,20}$", "description": "Posts into this thread of the channel; a forum channel needs one."},
    "max_transcript": {"type": "integer", "default": 3000, "minimum": 0, "maximum": 4000, "description": "Characters of the transcript that are shown, as far as Discord's limits leave room; 0 leaves it out."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests and private networks."}
  }
})";

}  // namespace discord

// Discord states its limits only in responses; five in two seconds is usual for webhooks.
HSW_HTTP_SINK(discord::Sink, "discord", "1.0.0", "Discord: webhooks of channels, threads and forums", discord::kSchema,
              .rate_max = 5, .rate_per_ms = 2000, .rate_burst = 5, .concurrency = 2, .concurrent_calls = true)
