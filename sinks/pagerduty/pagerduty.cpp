#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

namespace pagerduty {

// developer.pagerduty.com, "Events API v2": summary 1024 characters, dedup_key 255, the whole event 512 KB.
constexpr std::size_t kMaxSummary = 1024, kMaxDedupKey = 255;
// Our own limits: an event stays under 512 KB even if every character is escaped to six bytes.
constexpr std::size_t kMaxFields = 50, kMaxFieldBytes = 500, kMaxTextBytes = 8000, kMaxLinks = 20;
// "If you get a 429, wait some time": after less than half a minute another follows.
constexpr std::uint32_t kRatePauseMs = 30 * 1000;

std::vector<std::string> List(const hsw::Config& config, const std::string& key) {
  std::vector<std::string> list;
  while (const auto item = config.Find(key + "." + std::to_string(list.size()))) list.emplace_back(*item);
  return list;
}

std::string_view SeverityWord(std::uint32_t severity) {
  if (severity == HSW_ERROR) return "critical";
  return severity == HSW_WARNING ? "warning" : "info";
}

/// Opens an incident for a failed call, and resolves it by the same key after the next successful one.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : url_(UrlOf(config)),
        routing_key_(config.String("routing_key")),
        by_agent_(config.String("dedup_by", "call") == "agent"),
        trigger_on_(List(config, "trigger_on")),
        resolve_on_(List(config, "resolve_on")),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 2000))) {
    if (auto problem = Problem(config); !problem.empty()) throw std::invalid_argument("server " + problem);
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = Problem(config); !problem.empty()) report("/server", "server " + problem);
    const auto resolve_on = List(config, "resolve_on");
    for (const auto& status : List(config, "trigger_on")) {
      if (!Holds(resolve_on, status)) continue;
      return report("/resolve_on", "\"" + status + "\" stands in trigger_on too: it can do only one of the two");
    }
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    hsw::JsonWriter json;
    json.BeginObject();
    json.Key("routing_key").String(routing_key_);
    const std::string dedup_key = DedupKey(delivery);
    json.Key("dedup_key").String(dedup_key);
    if (Resolves(delivery)) {
      json.Key("event_action").String("resolve");
    } else {
      json.Key("event_action").String("trigger");
      json.Key("client").String("hookswitch");
      WritePayload(delivery, json);
      WriteLinks(message, json);
    }
    json.EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Body(json.Text());
    // A trigger sent after its resolve would leave the incident open.
    request.Order(dedup_key);
  }

  /// Errors are {"status":"invalid event","message":"Event object is invalid","errors":["…"]}.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    const int status = response.Status();
    if (status == 202) return hsw::Outcome::Delivered().RemoteId(std::string(response.Json("/dedup_key").value_or("")));
    if (status >= 200 && status < 300) {
      return hsw::Outcome::Misconfigured("not_pagerduty",
                                         "the server's answer is not one of PagerDuty: it takes an event with 202",
                                         "check server")
          .MaybeDelivered();
    }
    if (status == 429) {
      return hsw::Outcome::Retry("http_429", "PagerDuty takes no more events for this key at the moment")
          .RetryAfterMs(response.RetryAfterMs() ? response.RetryAfterMs() : kRatePauseMs);
    }
    if (status == 400) {
      std::string why(response.Json("/errors/0").value_or(response.Json("/message").value_or("")));
      // "Invalid routing key" and "'routing_key' is …": every event would be rejected.
      if (why.find("outing key") != std::string::npos || why.find("routing_key") != std::string::npos) {
        return hsw::Outcome::Misconfigured(
                   "bad_routing_key", "PagerDuty does not know the routing key",
                   "check routing_key: the Integration Key of an Events API v2 integration, and its region")
            .OfSink();
      }
      return hsw::Outcome::Rejected(
          "http_400", why.empty() ? "PagerDuty finds the event invalid" : "PagerDuty finds the event invalid: " + why);
    }
    if (status == 413) return hsw::Outcome::Rejected("too_large", "PagerDuty finds the event too large");
    return hsw::FromHttp(response);
  }

 private:
  static std::string UrlOf(const hsw::Config& config) {
    auto url = config.String("server");
    if (url.empty()) {
      url = config.String("region", "us") == "eu" ? "https://events.eu.pagerduty.com" : "https://events.pagerduty.com";
    }
    if (url.ends_with('/')) url.pop_back();
    return url + "/v2/enqueue";
  }

  static std::string Problem(const hsw::Config& config) {
    const auto server = config.String("server");
    return server.empty() ? "" : hsw::ProblemWithServiceUrl(server, config.Bool("allow_http"), true);
  }

  static bool Holds(const std::vector<std::string>& list, std::string_view status) {
    for (const auto& item : list) {
      if (item == status) return true;
    }
    return false;
  }

  bool Resolves(const hsw::Delivery& delivery) const {
    const auto status = hsw::View(delivery.Event().status);
    if (Holds(resolve_on_, status)) return true;
    if (trigger_on_.empty() || Holds(trigger_on_, status)) return false;
    throw hsw::Rejected("not_for_pagerduty", "the status \"" + std::string(hsw::CutBytes(status, 100)) +
                                                 "\" is in neither trigger_on nor resolve_on");
  }

  std::string DedupKey(const hsw::Delivery& delivery) const {
    const hsw_event& event = delivery.Event();
    std::string key(hsw::View(event.source));
    if (const auto agent = hsw::View(event.agent); by_agent_ && !agent.empty()) {
      key.append("/agent/").append(agent);
    } else {
      key.append("/call/").append(hsw::View(event.call_id));
    }
    return std::string(hsw::CutCodePoints(key, kMaxDedupKey));
  }

  void WritePayload(const hsw::Delivery& delivery, hsw::JsonWriter& json) const {
    const auto message = delivery.Message();
    const hsw_event& event = delivery.Event();
    json.Key("payload").BeginObject();
    json.Key("summary").String(hsw::Shorten(message.Title(), kMaxSummary));
    const auto agent = hsw::View(event.agent);
    json.Key("source").String(hsw::ShortenBytes(agent.empty() ? hsw::View(event.source) : agent, kMaxFieldBytes));
    json.Key("severity").String(SeverityWord(message.Severity()));
    if (const auto at = message.AtUnixMs()) {
      if (const auto time = hsw::Rfc3339(*at); !time.empty()) json.Key("timestamp").String(time);
    }
    json.Key("component").String(hsw::ShortenBytes(hsw::View(event.source), kMaxFieldBytes));
    json.Key("class").String(hsw::ShortenBytes(hsw::View(event.status), kMaxFieldBytes));
    WriteDetails(message, json);
    json.EndObject();
  }

  void WriteDetails(const hsw::Message& message, hsw::JsonWriter& json) const {
    json.Key("custom_details").BeginObject();
    std::vector<std::string> names;
    for (const hsw_pair& field : message.Fields()) {
      if (names.size() == kMaxFields) break;
      auto name = hsw::ShortenBytes(hsw::View(field.name), kMaxFieldBytes);
      if (hsw::IsBlank(hsw::View(field.value)) || Holds(names, name) || name == "Text" || name == "Transcript")
        continue;
      json.Key(name).String(hsw::ShortenBytes(hsw::View(field.value), kMaxFieldBytes));
      names.push_back(std::move(name));
    }
    if (!hsw::IsBlank(message.Text())) json.Key("Text").String(hsw::ShortenBytes(message.Text(), kMaxTextBytes));
    if (max_transcript_ > 0 && !hsw::IsBlank(message.Transcript())) {
      json.Key("Transcript").String(hsw::Shorten(message.Transcript(), max_transcript_));
    }
    json.EndObject();
  }

  static void WriteLinks(const hsw::Message& message, hsw::JsonWriter& json) {
    json.Key("links").BeginArray();
    std::size_t count = 0;
    for (const hsw_pair& link : message.Links()) {
      const auto url = hsw::View(link.value), label = hsw::View(link.name);
      if (!hsw::IsWebUrl(url) || count == kMaxLinks) continue;
      ++count;
      json.BeginObject().Key("href").String(url);
      json.Key("text").String(hsw::IsBlank(label) ? std::string(url) : hsw::ShortenBytes(label, kMaxFieldBytes));
      json.EndObject();
    }
    json.EndArray();
  }

  std::string url_, routing_key_;
  bool by_agent_;
  std::vector<std::string> trigger_on_, resolve_on_;
  std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["routing_key"],
  "properties": {
    "routing_key": {"type": "string", "x-secret": true, "pattern": "^[A-Za-z0-9]{32}$", "examples": ["exampleexampleexampleexampleexam"], "description": "The Integration Key of an Events API v2 integration: 32 letters and digits."},
    "region": {"type": "string", "enum": ["us", "eu"], "default": "us", "description": "PagerDuty's service region of the account."},
    "dedup_by": {"type": "string", "enum": ["call", "agent"], "default": "call", "description": "One incident per call, or one per agent, which a later call that goes well resolves."},
    "trigger_on": {"type": "array", "items": {"type": "string", "x-hookswitch-ref": "status"}, "description": "Statuses, or groups of them, that open an incident. Without it, all that resolve_on does not name."},
    "resolve_on": {"type": "array", "items": {"type": "string", "x-hookswitch-ref": "status"}, "description": "Statuses, or groups of them, that close it."},
    "max_transcript": {"type": "integer", "default": 2000, "minimum": 0, "maximum": 10000, "description": "Characters of the transcript in the incident's details; 0 leaves it out."},
    "server": {"type": "string", "description": "Another server than PagerDuty's, its root URL: for proxies and tests."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a server without TLS: for tests and private networks."}
  }
})";

}  // namespace pagerduty

// About 120 events per minute and key.
HSW_HTTP_SINK(pagerduty::Sink, "pagerduty", "1.0.0", "PagerDuty: incidents by Events API v2", pagerduty::kSchema,
              .rate_max = 2, .rate_per_ms = 1000, .rate_burst = 10, .concurrency = 2, .concurrent_calls = true,
              .ordered = true)
