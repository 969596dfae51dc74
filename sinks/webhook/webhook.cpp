#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "body_template.h"
#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"
#include "signature.h"

namespace webhook {

std::string_view Word(std::uint32_t severity) {
  if (severity == HSW_ERROR) return "error";
  if (severity == HSW_WARNING) return "warning";
  return severity == HSW_SUCCESS ? "success" : "info";
}

std::string MessageJson(const hsw::Message& message) {
  hsw::JsonWriter json;
  auto pairs = [&json](std::string_view key, std::span<const hsw_pair> list, const char* name, const char* value) {
    json.Key(key).BeginArray();
    for (const hsw_pair& pair : list) {
      json.BeginObject();
      json.Key(name).String(hsw::View(pair.name)).Key(value).String(hsw::View(pair.value));
      json.EndObject();
    }
    json.EndArray();
  };
  json.BeginObject();
  json.Key("title").String(message.Title());
  json.Key("severity").String(Word(message.Severity()));
  pairs("fields", message.Fields(), "name", "value");
  json.Key("text").String(message.Text());
  json.Key("transcript").String(message.Transcript());
  pairs("links", message.Links(), "label", "url");
  json.Key("at_unix_ms");
  if (const auto at = message.AtUnixMs()) {
    json.Number(*at);
  } else {
    json.Null();
  }
  json.EndObject();
  return std::move(json).Text();
}

/// Converts "data.items[0].code" to the JSON pointer "/data/items/0/code" (RFC 6901); returns pointers and ""
/// unchanged.
std::string PointerOf(std::string_view path) {
  if (path.empty() || path.starts_with('/')) return std::string(path);
  std::string pointer = "/";
  for (const char c : path) {
    if (c == '.' || c == '[') {
      pointer += '/';
    } else if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else if (c != ']') {
      pointer += c;
    }
  }
  return pointer;
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : tools_(config.Tools()),
        url_(config.String("url")),
        method_(config.String("method", "POST")),
        body_(config.String("body", "event")),
        allow_private_(config.Bool("allow_private")) {
    if (auto problem = hsw::ProblemWithServiceUrl(url_, config.Bool("allow_http")); !problem.empty()) {
      throw std::invalid_argument("url " + problem);
    }
    for (int i = 0; const auto secret = config.Find("signing_secrets." + std::to_string(i)); ++i) {
      auto key = KeyOf(*secret, tools_);
      if (!key) throw std::invalid_argument("a signing secret is none: whsec_ and base64 of 24 to 64 bytes");
      keys_.push_back(std::move(*key));
    }
    for (const char* key : {"headers", "secret_headers"}) {
      for (const auto& [name, value] : HeadersOf(config, key)) headers_.emplace_back(name, value);
    }
    success_path_ = config.String("success.path");
    success_at_ = PointerOf(success_path_);
    success_is_ = config.String("success.is");
    if (body_ == "template") template_ = TemplateOf(config);
    if (body_ == "template" && !template_) throw std::invalid_argument("template is missing");
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    const auto problem = hsw::ProblemWithServiceUrl(config.String("url"), config.Bool("allow_http"));
    if (!problem.empty()) report("/url", "url " + problem);
    const auto pattern = TemplateOf(config);
    const bool wanted = config.String("body") == "template";
    if (wanted && !pattern) report("/body", "body: template needs template, the JSON to send");
    if (!wanted && pattern) report("/template", "template needs body: template");
    if (pattern) {
      pattern->Check([&](const std::string& pointer, const std::string& problem) {
        report("/template" + pointer, "template " + problem);
      });
    }
    for (const char* key : {"headers", "secret_headers"}) {
      for (const auto& [name, value] : HeadersOf(config, key)) {
        if (const auto why = ProblemWithOwnHeader(name); !why.empty()) {
          report('/' + std::string(key) + '/' + Escaped(name), "the header " + std::string(name) + ' ' + why);
        }
      }
    }
    for (int i = 0; const auto secret = config.Find("signing_secrets." + std::to_string(i)); ++i) {
      if (!KeyOf(*secret, config.Tools())) {
        report("/signing_secrets/" + std::to_string(i),
               "a signing secret is whsec_ and base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)");
      }
    }
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    request.Method(method_);
    request.Url(url_);
    if (!allow_private_) request.PublicOnly();
    request.Header("Content-Type", "application/json");
    for (const auto& [name, value] : headers_) request.Header(name, value);
    const std::string made = body_ == "message" ? MessageJson(delivery.Message())
                             : template_        ? template_->Fill(delivery)
                                                : std::string();
    const auto body = body_ == "event" ? delivery.EventJson() : body_ == "raw" ? Raw(delivery) : std::string_view(made);
    request.Body(body);
    // Event ids are unique to us; delivery ids start over with a new journal.
    const std::string id = std::string(hsw::View(delivery.Event().id)) + "-" + std::string(delivery.Id());
    const std::string timestamp = std::to_string(delivery.NowUnixMs() / 1000);
    request.Header("webhook-id", id);
    request.Header("webhook-timestamp", timestamp);
    std::string signatures;
    for (const auto& key : keys_) {
      signatures.append(signatures.empty() ? "" : " ").append(Sign(key, id, timestamp, body, tools_));
    }
    if (!signatures.empty()) request.Header("webhook-signature", signatures);
  }

  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    if (status >= 200 && status < 300 && !success_at_.empty()) return ByBody(response);
    // The receiver has unsubscribed (Standard Webhooks, "Receiving webhooks").
    if (status == 410) {
      return hsw::Outcome::Misconfigured("gone", "the receiver wants no more of these",
                                         "remove the sink, or correct url and resume it")
          .OfSink();
    }
    if (status == 405) {
      return hsw::Outcome::Misconfigured("http_405", "the receiver does not take " + method_, "check url and method")
          .OfSink();
    }
    return hsw::FromHttp(response);
  }

