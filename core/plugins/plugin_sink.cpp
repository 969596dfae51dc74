#include "core/plugins/plugin_sink.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <optional>

#include "core/base/http_syntax.h"
#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/plugins/abi_delivery.h"

namespace hookswitch::plugins {
namespace {

/// Target of a plugin's hsw_host. Never freed, because a library is never unloaded and may keep the pointer: one per
/// sink object ever created, a few hundred bytes each.
struct HostContext {
  HostContext(std::string name, Masker masker) : name(std::move(name)), masker(std::move(masker)) {}
  std::string name;
  Masker masker;
  hsw_host raw{};
};

HostContext& KeepForever(std::unique_ptr<HostContext> context) {
  static Mutex mu;
  static auto* all = new std::vector<std::unique_ptr<HostContext>>;
  MutexLock lock(mu);
  return *all->emplace_back(std::move(context));
}

void HostLog(void* host, std::uint32_t level, hsw_str text) {
  const auto* context = static_cast<const HostContext*>(host);
  constexpr std::size_t kMostText = 2000;
  const std::string_view said(text.data, text.data ? std::min(text.size, kMostText) : 0);
  const std::string masked = context->masker.Mask(ToUtf8(said));
  const log::Fields fields = {{"sink", context->name}, {"text", masked}};
  switch (level) {
    case HSW_LOG_DEBUG: return log::Debug("sink_log", fields);
    case HSW_LOG_INFO: return log::Info("sink_log", fields);
    case HSW_LOG_WARN: return log::Warn("sink_log", fields);
    default: return log::Error("sink_log", fields);
  }
}

const void* HostService(void*, const char*) {
  return nullptr;
}

HostContext& HostOf(const std::string& sink, Masker masker) {
  HostContext& host = KeepForever(std::make_unique<HostContext>(sink, std::move(masker)));
  host.raw.size = sizeof host.raw;
  host.raw.abi_major = HSW_ABI_MAJOR;
  host.raw.abi_minor = HSW_ABI_MINOR;
  host.raw.host = &host;
  host.raw.log = HostLog;
  host.raw.service = HostService;
  return host;
}

constexpr std::string_view kNoOutcome = "no_outcome";
constexpr std::string_view kSilence = "the plugin left no outcome";

/// An hsw_outcome is 3.7 kB; only the fields that detect an unset outcome are initialized, to keep calls cheap.
void Prefill(hsw_outcome& outcome) {
  outcome.size = sizeof outcome;
  outcome.status = HSW_RETRY;
  outcome.flags = 0;
  outcome.retry_after_ms = 0;
  std::memcpy(outcome.code, kNoOutcome.data(), kNoOutcome.size() + 1);
  std::memcpy(outcome.reason, kSilence.data(), kSilence.size() + 1);
  outcome.scope = HSW_SCOPE_UNKNOWN;
  outcome.action[0] = outcome.remote_id[0] = outcome.state[0] = outcome.memory[0] = outcome.place[0] = '\0';
}

/// An hsw_outcome and the values passed to its setters.
struct OutcomeBuilder {
  OutcomeBuilder() { Begin(); }
  OutcomeBuilder(const OutcomeBuilder&) = delete;
  OutcomeBuilder& operator=(const OutcomeBuilder&) = delete;

  void Begin() {
    Prefill(raw);
    raw.host = this;
    raw.set_state = [](hsw_outcome* self, hsw_str text) { Of(self).state.emplace(View(text)); };
    raw.set_memory = [](hsw_outcome* self, hsw_str text) {
      Of(self).memory.emplace(View(text));
      self->flags |= HSW_MEMORY_SET;
    };
    state.reset();
    memory.reset();
  }
  static OutcomeBuilder& Of(hsw_outcome* raw) { return *static_cast<OutcomeBuilder*>(raw->host); }

  hsw_outcome raw;
  std::optional<std::string> state, memory;
};

template <std::size_t N>
std::string_view Slot(const char (&slot)[N]) {
  return {slot, ::strnlen(slot, N)};
}

/// `code` as one stable word of letters, digits and '_'; `otherwise` if it is empty.
std::string Label(std::string_view code, const char* otherwise) {
  std::string label = ToLower(code);
  for (char& c : label) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) c = '_';
  }
  return label.empty() ? otherwise : label;
}

