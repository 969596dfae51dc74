#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace teams {

// A message has at most 28 KB, markup included; a longer one fails inside the flow, invisibly to us. Our own limits
// keep a text of three-byte characters below that.
constexpr std::size_t kMaxTitle = 250, kMaxFieldName = 100, kMaxFieldValue = 300, kMaxAllFields = 1800, kMaxText = 1500,
                      kMaxLinks = 3, kMaxLabel = 40, kMaxLinkBytes = 400, kMaxTranscript = 3800;
constexpr std::string_view kTruncated = "\n… (truncated)", kNoBreakSpace = "\xC2\xA0";

std::string_view ColorOf(std::uint32_t severity) {
  if (severity == HSW_ERROR) return "Attention";
  if (severity == HSW_WARNING) return "Warning";
  return severity == HSW_SUCCESS ? "Good" : "Default";
}

/// What a rejection is about. A workflow's URL names it and is the credential.
enum class About { kMessage, kWorkflow, kUnknown };

struct Refusal {
  std::string_view code;
  About about;
};

// learn.microsoft.com, "Azure Logic Apps: error codes of the Request trigger", and observed responses of workflows.
constexpr std::array kRefusals = {
    Refusal{"InvalidRequestContent", About::kMessage},  // not JSON
    Refusal{"InvalidJSON", About::kMessage},
    Refusal{"RequestEntityTooLarge", About::kMessage},
    Refusal{"WorkflowTriggerIsNotEnabled", About::kWorkflow},  // disabled
    Refusal{"WorkflowNotFound", About::kWorkflow},
    Refusal{"WorkflowTriggerNotFound", About::kWorkflow},
    Refusal{"WorkflowDisabled", About::kWorkflow},
    Refusal{"WorkflowSuspended", About::kWorkflow},
    Refusal{"FlowNotFound", About::kWorkflow},
    Refusal{"FlowSuspended", About::kWorkflow},
    Refusal{"DirectApiAuthorizationRequired", About::kWorkflow},  // sig is missing or wrong
    Refusal{"DirectApiRequestHasMoreThanOneAuthorization", About::kWorkflow},
    Refusal{"AuthorizationFailed", About::kWorkflow},
    Refusal{"Forbidden", About::kWorkflow},
    Refusal{"MissingApiVersionParameter", About::kWorkflow},
    Refusal{"InvalidApiVersionParameter", About::kWorkflow},
    Refusal{"TriggerInputSchemaMismatch", About::kUnknown},  // the workflow's own schema
    Refusal{"TriggerRequestMethodNotValid", About::kWorkflow},
};

About AboutOf(std::string_view code) {
  for (const Refusal& refusal : kRefusals) {
    if (refusal.code == code) return refusal.about;
  }
  return About::kUnknown;
}

hsw::Outcome Refused(int status, const std::string& why) {
  return hsw::Outcome::Misconfigured("http_" + std::to_string(status), "the workflow does not take messages: " + why,
                                     "check that it is switched on and has an owner, and copy webhook_url again");
}

/// Texts of a card are Markdown, in which a single line break is ignored. "https:\//" is not a link, "{\{DATE(…)}}" not
/// a date.
void Escape(std::string_view code_point, const hsw::TextSpot& spot, std::string& out) {
  const char c = code_point[0];
  if (spot.first_of_line && (c == ' ' || c == '\t')) {
    out += kNoBreakSpace;
    return;
  }
  if (c == '\n') {
    out += "\n\n";
    return;
  }
  const bool markup = std::string_view("\\*_~`[]()<>").find(c) != std::string_view::npos;
  const bool after = (c == '/' && out.ends_with(':')) || (c == '{' && out.ends_with('{'));
  if (markup || hsw::BeginsBlock(c, spot) || after) out += '\\';
  out += code_point;
}

std::string Markdown(std::string_view text, std::size_t most, std::string_view ending = "…") {
  return hsw::Escaped(text, most, ending, Escape);
}

