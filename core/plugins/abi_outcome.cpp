#include "core/plugins/abi_outcome.h"

#include <chrono>
#include <cstring>
#include <string_view>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/plugins/abi_delivery.h"
#include "core/plugins/sink.h"

namespace hookswitch::plugins {
namespace {

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

std::string Clean(const HostContext& host, std::string_view text) {
  return text.empty() ? std::string() : host.masker.Mask(ToUtf8(text));
}

}  // namespace

void AbiOutcome::Begin() {
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

Outcome ReadOutcome(const AbiOutcome& built, std::uint32_t step, const HostContext& host, const PluginInfo& plugin) {
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
    return FaultOf(host, plugin, Outcome::Kind::kRejected,
                   "the plugin asked for more than " + std::to_string(kMostSteps) + " steps");
  }
  // An outcome the plugin left unset only makes sense as a retry.
  const bool silent = Slot(out.code) == kNoOutcome;
  const bool retry = outcome.kind == Outcome::Kind::kRetry;
  // A code may be copied from the response, which may echo the request.
  const std::string_view word = silent && !retry ? std::string_view() : Slot(out.code);
  outcome.code = Label(host.masker.Mask(word) == word ? word : std::string_view(), code);
  if (Slot(out.reason) != kSilence || (silent && retry)) outcome.reason = Clean(host, Slot(out.reason));
  outcome.action = Clean(host, Slot(out.action));
  outcome.remote_id = Clean(host, Slot(out.remote_id));
  if (outcome.kind == Outcome::Kind::kRetry && out.retry_after_ms > 0) {
    outcome.retry_after = std::chrono::milliseconds(out.retry_after_ms);
  }
  if (outcome.kind == Outcome::Kind::kMisconfigured) {
    switch (out.scope) {
      case HSW_SCOPE_PLACE: outcome.scope = Outcome::Scope::kPlace; break;
      case HSW_SCOPE_SINK: outcome.scope = Outcome::Scope::kSink; break;
      default: break;
    }
    if (outcome.scope == Outcome::Scope::kPlace) outcome.place = Clean(host, Slot(out.place));
  }
  if (outcome.kind == Outcome::Kind::kNext) outcome.state = built.state ? *built.state : Slot(out.state);
  if (outcome.state.size() > HSW_MOST_STATE) {
    Outcome fault = FaultOf(host, plugin, Outcome::Kind::kRejected,
                            "the plugin left a state of " + std::to_string(outcome.state.size()) + " bytes, at most " +
                                std::to_string(HSW_MOST_STATE) + " are kept");
    fault.may_have_been_delivered = true;  // the step itself succeeded
    return fault;
  }
  outcome.may_have_been_delivered = (out.flags & HSW_MAYBE_DELIVERED) != 0;
  outcome.has_memory = (out.flags & HSW_MEMORY_SET) != 0;
  if (outcome.has_memory) outcome.memory = built.memory ? *built.memory : Slot(out.memory);
  if (outcome.memory.size() > HSW_MOST_STATE) {
    log::Error("sink_misbehaves",
               {{"sink", host.name},
                {"text", "it left a memory of " + std::to_string(outcome.memory.size()) + " bytes, at most " +
                             std::to_string(HSW_MOST_STATE) + " are kept: none was"}});
    outcome.has_memory = false;
    outcome.memory.clear();
  }
  return outcome;
}

Outcome FaultOf(const HostContext& host, const PluginInfo& plugin, Outcome::Kind kind, const std::string& reason) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.code = "plugin_fault";
  outcome.reason = host.masker.Mask(reason);
  outcome.action = "report this to the author of the sink " + plugin.id + " " + plugin.version;
  return outcome;
}

}  // namespace hookswitch::plugins