int Bounded(std::uint32_t value) {
  return static_cast<int>(std::min<std::uint32_t>(value, 1'000'000));
}

struct RequestBuilder {
  HttpRequest request;
  std::size_t body_size = 0;  ///< as given; a body over HSW_MOST_BODY is not copied
  hsw_request raw{};

  RequestBuilder() {
    raw.size = sizeof raw;
    raw.host = this;
    raw.set_method = [](void* self, hsw_str text) { Of(self).method.assign(View(text)); };
    raw.set_url = [](void* self, hsw_str text) { Of(self).url.assign(View(text)); };
    raw.add_header = [](void* self, hsw_str name, hsw_str value) {
      Of(self).headers.emplace_back(View(name), View(value));
    };
    raw.set_body = [](void* self, hsw_str text) {
      auto& builder = *static_cast<RequestBuilder*>(self);
      builder.body_size = View(text).size();
      builder.request.body.assign(builder.body_size > HSW_MOST_BODY ? std::string_view() : View(text));
    };
    raw.public_only = [](void* self) { Of(self).public_only = true; };
    raw.pace = [](void* self, hsw_str key, std::uint32_t max, std::uint32_t per_ms, std::uint32_t burst) {
      Of(self).pace = Pace{.key = std::string(View(key)),
                           .max = Bounded(max),
                           .per = std::chrono::milliseconds(per_ms ? per_ms : 1000),
                           .burst = std::max(1, Bounded(burst))};
    };
    raw.order = [](void* self, hsw_str key) { Of(self).order.assign(View(key)); };
  }
  static HttpRequest& Of(void* self) { return static_cast<RequestBuilder*>(self)->request; }
};

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

/// Why the request must not be sent, or "".
std::string ProblemWith(const RequestBuilder& builder) {
  const HttpRequest& request = builder.request;
  if (builder.body_size > HSW_MOST_BODY) {
    return "its body has " + std::to_string(builder.body_size) + " bytes, at most " + std::to_string(HSW_MOST_BODY) +
           " are sent";
  }
  if (!IsHttpToken(request.method)) return "its method is not one";
  if (!request.url.starts_with("https://") && !request.url.starts_with("http://"))
    return "its URL is not http or https";
  if (HasSpaceOrControl(request.url)) return "its URL has spaces or control characters in it";
  for (const auto& [name, value] : request.headers) {
    if (!IsHttpToken(name)) return "it has a header whose name is not one";
    if (!IsHttpFieldValue(value)) return "its header " + name + " has control characters in it";
  }
  return "";
}

// After this time the releasing thread goes on, and destroy finishes in the background.
constexpr std::chrono::milliseconds kDestroyPatience{1000};

std::uint64_t NextInstanceNumber() {
  static std::atomic<std::uint64_t> last{SinkCall::kOnly};
  return ++last;
}

/// One instance of a plugin. Destroyed when no call is inside it.
class Instance {
 public:
  Instance(std::shared_ptr<Plugin> plugin, const HostContext& host, hsw_instance* raw, SinkAdvice advice)
      : plugin_(std::move(plugin)), host_(host), raw_(raw), advice_(advice) {}
  ~Instance() {
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
      TellStuck(PluginCall::kDestroy);
    }
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  std::uint64_t number() const { return number_; }
  hsw_instance* raw() const { return raw_; }
  const SinkAdvice& advice() const { return advice_; }

  void TellStuck(PluginCall call) const {
    log::Error("plugin_stuck", {{"sink", host_.name}, {"plugin", plugin_->info.id}, {"call", ToString(call)}});
  }

