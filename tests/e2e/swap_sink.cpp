// A sink that says in each request which build of it this is. Build 3 crashes while it is loaded.
#include <cstdlib>
#include <string>

#include "hookswitch/sink.hpp"

namespace {

struct AtLoad {
  AtLoad() {
    if (std::string_view(BUILD) == "3") std::abort();
  }
} g_at_load;

class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host) : url_(config.String("url")) {}
  void Render(const hsw::Delivery& delivery, hsw::Request& request) const {
    request.Url(url_);
    request.Header("X-Build", BUILD);
    request.Body(delivery.EventJson());
  }

 private:
  std::string url_;
};

}  // namespace

HSW_HTTP_SINK(Sink, "swap", "1.0." BUILD, "says which build it is",
              R"({"type": "object", "properties": {"url": {"type": "string"}}})", .concurrent_calls = true)
