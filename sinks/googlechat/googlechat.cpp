#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace googlechat {

// A message has at most 32,000 bytes, cards included. Our own limits keep a text of three-byte characters below that.
constexpr std::size_t kMaxTitle = 200, kMaxFieldName = 100, kMaxFieldValue = 300, kMaxAllFields = 2000, kMaxText = 2000,
                      kMaxLinks = 3, kMaxLabel = 40, kMaxLinkBytes = 400, kMaxTranscript = 3500;
constexpr std::string_view kTruncated = "\n… (truncated)";

/// What a rejection is about. The webhook's URL names the space and is the credential.
enum class About { kMessage, kWebhook, kSpace, kLater, kStatus };

struct Refusal {
  std::string_view status;
  About about;
};

// google.rpc.Code, as `error.status`. For others the HTTP status is as precise.
constexpr std::array kRefusals = {
    Refusal{"INVALID_ARGUMENT", About::kMessage},   // 400
    Refusal{"OUT_OF_RANGE", About::kMessage},       // 400
    Refusal{"FAILED_PRECONDITION", About::kSpace},  // 400: the space, or this message in it
    Refusal{"UNAUTHENTICATED", About::kWebhook},    // 401
    Refusal{"PERMISSION_DENIED", About::kWebhook},  // 403: also if apps are disabled in the space
    Refusal{"NOT_FOUND", About::kWebhook},          // 404: the webhook or the space was deleted
    Refusal{"ABORTED", About::kLater},              // 409
    Refusal{"CANCELLED", About::kLater},            // 499
};

About AboutOf(std::string_view status) {
  for (const Refusal& refusal : kRefusals) {
    if (refusal.status == status) return refusal.about;
  }
  return About::kStatus;
}

hsw::Outcome Refused(const std::string& code, const std::string& why) {
  return hsw::Outcome::Misconfigured(
      code, "Google Chat does not take the webhook: " + why,
      "check webhook_url: the webhook may have been deleted, or apps be switched off in the space");
}

/// Texts of card widgets are HTML.
std::string Html(std::string_view text, std::size_t most, std::string_view ending = "…") {
  return hsw::Escaped(text, most, ending, [](std::string_view code_point, bool, std::string& out) {
    if (code_point == "&") {
      out += "&amp;";
    } else if (code_point == "<") {
      out += "&lt;";
    } else if (code_point == ">") {
      out += "&gt;";
    } else {
      out += code_point;
    }
  });
}

std::string Plain(std::string_view text, std::size_t most) {
  return hsw::Escaped(text, most, "…", [](std::string_view code_point, bool, std::string& out) { out += code_point; });
}