std::string ProblemWith(const hsw::Config& config) {
  const auto url = config.String("webhook_url");
  if (auto problem = hsw::ProblemWithServiceUrl(url, config.Bool("allow_http")); !problem.empty()) return problem;
  const auto host = std::string_view(url).substr(url.find("//") + 2);
  if (host.substr(0, host.find('/')).ends_with("webhook.office.com")) {
    return "is that of an Office 365 connector, which Microsoft has switched off: make a workflow \"Post to a channel "
           "when a webhook request is received\" and take its URL";
  }
  if (url.find("/workflows/") == std::string::npos || url.find("sig=") == std::string::npos) {
    return "is not the URL of a workflow: it holds /workflows/ and sig=, and is often longer than what one sees of it; "
           "copy it from the workflow's first step";
  }
  return {};
}

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(config.String("webhook_url")),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 3000))) {
    if (auto problem = ProblemWith(config); !problem.empty()) throw std::invalid_argument("webhook_url " + problem);
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = ProblemWith(config); !problem.empty()) report("/webhook_url", "webhook_url " + problem);
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    hsw::JsonWriter json;
    json.BeginObject();
    json.Key("type").String("message");
    json.Key("attachments").BeginArray().BeginObject();
    json.Key("contentType").String("application/vnd.microsoft.card.adaptive");
    json.Key("contentUrl").Null();
    json.Key("content").BeginObject();
    json.Key("$schema").String("http://adaptivecards.io/schemas/adaptive-card.json");
    json.Key("type").String("AdaptiveCard").Key("version").String("1.4");
    json.Key("msteams").BeginObject().Key("width").String("Full").EndObject();
    json.Key("body").BeginArray();
    TextBlock(Markdown(message.Title(), kMaxTitle), json);
    json.Key("size").String("Medium").Key("weight").String("Bolder").Key("color").String(ColorOf(message.Severity()));
    json.EndObject();
    WriteFacts(message, json);
    if (!hsw::IsBlank(message.Text())) {
      TextBlock(Markdown(message.Text(), kMaxText), json);
      json.EndObject();
    }
    if (max_transcript_ > 0 && !hsw::IsBlank(message.Transcript())) {
      TextBlock(Markdown(hsw::Shorten(message.Transcript(), max_transcript_, kTruncated), kMaxTranscript, kTruncated),
                json);
      json.Key("fontType").String("Monospace").Key("size").String("Small").Key("separator").Bool(true);
      json.EndObject();
    }
    json.EndArray();
    WriteActions(message, json);
    json.EndObject().EndObject().EndArray().EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Body(json.Text());
  }

  /// 202 means that the flow has started; later failures are reported to its owner only. Errors are
  /// {"error":{"code":"WorkflowTriggerIsNotEnabled","message":"…"}}.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    if (status == 413) return hsw::Outcome::Rejected("too_large", "the workflow finds the message too large");
    const auto code = response.Json("/error/code");
    if (!code || status < 400 || status >= 500 || status == 408 || status == 425 || status == 429) {
      auto outcome = hsw::FromHttp(response);
      // A workflow reports errors of a message as JSON; anything else may come from a proxy in front of it.
      if (outcome.status() == HSW_REJECTED) outcome = Refused(status, "HTTP " + std::to_string(status));
      return outcome;
    }
    std::string why(*code);
    if (const auto said = response.Json("/error/message")) why.append(", ").append(*said);
    switch (AboutOf(*code)) {
      case About::kMessage:
        return hsw::Outcome::Rejected("http_" + std::to_string(status), "the workflow refuses the message: " + why);
      case About::kWorkflow: return Refused(status, why).OfSink();
      case About::kUnknown: break;
    }
    return Refused(status, why);
  }

 private:
  static void TextBlock(std::string_view text, hsw::JsonWriter& json) {
    json.BeginObject().Key("type").String("TextBlock").Key("text").String(text).Key("wrap").Bool(true);
  }

  static void WriteFacts(const hsw::Message& message, hsw::JsonWriter& json) {
    hsw::JsonWriter facts;
    facts.BeginArray();
    std::size_t used = 0;
    for (const hsw_pair& field : message.Fields()) {
      const auto name = Markdown(hsw::View(field.name), kMaxFieldName);
      const auto value = Markdown(hsw::View(field.value), kMaxFieldValue);
      if (hsw::IsBlank(name) || hsw::IsBlank(value)) continue;
      used += hsw::Utf16Units(name) + hsw::Utf16Units(value) + 10;  // 10: a fact's own markup
      if (used > kMaxAllFields) break;
      facts.BeginObject().Key("title").String(name).Key("value").String(value).EndObject();
    }
    facts.EndArray();
    if (facts.Size() > 2) json.BeginObject().Key("type").String("FactSet").Key("facts").Raw(facts.Text()).EndObject();
  }

  static void WriteActions(const hsw::Message& message, hsw::JsonWriter& json) {
    json.Key("actions").BeginArray();
    for (const hsw::WebLink& link : hsw::WebLinks(message, kMaxLinks, kMaxLinkBytes)) {
      const auto label = hsw::Shorten(link.label, kMaxLabel);
      json.BeginObject().Key("type").String("Action.OpenUrl");
      json.Key("title").String(hsw::IsBlank(label) ? "Link" : label).Key("url").String(link.url).EndObject();
    }
    json.EndArray();
  }

  std::string url_;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["webhook_url"],
  "properties": {
    "webhook_url": {"type": "string", "x-secret": true, "maxLength": 4000, "examples": ["https://example.logic.azure.com/workflows/example/triggers/manual/paths/invoke?sig=example"], "description": "The URL of the workflow \"Post to a channel when a webhook request is received\"; who knows it can post."},
    "max_transcript": {"type": "integer", "default": 3000, "minimum": 0, "maximum": 3800, "description": "Characters of the transcript that are shown; 0 leaves it out."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests."}
  }
})";

}  // namespace teams

// Four per second was the connectors' limit; a flow responds 429 if its owner's plan allows less.
HSW_HTTP_SINK(teams::Sink, "teams", "1.0.0", "Microsoft Teams: channels and chats by a workflow", teams::kSchema,
              .rate_max = 2, .rate_per_ms = 1000, .rate_burst = 4, .concurrency = 2, .concurrent_calls = true)
