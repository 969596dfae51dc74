#include "core/plugins/plugin_sink.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/plugins/abi_delivery.h"
#include "core/plugins/abi_outcome.h"
#include "core/plugins/abi_request.h"
#include "core/plugins/host_context.h"
#include "core/plugins/instance.h"

namespace hookswitch::plugins {
namespace {

class PluginSink final : public Sink {
 public:
  PluginSink(std::shared_ptr<Plugin> plugin, HostContext& host, std::shared_ptr<const PluginConfig> config,
             std::shared_ptr<const Transport> transport, std::uint64_t subject, InstancePtr instance)
      : plugin_(std::move(plugin)),
        sink_(plugin_->sink),
        host_(host),
        config_(std::move(config)),
        transport_(std::move(transport)),
        subject_(subject),
        advice_(instance->advice()),
        concurrent_(advice_.concurrent_calls),
        instance_(std::move(instance)) {}

  Kind kind() const override { return plugin_->info.kind; }

  SinkAdvice Advice() const override { return advice_; }

  std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) override {
    HSW_CHECK(sink_.render, "the caller asks kind() first, and an HTTP sink without render is not loaded");
    const AbiDelivery abi(delivery, sink_.abi_minor);
    AbiRequest builder;
    AbiOutcome out;
    int refused = 1;
    const auto render = [&](hsw_instance* self) { refused = sink_.render(self, abi.get(), &builder.raw, &out.raw); };
    if (!Call(PluginCall::kRender, delivery, out, render) || refused) {
      Outcome outcome = Read(out, delivery.step);
      if (outcome.kind == Outcome::Kind::kNext) {
        return Fault(Outcome::Kind::kRejected, "the plugin asked for a next step without sending this one");
      }
      return outcome;
    }
    if (const std::string problem = builder.Problem(); !problem.empty()) {
      return Fault(Outcome::Kind::kRejected, "the plugin made a request that cannot be sent: " + problem);
    }
    builder.request.transport = transport_;
    return std::move(builder.request);
  }

  Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                    std::optional<std::chrono::milliseconds> retry_after) override {
    HSW_CHECK(sink_.interpret, "the caller asks kind() first, and an HTTP sink without interpret is not loaded");
    const AbiDelivery abi(delivery, sink_.abi_minor);
    const Pairs headers(
        response.headers, [](const auto& h) -> std::string_view { return h.first; },
        [](const auto& h) -> std::string_view { return h.second; });
    hsw_response raw{};
    raw.size = sizeof raw;
    raw.status = response.status;
    raw.retry_after_ms = retry_after ? static_cast<std::uint32_t>(std::clamp<std::int64_t>(
                                           retry_after->count(), 0, std::numeric_limits<std::uint32_t>::max()))
                                     : 0;
    raw.headers = headers.data();
    raw.header_count = headers.size();
    raw.body = Str(std::string_view(response.body).substr(0, HSW_MOST_ANSWER));
    raw.body_cut = response.is_cut || response.body.size() > HSW_MOST_ANSWER;
    JsonLookup values;
    raw.json = [](const hsw_response* self, hsw_str pointer) {
      return static_cast<JsonLookup*>(const_cast<void*>(self->host))->Find(View(self->body), View(pointer));
    };
    raw.host = &values;
    AbiOutcome out;
    Call(PluginCall::kInterpret, delivery, out,
         [&](hsw_instance* self) { sink_.interpret(self, abi.get(), &raw, &out.raw); });
    Outcome outcome = Read(out, delivery.step);
    outcome.http_status = response.status;
    return outcome;
  }

  Outcome Deliver(const SinkDelivery& delivery, std::chrono::milliseconds timeout,
                  const std::function<bool()>& canceled) override {
    HSW_CHECK(sink_.deliver, "the caller asks kind() first, and a call sink without deliver is not loaded");
    const AbiDelivery abi(delivery, sink_.abi_minor);
    hsw_call call{};
    call.size = sizeof call;
    call.timeout_ms = timeout.count();
    call.canceled = [](const hsw_call* self) -> int {
      const auto& ask = *static_cast<const std::function<bool()>*>(self->host);
      return ask && ask() ? 1 : 0;
    };
    call.host = &canceled;
    AbiOutcome out;
    Call(PluginCall::kDeliver, delivery, out,
         [&](hsw_instance* self) { sink_.deliver(self, &call, abi.get(), &out.raw); });
    return Read(out, delivery.step);
  }

