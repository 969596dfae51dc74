#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace telegram {

// core.telegram.org/bots/api#sendmessage: "1-4096 characters after entities parsing", in UTF-16 units; tags and URLs of
// links do not count.
constexpr std::size_t kMaxMessage = 4096;
// Our own limit: leaves room for some of the transcript.
constexpr std::size_t kMaxTitle = 250, kMaxFieldName = 100, kMaxFieldValue = 300, kMaxAllFields = 1200, kMaxText = 1200,
                      kMaxLinks = 3, kMaxLabel = 80, kMaxLinkBytes = 400;
constexpr std::string_view kTruncated = "\n… (truncated)", kZeroWidthSpace = "\xE2\x80\x8B";

// What a 400 is about, matched in any case. The texts are from telegram-bot-api (Client.cpp) or, in capitals, from
// core.telegram.org/method/messages.sendMessage. Besides the text a request only has the chat and its topic, so an
// error in neither list is about these, or new.
constexpr std::array<std::string_view, 16> kAboutMessage = {
    "can't parse",      "message text is empty",  "must be non-empty",  "message is too long",
    "message_too_long", "message_empty",          "must be encoded",    "entity_",
    "entities_",        "unsupported parse_mode", "url_invalid",        "wrong http url",
    "object expected",  "message to be replied",  "message_id_invalid", "text is too long"};
constexpr std::array<std::string_view, 27> kAboutChat = {
    "chat not found",  "chat_id",         "chat id",         "thread not found", "topic",          "not a forum",
    "rights",          "administrator",   "member",          "deactivated",      "migrated",       "upgraded",
    "blocked",         "kicked",          "restricted",      "forbidden",        "admin_required", "banned",
    "channel_private", "channel_invalid", "peer_id_invalid", "user_id_invalid",  "user not found", "privacy",
    "payment",         "username",        "write_"};

bool Holds(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

template <class Words>
bool IsAny(std::string_view text, const Words& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return Holds(text, word); });
}

/// The chat from a copied link: https://t.me/c/1234567890/5 for a private group, https://t.me/name for a public chat.
/// Returns other texts unchanged.
std::string ChatOf(std::string chat) {
  constexpr std::string_view kLink = "https://t.me/", kPrivate = "c/";
  if (!chat.starts_with(kLink)) return chat;
  std::string_view rest = std::string_view(chat).substr(kLink.size());
  const bool is_private = rest.starts_with(kPrivate);
  if (is_private) rest.remove_prefix(kPrivate.size());
  return (is_private ? "-100" : "@") + std::string(rest.substr(0, rest.find('/')));
}

/// A text under construction and its length as Telegram counts it.
struct Html {
  std::string text;
  std::size_t units = 0;

  void Tag(std::string_view tag) { text += tag; }
  /// `plain` must be cleaned and cut.
  void Add(std::string_view plain) {
    units += hsw::Utf16Units(plain);
    for (const char c : plain) {
      if (c == '&') {
        text += "&amp;";
      } else if (c == '<') {
        text += "&lt;";
      } else if (c == '>') {
        text += "&gt;";
      } else {
        text += c;
      }
    }
  }
};

/// Cleaned, cut, and without mentions: Telegram notifies any @name, in every parse mode.
std::string Plain(std::string_view text, std::size_t units) {
  return hsw::Escaped(text, units, "…", [](std::string_view code_point, bool, std::string& out) {
    out += code_point;
    if (code_point == "@") out += kZeroWidthSpace;
  });
}