  /// For instances that take one call at a time: blocks until no other call is inside. False: given up; no call may
  /// enter.
  bool Take() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (taken_ && !given_up_) free_.Wait(mu_);
    if (given_up_) return false;
    taken_ = true;
    return true;
  }
  void Leave() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    taken_ = false;
    free_.NotifyOne();
  }
  void GiveUp() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    given_up_ = true;
    free_.NotifyAll();
  }
  bool IsGivenUp() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return given_up_;
  }

  /// False if the previous reopen has not returned.
  bool BeginReopen() { return !reopening_.exchange(true); }
  void EndReopen() { reopening_ = false; }

 private:
  const std::uint64_t number_ = NextInstanceNumber();
  const std::shared_ptr<Plugin> plugin_;
  const HostContext& host_;
  hsw_instance* const raw_;
  const SinkAdvice advice_;
  Mutex mu_;
  CondVar free_;
  bool taken_ GUARDED_BY(mu_) = false;
  bool given_up_ GUARDED_BY(mu_) = false;
  std::atomic<bool> reopening_{false};
};

using InstancePtr = std::shared_ptr<Instance>;

/// Calls create and advise. Errors: kInvalid (the plugin's reason, unmasked), kUnavailable (it does not return).
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
    const AbiDelivery abi(delivery);
    RequestBuilder builder;
    OutcomeBuilder out;
    int refused = 1;
    const auto render = [&](hsw_instance* self) { refused = sink_.render(self, abi.get(), &builder.raw, &out.raw); };
    if (!Call(PluginCall::kRender, delivery, out, render) || refused) {
      Outcome outcome = Read(out, delivery.step);
      if (outcome.kind == Outcome::Kind::kNext) {
        return Fault(Outcome::Kind::kRejected, "the plugin asked for a next step without sending this one");
      }
      return outcome;
    }
    if (const std::string problem = ProblemWith(builder); !problem.empty()) {
      return Fault(Outcome::Kind::kRejected, "the plugin made a request that cannot be sent: " + problem);
    }
    builder.request.transport = transport_;
    return std::move(builder.request);
  }

  Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                    std::optional<std::chrono::milliseconds> retry_after) override {
    HSW_CHECK(sink_.interpret, "the caller asks kind() first, and an HTTP sink without interpret is not loaded");
    const AbiDelivery abi(delivery);
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
    OutcomeBuilder out;
    Call(PluginCall::kInterpret, delivery, out,
         [&](hsw_instance* self) { sink_.interpret(self, abi.get(), &raw, &out.raw); });
    Outcome outcome = Read(out, delivery.step);
    outcome.http_status = response.status;
    return outcome;
  }

  Outcome Deliver(const SinkDelivery& delivery, std::chrono::milliseconds timeout,
                  const std::function<bool()>& canceled) override {
    HSW_CHECK(sink_.deliver, "the caller asks kind() first, and a call sink without deliver is not loaded");
    const AbiDelivery abi(delivery);
    hsw_call call{};
    call.size = sizeof call;
    call.timeout_ms = timeout.count();
    call.canceled = [](const hsw_call* self) -> int {
      const auto& ask = *static_cast<const std::function<bool()>*>(self->host);
      return ask && ask() ? 1 : 0;
    };
    call.host = &canceled;
    OutcomeBuilder out;
    Call(PluginCall::kDeliver, delivery, out,
         [&](hsw_instance* self) { sink_.deliver(self, &call, abi.get(), &out.raw); });
    return Read(out, delivery.step);
  }

  std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery& delivery) override {
    if (!sink_.preview) return std::nullopt;
    const AbiDelivery abi(delivery);
    RequestBuilder builder;
    OutcomeBuilder out;
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
    if (!instance->BeginReopen()) return instance->TellStuck(PluginCall::kReopen);
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
    if (!returned) instance->TellStuck(PluginCall::kReopen);
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
  bool Call(PluginCall call, const SinkDelivery& delivery, OutcomeBuilder& out, Body body) {
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

  Outcome Fault(Outcome::Kind kind, std::string reason) const {
    Outcome outcome;
    outcome.kind = kind;
    outcome.code = "plugin_fault";
    outcome.reason = host_.masker.Mask(reason);
    outcome.action = "report this to the author of the sink " + plugin_->info.id + " " + plugin_->info.version;
    return outcome;
  }

  Outcome Read(const OutcomeBuilder& built, std::uint32_t step) const {
    const hsw_outcome& out = built.raw;
    Outcome outcome;
    const char* code = "";
    switch (out.status) {
      case HSW_DELIVERED: outcome.kind = Outcome::Kind::kDelivered; break;
      case HSW_REJECTED:
        outcome.kind = Outcome::Kind::kRejected;
        code = "rejected";
        break;
      case HSW_MISCONFIGURED:
        outcome.kind = Outcome::Kind::kMisconfigured;
        code = "misconfigured";
        break;
      case HSW_NEXT: outcome.kind = Outcome::Kind::kNext; break;
      default: outcome.kind = Outcome::Kind::kRetry; code = "retry";
    }
    if (outcome.kind == Outcome::Kind::kNext && step + 1 >= kMostSteps) {
      return Fault(Outcome::Kind::kRejected, "the plugin asked for more than " + std::to_string(kMostSteps) + " steps");
    }
    // An outcome the plugin left unset only makes sense as a retry.
    const bool silent = Slot(out.code) == kNoOutcome;
    const bool retry = outcome.kind == Outcome::Kind::kRetry;
    // A code may be copied from the response, which may echo the request.
    const std::string_view word = silent && !retry ? std::string_view() : Slot(out.code);
    outcome.code = Label(host_.masker.Mask(word) == word ? word : std::string_view(), code);
    if (Slot(out.reason) != kSilence || (silent && retry)) outcome.reason = Clean(Slot(out.reason));
    outcome.action = Clean(Slot(out.action));
    outcome.remote_id = Clean(Slot(out.remote_id));
    if (outcome.kind == Outcome::Kind::kRetry && out.retry_after_ms > 0) {
      outcome.retry_after = std::chrono::milliseconds(out.retry_after_ms);
    }
    if (outcome.kind == Outcome::Kind::kMisconfigured) {
      switch (out.scope) {
        case HSW_SCOPE_PLACE: outcome.scope = Outcome::Scope::kPlace; break;
        case HSW_SCOPE_SINK: outcome.scope = Outcome::Scope::kSink; break;
        default: break;
      }
      if (outcome.scope == Outcome::Scope::kPlace) outcome.place = Clean(Slot(out.place));
    }
    if (outcome.kind == Outcome::Kind::kNext) outcome.state = built.state ? *built.state : Slot(out.state);
    if (outcome.state.size() > HSW_MOST_STATE) {
      Outcome fault =
          Fault(Outcome::Kind::kRejected, "the plugin left a state of " + std::to_string(outcome.state.size()) +
                                              " bytes, at most " + std::to_string(HSW_MOST_STATE) + " are kept");
      fault.may_have_been_delivered = true;  // the step itself succeeded
      return fault;
    }
    outcome.may_have_been_delivered = (out.flags & HSW_MAYBE_DELIVERED) != 0;
    outcome.has_memory = (out.flags & HSW_MEMORY_SET) != 0;
    if (outcome.has_memory) outcome.memory = built.memory ? *built.memory : Slot(out.memory);
    if (outcome.memory.size() > HSW_MOST_STATE) {
      log::Error("sink_misbehaves",
                 {{"sink", host_.name},
                  {"text", "it left a memory of " + std::to_string(outcome.memory.size()) + " bytes, at most " +
                               std::to_string(HSW_MOST_STATE) + " are kept: none was"}});
      outcome.has_memory = false;
      outcome.memory.clear();
    }
    return outcome;
  }

  std::string Clean(std::string_view text) const {
    return text.empty() ? std::string() : host_.masker.Mask(ToUtf8(text));
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

const hsw_host* HostFor(const std::string& sink, Masker masker) {
  return &HostOf(sink, std::move(masker)).raw;
}

std::string RefusalText(const PluginInfo& plugin, const std::string& sink, const std::string& reason) {
  return "sinks." + sink + ": the plugin " + plugin.id + " " + plugin.version +
         " refuses its config: " + (reason.empty() ? "it gave no reason" : reason);
}

Result<std::shared_ptr<Sink>> MakePluginSink(std::shared_ptr<Plugin> plugin, std::shared_ptr<const PluginConfig> config,
                                             Masker masker, std::shared_ptr<const Transport> transport,
                                             std::uint64_t subject) {
  const std::string& name = config->sink();
  HostContext& host = HostOf(name, std::move(masker));
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
