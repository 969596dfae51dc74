#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/app/simulation.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/sync.h"
#include "core/plugins/sink.h"

namespace hookswitch {

/// The messages of a simulation. [thread: any]
class SimulatedMessages {
 public:
  /// Times are counted from `start`. Owns the clock, as a plugin that hangs may return when the router is gone.
  SimulatedMessages(std::shared_ptr<const Clock> clock, WallTime start) : clock_(std::move(clock)), start_(start) {}

  /// `message` goes out now; its time is set here.
  void Add(DeliverySeq delivery, SimulatedMessage message) EXCLUDES(mu_);
  /// In order of time, then of the deliveries' numbers; what sends nothing once for each delivery.
  std::vector<SimulatedMessage> Take() EXCLUDES(mu_);

 private:
  const std::shared_ptr<const Clock> clock_;
  const WallTime start_;
  Mutex mu_;
  std::vector<std::pair<DeliverySeq, SimulatedMessage>> messages_ GUARDED_BY(mu_);
  std::set<DeliverySeq> not_sent_ GUARDED_BY(mu_);
};

/// A sink whose plugin renders what it would send, but whose destination is never reached: its answers are such as the
/// plugin takes for success. [thread: any]
class SimulatedSink final : public Sink {
 public:
  SimulatedSink(std::shared_ptr<Sink> sink, std::shared_ptr<SimulatedMessages> messages)
      : sink_(std::move(sink)), messages_(std::move(messages)) {}

  Kind kind() const override { return sink_->kind(); }
  SinkAdvice Advice() const override { return sink_->Advice(); }
  std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) override EXCLUDES(mu_);
  /// The response that arrived is only the first of those that the plugin is asked about.
  Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                    std::optional<std::chrono::milliseconds> retry_after) override EXCLUDES(mu_);
  /// Does not enter the plugin's deliver.
  Outcome Deliver(const SinkDelivery& delivery, std::chrono::milliseconds timeout,
                  const std::function<bool()>& canceled) override;
  std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery& delivery) override {
    return sink_->Preview(delivery);
  }
  void GiveUp(std::uint64_t instance) override { sink_->GiveUp(instance); }
  void Reopen() override {}
  std::string Mask(std::string_view text, std::size_t most) const override { return sink_->Mask(text, most); }

 private:
  void Sent(const SinkDelivery& delivery, std::string text);
  void NotSent(const SinkDelivery& delivery, const Outcome& outcome);

  const std::shared_ptr<Sink> sink_;
  const std::shared_ptr<SimulatedMessages> messages_;
  Mutex mu_;
  std::map<DeliverySeq, std::map<std::uint32_t, std::string>> rendered_ GUARDED_BY(mu_);  ///< bodies, by step
};

}  // namespace hookswitch
