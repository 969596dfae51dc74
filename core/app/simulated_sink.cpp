#include "core/app/simulated_sink.h"

#include <algorithm>
#include <tuple>

#include "core/base/text.h"

namespace hookswitch {

void SimulatedMessages::Add(DeliverySeq delivery, SimulatedMessage message) {
  message.at = clock_->Wall() - start_;
  MutexLock lock(mu_);
  if (!message.not_sent.empty() && !not_sent_.insert(delivery).second) return;
  messages_.emplace_back(delivery, std::move(message));
}

std::vector<SimulatedMessage> SimulatedMessages::Take() {
  MutexLock lock(mu_);
  std::ranges::sort(messages_, {}, [](const auto& one) { return std::tuple(one.second.at, one.first); });
  std::vector<SimulatedMessage> taken;
  for (auto& [delivery, message] : messages_) taken.push_back(std::move(message));
  messages_.clear();
  return taken;
}

std::variant<HttpRequest, Outcome> SimulatedSink::Render(const SinkDelivery& delivery) {
  auto rendered = sink_->Render(delivery);
  if (const auto* request = std::get_if<HttpRequest>(&rendered)) {
    MutexLock lock(mu_);
    rendered_[delivery.seq][delivery.step] = request->body;
  } else {
    NotSent(delivery, std::get<Outcome>(rendered));
  }
  return rendered;
}

Outcome SimulatedSink::Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                                 std::optional<std::chrono::milliseconds> retry_after) {
  Outcome outcome;
  bool works = false;
  // Some services answer with a word, some with nothing.
  for (const HttpResponse& answer : {response, HttpResponse{200, {}, "ok"}, HttpResponse{204, {}, ""}}) {
    outcome = sink_->Interpret(delivery, answer, retry_after);
    works = outcome.kind == Outcome::Kind::kDelivered || outcome.kind == Outcome::Kind::kNext;
    if (works) break;
  }
  if (!works) {
    outcome = {};
    outcome.kind = Outcome::Kind::kDelivered;
  }
  if (outcome.kind == Outcome::Kind::kNext) return outcome;
  std::vector<std::string> bodies;
  {
    MutexLock lock(mu_);
    const auto steps = rendered_.extract(delivery.seq);
    if (!steps.empty()) {
      for (auto& [step, body] : steps.mapped()) bodies.push_back(std::move(body));
    }
  }
  Sent(delivery, Joined(bodies, "\n"));
  return outcome;
}

Outcome SimulatedSink::Deliver(const SinkDelivery& delivery, std::chrono::milliseconds, const std::function<bool()>&) {
  const auto written = sink_->Preview(delivery);
  const auto* nothing = written ? std::get_if<Outcome>(&*written) : nullptr;
  if (nothing) {
    NotSent(delivery, *nothing);
    return *nothing;
  }
  Sent(delivery, written ? std::get<HttpRequest>(*written).body : ToJson(delivery.event));
  Outcome outcome;
  outcome.kind = Outcome::Kind::kDelivered;
  return outcome;
}

void SimulatedSink::Sent(const SinkDelivery& delivery, std::string text) {
  messages_->Add(delivery.seq, {.sink = std::string(delivery.sink),
                                .rule = std::string(delivery.rule),
                                .text = sink_->Mask(text),
                                .not_sent = {}});
}

void SimulatedSink::NotSent(const SinkDelivery& delivery, const Outcome& outcome) {
  std::string why = sink_->Mask(outcome.reason.empty() ? outcome.code : outcome.reason);
  if (why.empty()) why = "its plugin sends nothing";
  messages_->Add(
      delivery.seq,
      {.sink = std::string(delivery.sink), .rule = std::string(delivery.rule), .text = {}, .not_sent = std::move(why)});
}

}  // namespace hookswitch
