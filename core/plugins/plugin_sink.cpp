#include "core/plugins/plugin_sink.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/plugins/abi_delivery.h"

namespace hookswitch::plugins {
namespace {

// More steps than any exchange needs; a plugin that always asks for one more would keep its lane for ever.
constexpr std::uint32_t kMostSteps = 16;

/// What a plugin's hsw_host points to. A library is never unloaded and may keep the pointer as long, so these live for
/// ever: one for each instance ever made, a few hundred bytes each.
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

constexpr std::string_view kNoOutcome = "no_outcome";
constexpr std::string_view kSilence = "the plugin left no outcome";

/// An hsw_outcome is 3.9 kB; only what tells of silence is set, so that a call costs no more than it must.
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

template <std::size_t N>
std::string_view Slot(const char (&slot)[N]) {
  return {slot, ::strnlen(slot, N)};
}

/// A metric label: letters, digits and '_'.
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
  hsw_request raw{};

  RequestBuilder() {
    raw.size = sizeof raw;
    raw.host = this;
    raw.set_method = [](void* self, hsw_str text) { Of(self).method.assign(View(text)); };
    raw.set_url = [](void* self, hsw_str text) { Of(self).url.assign(View(text)); };
    raw.add_header = [](void* self, hsw_str name, hsw_str value) {
      Of(self).headers.emplace_back(View(name), View(value));
    };
    raw.set_body = [](void* self, hsw_str text) { Of(self).body.assign(View(text)); };
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

bool IsToken(std::string_view text) {
  static constexpr std::string_view kAlso = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kAlso.find(c) != std::string_view::npos;
  });
}

/// What is wrong with a request that must not go out, or "".
std::string ProblemWith(const HttpRequest& request) {
  auto has_control = [](std::string_view text, bool space_too) {
    return std::any_of(text.begin(), text.end(), [&](char c) {
      return static_cast<unsigned char>(c) < (space_too ? 0x21 : 0x20) ? !(c == '\t' && !space_too) : c == 0x7F;
    });
  };
  if (!IsToken(request.method)) return "its method is not one";
  if (!request.url.starts_with("https://") && !request.url.starts_with("http://"))
    return "its URL is not http or https";
  if (has_control(request.url, true)) return "its URL has spaces or control characters in it";
  for (const auto& [name, value] : request.headers) {
    if (!IsToken(name)) return "it has a header whose name is not one";
    if (has_control(value, false)) return "its header " + name + " has control characters in it";
  }
  return "";
}

class PluginSink final : public Sink {
 public:
  PluginSink(std::shared_ptr<Plugin> plugin, HostContext& host, hsw_instance* instance, SinkAdvice advice)
      : plugin_(std::move(plugin)),
        sink_(plugin_->sink),
        host_(host),
        instance_(instance),
        advice_(advice),
        concurrent_(advice.concurrent_calls) {}
  ~PluginSink() override {
    MutexLock lock(plugin_->control);
    try {
      sink_.destroy(instance_);
    } catch (...) {
      log::Error("sink_misbehaves", {{"sink", host_.name}, {"text", "its destroy threw an exception"}});
    }
  }

  Kind kind() const override { return plugin_->info.kind; }

  SinkAdvice Advice() const override { return advice_; }

