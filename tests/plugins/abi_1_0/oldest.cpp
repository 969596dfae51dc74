// An HTTP sink as somebody wrote it in the days of ABI 1.0. Not to be changed.
#include <string>

#include "hookswitch/sink.hpp"

namespace {

class Oldest {
 public:
  Oldest(const hsw::Config& config, hsw::Host host) : url_(config.String("url")) {
    host.Log(HSW_LOG_INFO, "made in the days of 1.0");
  }
  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (!config.String("url").starts_with("https://")) report("/url", "url must begin with https://");
  }
  void Render(const hsw::Delivery& delivery, hsw::Request& request) {
    std::string body = R"({"title":)";
    hsw::AppendJsonString(body, delivery.Message().Title());
    body += R"(,"memory":)";
    hsw::AppendJsonString(body, delivery.Memory());
    body += R"(,"event":)";
    body += delivery.EventJson();
    body += "}";
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Body(body);
  }
  hsw::Outcome Interpret(const hsw::Delivery& delivery, const hsw::Response& response) {
    if (response.Status() == 202) return hsw::Outcome::Next("step " + std::to_string(delivery.Step() + 1));
    if (response.Body() == "full") return hsw::Outcome::Rejected("full", "the other side is full");
    auto outcome = hsw::FromHttp(response);
    if (response.Status() == 200) outcome.RemoteId(std::string(response.Header("X-Id"))).Memory("remembered");
    return outcome;
  }

 private:
  std::string url_;
};

}  // namespace

HSW_HTTP_SINK(Oldest, "oldest", "1.0.0", "a sink of ABI 1.0", R"({
  "type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}
})",
              .rate_max = 5, .rate_per_ms = 2000, .rate_burst = 2, .concurrency = 3, .concurrent_calls = true)