std::string ProblemWith(const hsw::Config& config) {
  const auto url = config.String("webhook_url");
  if (auto problem = hsw::ProblemWithServiceUrl(url, config.Bool("allow_http")); !problem.empty()) return problem;
  if (url.find("/v1/spaces/") == std::string::npos || url.find("key=") == std::string::npos ||
      url.find("token=") == std::string::npos) {
    return "is not a webhook URL: it looks like https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…; make "
           "one in the space's menu > Apps & integrations > Webhooks";
  }
  return {};
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(config.String("webhook_url")),
        thread_by_call_(config.String("thread") == "call"),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 3000))) {
    if (auto problem = ProblemWith(config); !problem.empty()) throw std::invalid_argument("webhook_url " + problem);
    if (thread_by_call_) url_ += "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = ProblemWith(config); !problem.empty()) report("/webhook_url", "webhook_url " + problem);
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    const hsw_event& event = delivery.Event();
    const std::string title = Plain(message.Title(), kMaxTitle);
    hsw::JsonWriter json;
    json.BeginObject();
    json.Key("fallbackText").String(title);  // shown in notifications
    if (thread_by_call_) {
      json.Key("thread").BeginObject();
      json.Key("threadKey")
          .String(
              hsw::CutBytes(std::string(hsw::View(event.source)) + "/" + std::string(hsw::View(event.call_id)), 4000));
      json.EndObject();
    }
    json.Key("cardsV2").BeginArray().BeginObject();
    json.Key("cardId").String("call");
    json.Key("card").BeginObject();
    json.Key("header").BeginObject().Key("title").String(title).EndObject();
    json.Key("sections").BeginArray();
    WriteBody(message, json);
    if (max_transcript_ > 0 && !hsw::IsBlank(message.Transcript())) {
      json.BeginObject();
      json.Key("header").String("Transcript");
      json.Key("collapsible").Bool(true).Key("uncollapsibleWidgetsCount").Number(0);
      json.Key("widgets").BeginArray();
      Paragraph(Html(hsw::Shorten(message.Transcript(), max_transcript_, kTruncated), kMaxTranscript, kTruncated),
                json);
      json.EndArray().EndObject();
    }
    json.EndArray().EndObject().EndObject().EndArray().EndObject();
    // A repeated requestId returns the first message instead of posting another. Delivery ids start over with a new
    // journal, event ids do not.
    request.Url(url_ + "&requestId=" + std::string(hsw::View(event.id)) + "-" + std::string(delivery.Id()));
    request.Header("Content-Type", "application/json; charset=UTF-8");
    request.Body(json.Text());
  }

  /// Errors are {"error":{"code":400,"message":"…","status":"INVALID_ARGUMENT","details":[{"reason":"…"}]}}.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    if (status >= 200 && status < 300) {
      const auto name = response.Json("/name");
      if (name) return hsw::Outcome::Delivered().RemoteId(std::string(*name));
      return hsw::Outcome::Misconfigured("not_googlechat", "the server's answer is not one of Google Chat",
                                         "check webhook_url")
          .MaybeDelivered();
    }
    const std::string code = "http_" + std::to_string(status);
    const std::string why(response.Json("/error/message").value_or("it does not say why"));
    if (response.Json("/error/details/0/reason") == "API_KEY_INVALID") {
      return hsw::Outcome::Misconfigured("bad_key", "Google Chat does not know the webhook's key",
                                         "copy webhook_url again")
          .OfSink();
    }
    switch (AboutOf(response.Json("/error/status").value_or(""))) {
      case About::kMessage: return hsw::Outcome::Rejected(code, "Google Chat finds the message invalid: " + why);
      case About::kWebhook: return Refused(code, why).OfSink();
      case About::kSpace: return Refused(code, why);
      case About::kLater:
        return hsw::Outcome::Retry(code, "Google Chat asks to try again: " + why).RetryAfterMs(response.RetryAfterMs());
      case About::kStatus: break;
    }
    if (status == 400) return hsw::Outcome::Rejected(code, "Google Chat finds the message invalid: " + why);
    return hsw::FromHttp(response);
  }

 private:
  static void Paragraph(std::string_view html, hsw::JsonWriter& json) {
    json.BeginObject().Key("textParagraph").BeginObject().Key("text").String(html).EndObject().EndObject();
  }

  static void WriteBody(const hsw::Message& message, hsw::JsonWriter& json) {
    hsw::JsonWriter widgets;
    widgets.BeginArray();
    std::size_t used = 0;
    for (const hsw_pair& field : message.Fields()) {
      const auto name = Html(hsw::View(field.name), kMaxFieldName);
      const auto value = Html(hsw::View(field.value), kMaxFieldValue);
      if (hsw::IsBlank(name) || hsw::IsBlank(value)) continue;
      used += hsw::Utf16Units(name) + hsw::Utf16Units(value) + 15;  // 15: the widget's own markup
      if (used > kMaxAllFields) break;
      widgets.BeginObject().Key("decoratedText").BeginObject();
      widgets.Key("topLabel").String(name).Key("text").String(value).Key("wrapText").Bool(true);
      widgets.EndObject().EndObject();
    }
    if (!hsw::IsBlank(message.Text())) Paragraph(Html(message.Text(), kMaxText), widgets);
    WriteButtons(message, widgets);
    widgets.EndArray();
    if (widgets.Size() > 2) json.BeginObject().Key("widgets").Raw(widgets.Text()).EndObject();
  }

  static void WriteButtons(const hsw::Message& message, hsw::JsonWriter& widgets) {
    hsw::JsonWriter buttons;
    buttons.BeginArray();
    const auto links = hsw::WebLinks(message, kMaxLinks, kMaxLinkBytes);
    for (const hsw::WebLink& link : links) {
      const auto label = Plain(link.label, kMaxLabel);
      buttons.BeginObject().Key("text").String(hsw::IsBlank(label) ? "Link" : label);
      buttons.Key("onClick").BeginObject().Key("openLink").BeginObject().Key("url").String(link.url);
      buttons.EndObject().EndObject().EndObject();
    }
    buttons.EndArray();
    if (links.empty()) return;
    widgets.BeginObject().Key("buttonList").BeginObject().Key("buttons").Raw(buttons.Text()).EndObject().EndObject();
  }

  std::string url_;
  bool thread_by_call_;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["webhook_url"],
  "properties": {
    "webhook_url": {"type": "string", "x-secret": true, "examples": ["https://chat.googleapis.com/v1/spaces/A/messages?key=example&token=example"], "description": "The webhook's URL, https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…; who knows it can post."},
    "thread": {"type": "string", "enum": ["none", "call"], "default": "none", "description": "call: the messages of a call stand in one thread."},
    "max_transcript": {"type": "integer", "default": 3000, "minimum": 0, "maximum": 3500, "description": "Characters of the transcript, in a section to be unfolded; 0 leaves it out."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests."}
  }
})";

}  // namespace googlechat

// 60 messages per minute and space, for all its apps together.
HSW_HTTP_SINK(googlechat::Sink, "googlechat", "1.0.0", "Google Chat: webhooks of a space", googlechat::kSchema,
              .rate_max = 1, .rate_per_ms = 1000, .rate_burst = 5, .concurrency = 1, .concurrent_calls = true)