/// A code block has no mentions.
std::string Verbatim(std::string_view text, std::size_t units) {
  return hsw::Escaped(text, units, kTruncated,
                      [](std::string_view code_point, bool, std::string& out) { out += code_point; });
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(config.String("server", "https://api.telegram.org")),
        chat_id_(ChatOf(config.String("chat_id"))),
        topic_id_(config.Int("topic_id")),
        thread_by_call_(config.String("thread") == "call"),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 3000))) {
    if (auto problem = ProblemWith(config); !problem.empty()) throw std::invalid_argument("server " + problem);
    if (url_.ends_with('/')) url_.pop_back();
    url_ += "/bot" + config.String("token") + "/sendMessage";
    for (int i = 0; const auto severity = config.Find("silent." + std::to_string(i)); ++i) {
      silent_ |= 1U << SeverityOf(*severity);
    }
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = ProblemWith(config); !problem.empty()) report("/server", "server " + problem);
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    hsw::JsonWriter json;
    json.BeginObject();
    json.Key("chat_id").String(chat_id_);
    if (topic_id_ > 0) json.Key("message_thread_id").Number(topic_id_);
    json.Key("text").String(TextOf(message));
    json.Key("parse_mode").String("HTML");
    json.Key("link_preview_options").BeginObject().Key("is_disabled").Bool(true).EndObject();
    if (silent_ >> message.Severity() & 1U) json.Key("disable_notification").Bool(true);
    if (thread_by_call_ && !delivery.Memory().empty()) {
      json.Key("reply_parameters").BeginObject();
      json.Key("message_id").Raw(delivery.Memory());
      json.Key("allow_sending_without_reply").Bool(true).EndObject();
    }
    json.EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Body(json.Text());
  }

  /// Errors are {"ok":false,"error_code":400,"description":"Bad Request: …","parameters":{…}}.
  hsw::Outcome Interpret(const hsw::Delivery& delivery, const hsw::Response& response) const {
    const int status = response.Status();
    if (status >= 200 && status < 300) {
      const auto id = response.Json("/result/message_id");
      if (!id) {
        return hsw::Outcome::Misconfigured("not_telegram", "the server's answer is not one of Telegram", "check server")
            .MaybeDelivered();
      }
      auto outcome = hsw::Outcome::Delivered().RemoteId(std::string(*id));
      const bool number = id->find_first_not_of("0123456789") == std::string_view::npos;
      if (thread_by_call_ && delivery.Memory().empty() && number) outcome.Memory(std::string(*id));
      return outcome;
    }
    if (status >= 500) return hsw::FromHttp(response);
    if (status == 429) {
      std::uint32_t seconds = 0;
      if (const auto wait = response.Json("/parameters/retry_after")) {
        std::from_chars(wait->data(), wait->data() + wait->size(), seconds);
      }
      return hsw::Outcome::Retry("http_429", "Telegram asks to wait")
          .RetryAfterMs(std::max(response.RetryAfterMs(), std::min(seconds, 86400U) * 1000));
    }
    if (const auto to = response.Json("/parameters/migrate_to_chat_id")) {
      return hsw::Outcome::Misconfigured("chat_migrated", "the group has become a supergroup with another id",
                                         "set chat_id to " + std::string(*to))
          .OfSink();
    }
    const auto description = response.Json("/description");
    const std::string why(description.value_or("it does not say why"));
    if (status == 401 || (status == 404 && description)) {  // 404: unknown path, which contains the token
      return hsw::Outcome::Misconfigured("bad_token", "Telegram does not know the bot",
                                         "check token: the one that @BotFather gave")
          .OfSink();
    }
    if (status == 403 && description) {
      return hsw::Outcome::Misconfigured("forbidden", "the bot may not write into the chat: " + why,
                                         "add the bot to the chat again, or let the user start it")
          .OfSink();
    }
    if (status == 400 && description) {
      if (IsAny(why, kAboutMessage)) {
        return hsw::Outcome::Rejected("http_400", "Telegram finds the message invalid: " + why);
      }
      auto outcome =
          hsw::Outcome::Misconfigured("bad_chat", "Telegram cannot post into the chat: " + why,
                                      "check chat_id and topic_id, and that the bot is a member that may write");
      if (IsAny(why, kAboutChat)) outcome.OfSink();
      return outcome;
    }
    return hsw::FromHttp(response);
  }

 private:
  static std::string ProblemWith(const hsw::Config& config) {
    return hsw::ProblemWithServiceUrl(config.String("server", "https://api.telegram.org"), config.Bool("allow_http"),
                                      true);
  }

  static std::uint32_t SeverityOf(std::string_view name) {
    if (name == "error") return HSW_ERROR;
    if (name == "warning") return HSW_WARNING;
    return name == "success" ? HSW_SUCCESS : HSW_INFO;
  }

  std::string TextOf(const hsw::Message& message) const {
    Html html;
    html.Tag("<b>");
    html.Add(Plain(message.Title(), kMaxTitle));
    html.Tag("</b>");
    std::size_t fields = 0;
    for (const hsw_pair& field : message.Fields()) {
      const auto name = Plain(hsw::View(field.name), kMaxFieldName);
      const auto value = Plain(hsw::View(field.value), kMaxFieldValue);
      if (hsw::IsBlank(name) || hsw::IsBlank(value)) continue;
      fields += hsw::Utf16Units(name) + hsw::Utf16Units(value) + 3;
      if (fields > kMaxAllFields) break;
      html.Add("\n");
      html.Tag("<b>");
      html.Add(name);
      html.Tag("</b>");
      html.Add(": " + value);
    }
    if (!hsw::IsBlank(message.Text())) html.Add("\n\n" + Plain(message.Text(), kMaxText));
    bool first = true;
    for (const hsw::WebLink& link : hsw::WebLinks(message, kMaxLinks, kMaxLinkBytes)) {
      html.Add(std::exchange(first, false) ? "\n\n" : " · ");
      html.Tag("<a href=\"");
      for (const char c : link.url) html.Tag(c == '&' ? std::string_view("&amp;") : std::string_view(&c, 1));
      html.Tag("\">");
      const auto label = Plain(link.label, kMaxLabel);
      html.Add(hsw::IsBlank(label) ? "link" : label);
      html.Tag("</a>");
    }
    if (max_transcript_ > 0 && !hsw::IsBlank(message.Transcript())) {
      html.Add("\n\n");
      html.Tag("<pre>");
      html.Add(Verbatim(hsw::Shorten(message.Transcript(), max_transcript_, kTruncated), kMaxMessage - html.units));
      html.Tag("</pre>");
    }
    return std::move(html.text);
  }

  std::string url_, chat_id_;
  std::int64_t topic_id_;
  bool thread_by_call_;
  std::uint32_t silent_ = 0;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["token", "chat_id"],
  "properties": {
    "token": {"type": "string", "x-secret": true, "pattern": "^[0-9]{3,20}:[-_A-Za-z0-9]{20,80}$", "examples": ["123456:exampleexampleexample"], "description": "The bot's token, as @BotFather gives it: 123456:ABC…"},
    "chat_id": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,32}|https://t\\.me/(c/[0-9]{1,20}|[A-Za-z0-9_]{4,32})(/[0-9]+){0,2}/?)$"}], "description": "The chat: its number (groups: negative), a public channel's @name, in quotes, or a link to it, https://t.me/…"},
    "topic_id": {"type": "integer", "minimum": 1, "description": "Posts into this topic of a forum group."},
    "thread": {"type": "string", "enum": ["none", "call"], "default": "none", "description": "call: later messages of a call reply to its first."},
    "silent": {"type": "array", "items": {"type": "string", "enum": ["info", "success", "warning", "error"]}, "description": "Severities that arrive without a sound."},
    "max_transcript": {"type": "integer", "default": 3000, "minimum": 0, "maximum": 4000, "description": "Characters of the transcript that are shown, as far as Telegram's 4096 leave room; 0 leaves it out."},
    "server": {"type": "string", "default": "https://api.telegram.org", "description": "The Bot API's root URL, for a server of your own."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a server without TLS: for tests and private networks."}
  }
})";

}  // namespace telegram

// 20 messages per minute to a group, one per second to a chat (core.telegram.org/bots/faq).
HSW_HTTP_SINK(telegram::Sink, "telegram", "1.0.0", "Telegram: chats, groups, topics and channels by a bot",
              telegram::kSchema, .rate_max = 1, .rate_per_ms = 3000, .rate_burst = 5, .concurrency = 1,
              .concurrent_calls = true)
