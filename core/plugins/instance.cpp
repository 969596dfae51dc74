#include "core/plugins/instance.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/plugins/abi_delivery.h"
#include "core/plugins/control_calls.h"

namespace hookswitch::plugins {
namespace {

// After this time the releasing thread goes on, and destroy finishes in the background.
constexpr std::chrono::milliseconds kDestroyPatience{1000};

std::uint64_t NextInstanceNumber() {
  static std::atomic<std::uint64_t> last{SinkCall::kOnly};
  return ++last;
}

SinkAdvice AdviceOf(const hsw_sink& sink, hsw_instance* instance) {
  hsw_advice raw{.size = sizeof(hsw_advice),
                 .rate_max = sink.rate_max,
                 .rate_per_ms = sink.rate_per_ms,
                 .rate_burst = sink.rate_burst,
                 .concurrency = sink.concurrency,
                 .updates = 0};
  if (sink.advise) sink.advise(instance, &raw);
  SinkAdvice advice;
  advice.rate_max = Bounded(raw.rate_max);
  advice.rate_per = std::chrono::milliseconds(raw.rate_per_ms ? raw.rate_per_ms : 1000);
  advice.rate_burst = std::max(1, Bounded(raw.rate_burst));
  advice.concurrency = Bounded(raw.concurrency);
  advice.concurrent_calls = (sink.flags & HSW_SINK_CONCURRENT) != 0;
  advice.updates = raw.updates != 0;
  advice.ordered = (sink.flags & HSW_SINK_ORDERED) != 0;
  return advice;
}

}  // namespace

Instance::Instance(std::shared_ptr<Plugin> plugin, const HostContext& host, hsw_instance* raw, SinkAdvice advice)
    : number_(NextInstanceNumber()), plugin_(std::move(plugin)), host_(host), raw_(raw), advice_(advice) {}

Instance::~Instance() {
  const auto destroy = [plugin = plugin_, host = &host_, raw = raw_] {
    const CrashMarks::Inside inside(nullptr,
                                    {.call = PluginCall::kDestroy, .plugin = plugin->info.id, .sink = host->name});
    try {
      plugin->sink.destroy(raw);
    } catch (...) {
      log::Error("sink_misbehaves", {{"sink", host->name}, {"text", "its destroy threw an exception"}});
    }
  };
  if (IsGivenUp()) {
    // The scheduler may hold the last reference, and must not block.
    ControlCalls::Beside([plugin = plugin_, destroy] { (void)plugin->control.Run(destroy); });
  } else if (!plugin_->control.Run(destroy, kControlLimit, kDestroyPatience)) {
    LogStuck(PluginCall::kDestroy);
  }
}

void Instance::LogStuck(PluginCall call) const {
  log::Error("plugin_stuck", {{"sink", host_.name}, {"plugin", plugin_->info.id}, {"call", ToString(call)}});
}

bool Instance::Take() {
  MutexLock lock(mu_);
  while (taken_ && !given_up_) free_.Wait(mu_);
  if (given_up_) return false;
  taken_ = true;
  return true;
}

void Instance::Leave() {
  MutexLock lock(mu_);
  taken_ = false;
  free_.NotifyOne();
}

void Instance::GiveUp() {
  MutexLock lock(mu_);
  given_up_ = true;
  free_.NotifyAll();
}

bool Instance::IsGivenUp() {
  MutexLock lock(mu_);
  return given_up_;
}

Result<InstancePtr> MakeInstance(const std::shared_ptr<Plugin>& plugin, const HostContext& host,
                                 const std::shared_ptr<const PluginConfig>& config, std::uint64_t subject) {
  // Shared with the thread, which keeps it if it never returns.
  struct Made {
    std::array<char, kCreateErrorSize> error{};
    hsw_instance* instance = nullptr;
    SinkAdvice advice;
    std::string reason;
  };
  const auto made = std::make_shared<Made>();
  const Status returned = plugin->control.Run([made, plugin, host = &host, config, subject] {
    const CrashMarks::Inside inside(
        plugin->marks.get(),
        {.call = PluginCall::kCreate, .subject = subject, .plugin = plugin->info.id, .sink = host->name});
    try {
      made->instance = plugin->sink.create(&host->raw, config->get(), made->error.data(), made->error.size());
      if (made->instance) made->advice = AdviceOf(plugin->sink, made->instance);
    } catch (...) {
      made->reason = "its create or advise threw an exception";
      made->instance = nullptr;
    }
  });
  if (!returned) return Error{ErrorCode::kUnavailable, "it hangs in its create: " + returned.error().message};
  if (plugin->marks) plugin->marks->Forgive(subject);
  if (made->instance) return std::make_shared<Instance>(plugin, host, made->instance, made->advice);
  made->error.back() = '\0';
  return Error{ErrorCode::kInvalid, made->reason.empty() ? ToUtf8(made->error.data()) : made->reason};
}

}  // namespace hookswitch::plugins
