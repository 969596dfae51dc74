// An HTTP sink as somebody wrote it in the days of ABI 1.1. Not to be changed.
#include <string>

#include "hookswitch/json.hpp"
#include "hookswitch/sink.hpp"

namespace {

class Bot {
 public:
  Bot(const hsw::Config& config, hsw::Host) : url_(config.String("url")) {}
  void Render(const hsw::Delivery& delivery, hsw::Request& request) {
    const std::string channel(delivery.Value("/agent/id").value_or("lobby"));
    std::string body = R"({"channel":)";
    hsw::AppendJsonString(body, channel);
    body += R"(,"duration":)";
    body += delivery.Value("/duration").value_or("null");
    body += R"(,"at":)" + std::to_string(delivery.NowUnixMs());
    body += R"(,"raw":)" + std::to_string(delivery.RawBody().value_or("").size()) + "}";
    request.Url(url_);
    request.Body(body);
    request.PublicOnly();
    request.Pace(channel, 1, 1000, 3);
  }
  hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& response) {
    const std::string word(response.Json("/error").value_or(""));
    if (word == "archived") return hsw::Outcome::Misconfigured(word, "the channel is archived", "choose another one");
    return hsw::FromHttp(response);
  }
  hsw::Options Advise() const { return {.rate_max = 7, .rate_per_ms = 1000, .rate_burst = 1, .concurrency = 2}; }

 private:
  std::string url_;
};

}  // namespace

HSW_HTTP_SINK(Bot, "bot", "1.1.0", "a sink of ABI 1.1", R"({
  "type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}
})")
