#include "core/admin/preview.h"

#include <utility>
#include <variant>

#include "core/base/log.h"
#include "core/message/text_template.h"
#include "core/plugins/credentials.h"

namespace hookswitch {
namespace {

/// Calls one sink for one delivery. Owns what the calls use, because the thread that makes them may never return.
class Showing {
 public:
  Showing(std::shared_ptr<Sink> sink, ShownDelivery delivery)
      : sink_(std::move(sink)), delivery_(std::move(delivery)), memory_(delivery_.memory) {}

  void Run() { shown_ = sink_->kind() == Sink::Kind::kCall ? ShowWriting() : ShowSteps(); }
  void RunFirst() {
    if (sink_->kind() == Sink::Kind::kHttp) {
      first_ = Inside([this] { return sink_->Render(View()); });
    } else if (const auto written = Inside([this] { return sink_->Preview(View()); })) {
      first_ = *written;
    }
  }
  // After Run, or RunFirst, has returned.
  json::object Take() { return std::move(shown_); }
  std::optional<HttpRequest> TakeFirst() {
    auto* request = std::get_if<HttpRequest>(&first_);
    return request ? std::optional(std::move(*request)) : std::nullopt;
  }

  const std::string& sink() const { return delivery_.sink; }

  /// [thread: any] Run has not returned in time, and its result is not wanted any more.
  void GiveUp() {
    if (const std::uint64_t instance = call_.GiveUp(); instance != SinkCall::kOutside) sink_->GiveUp(instance);
  }

 private:
  SinkDelivery View() {
    return {.event = *delivery_.event,
            .message = delivery_.message,
            .id = delivery_.id,
            .sink = delivery_.sink,
            .rule = delivery_.rule,
            .attempt = delivery_.attempt,
            .step = step_,
            .state = state_,
            .memory = memory_,
            .now = delivery_.now,
            .raw_body = [this] { return delivery_.body; },
            .expand = message::Expand,
            .call = &call_};
  }

  /// What `call` returns from inside the plugin; an outcome if it was given up.
  template <class Call>
  auto Inside(Call call) -> decltype(call()) {
    if (!call_.Enter()) {
      Outcome outcome;
      outcome.reason = "it was given up";
      return outcome;
    }
    auto result = call();
    call_.StepOut();
    return result;
  }

  json::object NotSent(const Outcome& outcome) const { return {{"not_sent", sink_->Mask(outcome.reason)}}; }

  json::object Part(const HttpRequest& request) const {
    json::object headers;
    for (const auto& [name, value] : request.headers) {
      headers.emplace(name, plugins::ShownHeader(name, sink_->Mask(value)));
    }
    return {{"method", request.method},
            {"url", sink_->Mask(request.url)},
            {"headers", std::move(headers)},
            {"body", sink_->Mask(request.body)}};
  }

  json::object ShowWriting() {
    const auto written = Inside([this] { return sink_->Preview(View()); });
    if (!written) return {{"event", ToJson(*delivery_.event)}};
    if (const auto* outcome = std::get_if<Outcome>(&*written)) return NotSent(*outcome);
    const auto& request = std::get<HttpRequest>(*written);
    return {{"to", sink_->Mask(request.url)}, {"writes", sink_->Mask(request.body)}};
  }

  json::object ShowSteps() {
    json::object first;
    json::array then;
    for (; step_ < kMostSteps; ++step_) {
      const auto rendered = Inside([this] { return sink_->Render(View()); });
      const auto* request = std::get_if<HttpRequest>(&rendered);
      json::object part = request ? Part(*request) : NotSent(std::get<Outcome>(rendered));
      if (step_ == 0) {
        first = std::move(part);
      } else {
        part["after"] = kStandInAnswer;
        then.push_back(std::move(part));
      }
      if (!request) break;
      const Outcome outcome = Inside([this] {
        return sink_->Interpret(View(), {200, {}, std::string(kStandInAnswer)}, {});
      });
      if (outcome.kind != Outcome::Kind::kNext) break;
      state_ = outcome.state;
      if (outcome.has_memory) memory_ = outcome.memory;
    }
    if (!then.empty()) first["then"] = std::move(then);
    return first;
  }

  const std::shared_ptr<Sink> sink_;
  const ShownDelivery delivery_;
  SinkCall call_;
  std::string state_, memory_;
  std::uint32_t step_ = 0;
  json::object shown_;
  std::variant<HttpRequest, Outcome> first_ = Outcome{};
};

/// Error: the plugin has not returned after `patience`, and is left behind.
Status CallBeside(const std::shared_ptr<Showing>& showing, void (Showing::*call)(),
                  std::chrono::milliseconds patience) {
  // Not serialized with the plugin's control calls.
  plugins::ControlCalls beside;
  Status returned = beside.Run([showing, call] { (*showing.*call)(); }, patience);
  if (returned) return returned;
  showing->GiveUp();
  log::Error("plugin_stuck", {{"sink", showing->sink()}, {"call", "preview"}});
  return returned;
}

}  // namespace

json::object Preview(const std::shared_ptr<Sink>& sink, ShownDelivery delivery, std::chrono::milliseconds patience) {
  const auto showing = std::make_shared<Showing>(sink, std::move(delivery));
  const Status returned = CallBeside(showing, &Showing::Run, patience);
  if (returned) return showing->Take();
  return {{"not_sent", "the plugin does not say what it would send: " + returned.error().message}};
}

std::optional<HttpRequest> FirstRequest(const std::shared_ptr<Sink>& sink, ShownDelivery delivery,
                                        std::chrono::milliseconds patience) {
  const auto showing = std::make_shared<Showing>(sink, std::move(delivery));
  if (!CallBeside(showing, &Showing::RunFirst, patience)) return {};
  return showing->TakeFirst();
}

json::object PreviewBy(const DeliveryPlan& plan, ShownDelivery delivery) {
  json::object shown{{"sink", delivery.sink}, {"rule", delivery.rule}};
  const auto lane = plan.lanes.find(delivery.sink);
  if (lane == plan.lanes.end()) {
    shown.emplace("not_sent", "the config does not have this sink");
  } else if (!lane->second.sink) {
    shown.emplace("not_sent", lane->second.unavailable_reason);
  } else {
    for (const auto& [key, value] : Preview(lane->second.sink, std::move(delivery))) shown.emplace(key, value);
  }
  return shown;
}

json::array PreviewAll(const DeliveryPlan& plan, const std::shared_ptr<const CallEvent>& event, std::string_view body,
                       std::span<const Route> routes, WallTime now) {
  json::array all;
  for (const Route& route : routes) {
    ShownDelivery delivery{.event = event, .sink = std::string(route.sink), .rule = std::string(route.rule)};
    delivery.message = plan.composer->Compose(*event, route.template_name);
    delivery.body = body;
    delivery.now = now;
    all.push_back(PreviewBy(plan, std::move(delivery)));
  }
  return all;
}

}  // namespace hookswitch