  std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery& delivery) override {
    if (!sink_.preview) return std::nullopt;
    const AbiDelivery abi(delivery, sink_.abi_minor);
    AbiRequest builder;
    AbiOutcome out;
    int refused = 1;
    const auto preview = [&](hsw_instance* self) { refused = sink_.preview(self, abi.get(), &builder.raw, &out.raw); };
    if (!Call(PluginCall::kPreview, delivery, out, preview) || refused) return Read(out, delivery.step);
    return std::move(builder.request);
  }

  void GiveUp(std::uint64_t instance) override EXCLUDES(mu_) {
    InstancePtr stuck;  // released after unlocking
    MutexLock lock(mu_);
    if (!instance_ || instance_->number() != instance) return;
    stuck = std::exchange(instance_, nullptr);
    stuck->GiveUp();
  }

  void Reopen() override EXCLUDES(mu_) {
    if (!sink_.reopen) return;
    InstancePtr instance;
    {
      MutexLock lock(mu_);
      instance = instance_;
    }
    if (!instance) return;  // the next instance opens its files itself
    if (!instance->BeginReopen()) return instance->LogStuck(PluginCall::kReopen);
    // Not serialized with the other control calls.
    ControlCalls beside;
    const Status returned = beside.Run([instance, plugin = plugin_, host = &host_] {
      const CrashMarks::Inside inside(nullptr,
                                      {.call = PluginCall::kReopen, .plugin = plugin->info.id, .sink = host->name});
      try {
        plugin->sink.reopen(instance->raw());
      } catch (...) {
        log::Error("sink_misbehaves", {{"sink", host->name}, {"text", "its reopen threw an exception"}});
      }
      instance->EndReopen();
    });
    if (!returned) instance->LogStuck(PluginCall::kReopen);
  }

  std::string Mask(std::string_view text, std::size_t most) const override { return host_.masker.Mask(text, most); }

 private:
  /// The current instance; creates a new one if the last was given up.
  Result<InstancePtr> Current() EXCLUDES(mu_, renew_) {
    if (auto current = Known()) return current;
    MutexLock one_at_a_time(renew_);
    if (auto current = Known()) return current;
    auto made = MakeInstance(plugin_, host_, config_, subject_);
    if (!made) return made;
    log::Info("sink_renewed", {{"sink", host_.name}, {"plugin", plugin_->info.id}});
    MutexLock lock(mu_);
    instance_ = *made;
    return made;
  }
  InstancePtr Known() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return instance_;
  }

  /// Blocks until the instance is free, if it takes one call at a time. False: it was given up meanwhile.
  bool Take(Instance& instance) const { return concurrent_ || instance.Take(); }

  /// Runs `body` in the current instance, serialized if the plugin requires it. False, with a retry in `out`, if it was
  /// not run or threw.
  template <class Body>
  bool Call(PluginCall call, const SinkDelivery& delivery, AbiOutcome& out, Body body) {
    const auto failed = [&](const char* code, std::string_view reason) {
      out.Begin();
      std::strncpy(out.raw.code, code, sizeof out.raw.code - 1);
      out.raw.reason[reason.copy(out.raw.reason, sizeof out.raw.reason - 1)] = '\0';
      return false;
    };
    if (delivery.call) delivery.call->StepOut();
    auto current = Current();
    while (current && !Take(**current)) current = Current();
    if (!current) return failed("plugin_fault", "no new instance after one was given up: " + current.error().message);
    Instance& instance = **current;
    struct Turn {
      Instance* taken;
      ~Turn() {
        if (taken) taken->Leave();
      }
    } const turn{concurrent_ ? nullptr : &instance};
    if (delivery.call && !delivery.call->Enter(instance.number())) {
      return failed("given_up", "the call was given up while it waited for its turn");
    }
    const CrashMarks::Inside inside(plugin_->marks.get(), {.call = call,
                                                           .delivery = delivery.seq,
                                                           .plugin = plugin_->info.id,
                                                           .sink = host_.name,
                                                           .delivery_id = delivery.id});
    try {
      body(instance.raw());
      return true;
    } catch (...) {
      // The SDK catches exceptions; a plugin without it may let one escape.
      return failed("plugin_exception", "the plugin let an exception escape");
    }
  }

  Outcome Fault(Outcome::Kind kind, const std::string& reason) const {
    return FaultOf(host_, plugin_->info, kind, reason);
  }
  Outcome Read(const AbiOutcome& built, std::uint32_t step) const {
    return ReadOutcome(built, step, host_, plugin_->info);
  }

  const std::shared_ptr<Plugin> plugin_;
  const hsw_sink& sink_;
  HostContext& host_;
  const std::shared_ptr<const PluginConfig> config_;
  const std::shared_ptr<const Transport> transport_;
  const std::uint64_t subject_;
  const SinkAdvice advice_;
  const bool concurrent_;
  Mutex renew_;  ///< held while a new instance is created
  Mutex mu_;
  InstancePtr instance_ GUARDED_BY(mu_);  ///< nullptr: given up; the next call creates a new one
};

}  // namespace

std::string RefusalText(const PluginInfo& plugin, const std::string& sink, const std::string& reason) {
  return "sinks." + sink + ": the plugin " + plugin.id + " " + plugin.version +
         " refuses its config: " + (reason.empty() ? "it gave no reason" : reason);
}

Result<std::shared_ptr<Sink>> MakePluginSink(std::shared_ptr<Plugin> plugin, std::shared_ptr<const PluginConfig> config,
                                             Masker masker, std::shared_ptr<const Transport> transport,
                                             std::uint64_t subject) {
  const std::string& name = config->sink();
  HostContext& host = MakeHost(name, std::move(masker));
  auto instance = MakeInstance(plugin, host, config, subject);
  if (!instance) {
    Error error = std::move(instance).error();
    error.message = error.code == ErrorCode::kUnavailable
                        ? "sinks." + name + ": the plugin " + plugin->info.id + ": " + error.message
                        : RefusalText(plugin->info, name, host.masker.Mask(std::move(error.message)));
    return error;
  }
  return std::shared_ptr<Sink>(std::make_shared<PluginSink>(std::move(plugin), host, std::move(config),
                                                            std::move(transport), subject, std::move(*instance)));
}

}  // namespace hookswitch::plugins
