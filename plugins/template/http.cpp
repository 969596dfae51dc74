// __name__: an HTTP sink. It says what to send and what the answer means; hookswitch sends, waits and retries.
// share/doc/hookswitch/plugins/README.md, where hookswitch is installed, explains each part.
#include <hookswitch/json.hpp>
#include <hookswitch/sink.hpp>
#include <hookswitch/text.hpp>
#include <string>

namespace {

class Sink {
 public:
  // One instance for each sink of the config that names this plugin.
  Sink(const hsw::Config& config, hsw::Host)
      : tools_(config.Tools()), url_(config.String("url")), key_(config.String("key")) {}

  // Mistakes in the config that the schema below cannot say. Told with file, line and column.
  static void Check(const hsw::Config& config, hsw::Report& report) {
    const auto problem = hsw::ProblemWithServiceUrl(config.String("url"), config.Bool("allow_http"));
    if (!problem.empty()) report("/url", "url " + problem);
  }

  // Pure: no I/O, no clock, no randomness. The same delivery must become the same request.
  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    const auto message = delivery.Message();
    hsw::JsonWriter json;
    json.BeginObject();
    json.Key("title").String(hsw::Shorten(message.Title(), 200));
    json.Key("fields").BeginObject();
    for (const hsw_pair& field : message.Fields()) json.Key(hsw::View(field.name)).String(hsw::View(field.value));
    json.EndObject();
    json.Key("text").String(hsw::Shorten(message.Text(), 2000));
    json.Key("transcript").String(hsw::Shorten(message.Transcript(), 5000));
    if (const auto at = message.AtUnixMs()) json.Key("at").String(tools_.UtcText(*at));
    json.EndObject();
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Header("Authorization", "Bearer " + key_);
    request.Header("Idempotency-Key", delivery.Id());  // the same for every attempt
    request.Body(json.Text());
  }

  // What the service says in its own words first; the usual reading of a status otherwise.
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) const {
    if (response.Status() == 400 && response.Json("/error") == "unknown_key") {
      return hsw::Outcome::Misconfigured("unknown_key", "the service does not know the key", "check key and reload");
    }
    return hsw::FromHttp(response);
  }

 private:
  hsw::Tools tools_;  // base64, percent and form encoding, HMAC, times: from the host
  std::string url_, key_;
};

}  // namespace

HSW_HTTP_SINK(Sink, "__name__", "0.1.0", "Says in one line what it does", R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["url", "key"],
  "properties": {
    "url": {"type": "string", "description": "Where the service listens."},
    "key": {"type": "string", "x-secret": true, "description": "The service's API key."},
    "allow_http": {"type": "boolean", "default": false, "description": "Accept a URL without TLS: for tests."}
  }
})",
              .rate_max = 10, .rate_per_ms = 1000, .concurrent_calls = true)
