// A call sink made with the SDK's wrapper: answers with what it was given, or fails in the ways the wrapper knows.
#include <stdexcept>

#include "hookswitch/sink.hpp"

namespace {

class Polite {
 public:
  Polite(const hsw::Config& config, hsw::Host) : greeting_(config.String("greeting.word", "hello")) {
    if (config.Int("greeting.times", 1) < 1) throw std::invalid_argument("greeting.times is less than 1");
  }

  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery& delivery) {
    const auto wish = delivery.Message().Title();
    if (wish == "reject") throw hsw::Rejected("not_polite", "say please");
    if (wish == "misconfigure") throw hsw::Misconfigured("no_manners", "nobody taught me", "teach me");
    if (wish == "place")
      return hsw::Outcome::Misconfigured("closed", "the room is closed", "open it").OfPlace("room 1");
    if (wish == "sink")
      throw hsw::Misconfigured(hsw::Outcome::Misconfigured("no_key", "no key", "give me one").OfSink());
    if (wish == "throw") throw std::runtime_error("dropped the tray");
    if (wish == "throw a number") throw 42;
    if (wish == "canceled") return hsw::Outcome::Retry(call.Canceled() ? "canceled" : "not_canceled", "");
    if (wish == "long reason") return hsw::Outcome::Rejected("long", std::string(509, 'x') + "\xF0\x9F\x98\x80" + "y");
    if (wish == "step") {
      if (delivery.Step() == 0) return hsw::Outcome::Next("state-1").Code("first").Memory("ts-1");
      return hsw::Outcome::Delivered().RemoteId(std::string(delivery.State()) + "," + std::string(delivery.Memory()));
    }
    if (wish.starts_with("state of "))
      return hsw::Outcome::Next(std::string(std::stoul(std::string(wish.substr(9))), 's'));
    if (wish.starts_with("memory of "))
      return hsw::Outcome::Delivered().Memory(std::string(std::stoul(std::string(wish.substr(10))), 'm'));
    if (wish.starts_with("expand ")) {
      return hsw::Outcome::Delivered().Reason(std::string(delivery.Expand(wish.substr(7)).value_or("(no template)")));
    }
    if (wish == "verdict") {
      const auto success = delivery.Success();
      std::string verdict(delivery.Stage());
      verdict.append("|").append(delivery.Sentiment());
      verdict.append("|").append(success ? (*success ? "yes" : "no") : "unknown");
      return hsw::Outcome::Delivered().Reason(verdict.append("|").append(delivery.Value("/data").value_or("")));
    }
    if (wish == "values") {
      std::string values = std::to_string(delivery.NowUnixMs());
      for (const char* pointer : {"/agent/id", "/duration", "/data/General.Outcome", "/agent/tags", "/summary",
                                  "/nothing", "no pointer", "/voicemail"}) {
        values += '|';
        values += delivery.Value(pointer).value_or("(none)");
      }
      values.append("|").append(delivery.RawBody().value_or("(none)"));
      return hsw::Outcome::Delivered().Reason(values);
    }
    std::string seen = greeting_;
    for (const std::string_view part :
         {delivery.Id(), delivery.Sink(), delivery.Rule(), hsw::View(delivery.Event().call_id),
          hsw::View(delivery.Event().agent), hsw::View(delivery.Event().status), delivery.Message().Text()}) {
      seen += '|';
      seen += part;
    }
    for (const hsw_pair& field : delivery.Message().Fields())
      seen += "|" + std::string(hsw::View(field.name)) + "=" + std::string(hsw::View(field.value));
    for (const hsw_pair& link : delivery.Message().Links())
      seen += "|" + std::string(hsw::View(link.name)) + "=" + std::string(hsw::View(link.value));
    seen += "|" + std::to_string(delivery.Attempt()) + "|" + std::to_string(call.TimeoutMs()) + "|" +
            std::to_string(delivery.Message().AtUnixMs().value_or(-1)) + "|" +
            std::to_string(delivery.AcceptedUnixMs());
    seen += delivery.EventJson().starts_with("{\"id\":") ? "|json" : "|no json";
    return hsw::Outcome::Delivered().Reason(seen);
  }
  void Reopen() { greeting_ = "welcome back"; }

 private:
  std::string greeting_;
};

}  // namespace

HSW_CALL_SINK(Polite, "polite", "2.1.0", "says hello", R"({
  "type": "object",
  "properties": {"greeting": {"type": "object", "properties": {"word": {"type": "string"}, "times": {"type": "integer"}}}}
})",
              .rate_max = 5, .rate_burst = 2, .concurrency = 4)