 private:
  /// Services that always respond 200 state the result in the body: {"errcode":310000} from DingTalk, Feishu, WeCom.
  /// The codes differ per service and may concern the message, the credential or the rate.
  hsw::Outcome ByBody(const hsw::Response& response) const {
    const auto value = response.Json(success_at_);
    if (value == success_is_) return hsw::Outcome::Delivered();
    const std::string said = value              ? "is " + std::string(hsw::CutBytes(*value, 100))
                             : response.IsCut() ? "was not looked for, since the answer is longer than what is read,"
                                                : "is not there";
    auto outcome = hsw::Outcome::Misconfigured(
        "not_a_success",
        "the receiver's answer is no success: " + success_path_ + " " + said + " where it must be " + success_is_,
        "look the value up in the receiver's documentation, and check success");
    if (!value) outcome.MaybeDelivered();
    return outcome;
  }

  static std::string_view Raw(const hsw::Delivery& delivery) {
    const auto raw = delivery.RawBody();
    if (!raw) throw std::runtime_error("the event's body cannot be read now");
    return *raw;
  }

  static std::optional<BodyTemplate> TemplateOf(const hsw::Config& config) {
    const auto text = config.Json();
    boost::system::error_code failed;
    boost::json::parse_options deep;
    deep.max_depth = 100;  // a config may have 64; 32 otherwise
    auto all = boost::json::parse(boost::json::string_view(text.data(), text.size()), failed, {}, deep);
    auto* object = failed ? nullptr : all.if_object();
    auto* pattern = object ? object->if_contains("template") : nullptr;
    if (!pattern || pattern->is_null()) return std::nullopt;
    return BodyTemplate(std::move(*pattern));
  }

  static std::vector<std::pair<std::string_view, std::string_view>> HeadersOf(const hsw::Config& config,
                                                                              const std::string& key) {
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    for (const hsw_pair& pair : config.Values()) {
      const auto name = hsw::View(pair.name);
      if (name.starts_with(key + ".")) headers.emplace_back(name.substr(key.size() + 1), hsw::View(pair.value));
    }
    return headers;
  }

  /// Why a header from the config is invalid, or "".
  static std::string ProblemWithOwnHeader(std::string_view name) {
    for (const std::string_view ours : {"Content-Type", "webhook-id", "webhook-timestamp", "webhook-signature"}) {
      if (hsw::EqualsIgnoreCase(name, ours)) return "is set by the sink";
    }
    return hsw::ProblemWithHeader(name);
  }

  hsw::Tools tools_;
  std::string url_, method_, body_, success_path_, success_at_, success_is_;
  bool allow_private_;
  std::optional<BodyTemplate> template_;
  std::vector<std::string> keys_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["url"],
  "properties": {
    "url": {"type": "string", "x-secret": true, "examples": ["https://example.com/in"], "description": "Where to; it may hold a token, so it is never shown whole."},
    "method": {"type": "string", "enum": ["POST", "PUT", "PATCH"], "default": "POST"},
    "body": {"type": "string", "enum": ["event", "raw", "message", "template"], "default": "event", "description": "event: the normalized event; raw: what the platform posted, byte for byte; message: title, fields, text, links and transcript, as JSON; template: what template says."},
    "template": {"anyOf": [{"type": "object"}, {"type": "array"}], "description": "With body: template: the JSON to send. {{names}} in its texts become values of the event: {{agent.name}}, {{message.title}}."},
    "signing_secrets": {"type": "array", "items": {"type": "string", "x-secret": true, "examples": ["whsec_ZXhhbXBsZWV4YW1wbGVleGFtcGxlZXhhbXBsZQ=="]}, "description": "Signs as Standard Webhooks do: whsec_ and base64 of 24 to 64 bytes. Each of them signs, so that a receiver can change from one to the next."},
    "headers": {"type": "object", "additionalProperties": false, "description": "Further headers.", "patternProperties": {"^[!#$%&'*+.^_`|~0-9A-Za-z-]*([Aa][Uu][Tt][Hh]|[Cc][Oo][Oo][Kk][Ii][Ee]|[Kk][Ee][Yy]|[Pp][Aa][Ss][Ss]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn])[!#$%&'*+.^_`|~0-9A-Za-z-]*$": {"type": "string", "x-secret": true, "pattern": "^[ -~]*$", "examples": ["example-secret"]}, "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$": {"type": "string", "pattern": "^[ -~]*$"}}},
    "secret_headers": {"type": "object", "additionalProperties": false, "description": "Further headers that are never shown: Authorization, for example.", "patternProperties": {"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$": {"type": "string", "x-secret": true, "examples": ["example-secret"], "pattern": "^[ -~]*$"}}},
    "success": {"type": "object", "additionalProperties": false, "required": ["path", "is"], "description": "For receivers that answer 200 to everything: the value at path of the JSON answer must be is.", "properties": {
      "path": {"type": "string", "minLength": 1, "maxLength": 200, "description": "errcode, data.code, results[0].ok, or a JSON pointer."},
      "is": {"description": "A text, a number, true or false.", "anyOf": [{"type": "boolean"}, {"type": "number"}, {"type": "string"}]}
    }},
    "allow_private": {"type": "boolean", "default": false, "description": "Send also to loopback, private and link-local addresses, and through the environment's proxy."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests and private networks."}
  }
})";

}  // namespace webhook

HSW_HTTP_SINK(webhook::Sink, "webhook", "1.1.0", "Any URL: the event as JSON, signed as Standard Webhooks are",
              webhook::kSchema, .concurrency = 8, .concurrent_calls = true)