  std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) override {
    HSW_CHECK(sink_.render, "the caller asks kind() first, and an HTTP sink without render is not loaded");
    const AbiDelivery abi(delivery);
    RequestBuilder builder;
    hsw_outcome out;
    Prefill(out);
    int refused = 1;
    if (!Call(out, [&] { refused = sink_.render(instance_, abi.get(), &builder.raw, &out); }) || refused) {
      Outcome outcome = Read(out, delivery.step);
      if (outcome.kind == Outcome::Kind::kNext) {
        return Fault(Outcome::Kind::kRejected, "the plugin asked for a next step without sending this one");
      }
      return outcome;
    }
    if (const std::string problem = ProblemWith(builder.request); !problem.empty()) {
      return Fault(Outcome::Kind::kRejected, "the plugin made a request that cannot be sent: " + problem);
    }
    return std::move(builder.request);
  }

  Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                    std::optional<std::chrono::milliseconds> retry_after) override {
    HSW_CHECK(sink_.interpret, "the caller asks kind() first, and an HTTP sink without interpret is not loaded");
    constexpr std::size_t kMostBody = 256 * 1024;  // as sink.h promises
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
    raw.body = Str(std::string_view(response.body).substr(0, kMostBody));
    JsonLookup values;
    raw.json = [](const hsw_response* self, hsw_str pointer) {
      return static_cast<JsonLookup*>(const_cast<void*>(self->host))->Find(View(self->body), View(pointer));
    };
    raw.host = &values;
    hsw_outcome out;
    Prefill(out);
    Call(out, [&] { sink_.interpret(instance_, abi.get(), &raw, &out); });
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
    hsw_outcome out;
    Prefill(out);
    Call(out, [&] { sink_.deliver(instance_, &call, abi.get(), &out); });
    return Read(out, delivery.step);
  }

  std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery& delivery) override {
    if (!sink_.preview) return std::nullopt;
    const AbiDelivery abi(delivery);
    RequestBuilder builder;
    hsw_outcome out;
    Prefill(out);
    int refused = 1;
    if (!Call(out, [&] { refused = sink_.preview(instance_, abi.get(), &builder.raw, &out); }) || refused) {
      return Read(out, delivery.step);
    }
    return std::move(builder.request);
  }

  void Reopen() override {
    if (!sink_.reopen) return;
    try {
      sink_.reopen(instance_);
    } catch (...) {
      log::Error("sink_misbehaves", {{"sink", host_.name}, {"text", "its reopen threw an exception"}});
    }
  }

  std::string Mask(std::string_view text, std::size_t most) const override { return host_.masker.Mask(text, most); }

 private:
  /// Runs `body`, one at a time if the plugin wants it so. False, and a retry in `out`, if an exception came out.
  template <class Body>
  bool Call(hsw_outcome& out, Body body) {
    try {
      if (concurrent_) {
        body();
      } else {
        MutexLock lock(calls_);
        body();
      }
      return true;
    } catch (...) {
      // The SDK's wrapper lets none out; one written in bare C++ may.
      Prefill(out);
      std::strcpy(out.code, "plugin_exception");
      std::strcpy(out.reason, "the plugin let an exception escape");
      return false;
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

  Outcome Read(const hsw_outcome& out, std::uint32_t step) const {
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
    // What was pre-filled and left says something of a retry only.
    const bool silent = Slot(out.code) == kNoOutcome;
    const bool retry = outcome.kind == Outcome::Kind::kRetry;
    // A code may be a word of the answer's, and the answer may be what was sent.
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
    if (outcome.kind == Outcome::Kind::kNext) outcome.state = Slot(out.state);
    outcome.may_have_been_delivered = (out.flags & HSW_MAYBE_DELIVERED) != 0;
    outcome.has_memory = (out.flags & HSW_MEMORY_SET) != 0;
    if (outcome.has_memory) outcome.memory = Slot(out.memory);
    return outcome;
  }

  std::string Clean(std::string_view text) const {
    return text.empty() ? std::string() : host_.masker.Mask(ToUtf8(text));
  }

  const std::shared_ptr<Plugin> plugin_;
  const hsw_sink& sink_;
  HostContext& host_;
  hsw_instance* const instance_;
  const SinkAdvice advice_;
  const bool concurrent_;
  Mutex calls_;  ///< held around calls into an instance that takes one at a time
};

}  // namespace

Result<std::shared_ptr<Sink>> MakePluginSink(std::shared_ptr<Plugin> plugin, const std::string& name,
                                             const PluginConfig& config, Masker masker) {
  HostContext& host = KeepForever(std::make_unique<HostContext>(name, std::move(masker)));
  host.raw.size = sizeof host.raw;
  host.raw.abi_major = HSW_ABI_MAJOR;
  host.raw.abi_minor = HSW_ABI_MINOR;
  host.raw.host = &host;
  host.raw.log = HostLog;
  host.raw.service = HostService;
  std::array<char, 1024> error{};
  hsw_instance* instance = nullptr;
  SinkAdvice advice;
  std::string reason;
  {
    MutexLock lock(plugin->control);
    try {
      instance = plugin->sink.create(&host.raw, config.get(), error.data(), error.size());
      if (instance) advice = AdviceOf(plugin->sink, instance);
    } catch (...) {
      reason = "its create or advise threw an exception";
      instance = nullptr;
    }
  }
  if (!instance) {
    error.back() = '\0';
    if (reason.empty()) reason = *error.data() ? ToUtf8(error.data()) : "it gave no reason";
    return Error{ErrorCode::kInvalid, "sink " + name + ": the plugin " + plugin->info.id + " " + plugin->info.version +
                                          " refuses its config: " + host.masker.Mask(std::move(reason))};
  }
  return std::shared_ptr<Sink>(std::make_shared<PluginSink>(std::move(plugin), host, instance, advice));
}

}  // namespace hookswitch::plugins
