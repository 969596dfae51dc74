// An HTTP sink in C++: POSTs the normalized event to a URL. What the answer means is left to hsw::FromHttp.
#include <hookswitch/sink.hpp>

class Poster {
 public:
  Poster(const hsw::Config& config, hsw::Host) : url_(config.String("url")), token_(config.String("token")) {}

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (!config.String("url").starts_with("http")) report("/url", "must begin with http:// or https://");
  }

  void Render(const hsw::Delivery& delivery, hsw::Request& request) {
    request.Url(url_);
    request.Header("Content-Type", "application/json");
    request.Header("Idempotency-Key", delivery.Id());
    if (!token_.empty()) request.Header("Authorization", "Bearer " + token_);
    request.Body(delivery.EventJson());
  }

 private:
  std::string url_, token_;
};

HSW_HTTP_SINK(Poster, "poster", "1.0.0", "POSTs the event as JSON", R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["url"],
  "properties": {"url": {"type": "string"}, "token": {"type": "string", "x-secret": true}}
})")
