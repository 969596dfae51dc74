#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/event/outcome.h"
#include "core/plugins/host_context.h"
#include "core/plugins/plugin_host.h"
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

/// An hsw_outcome and the values passed to its setters.
struct AbiOutcome {
  AbiOutcome() { Begin(); }
  AbiOutcome(const AbiOutcome&) = delete;
  AbiOutcome& operator=(const AbiOutcome&) = delete;

  /// Prefills the outcome: a plugin that leaves it as it is asks for a retry.
  void Begin();

  hsw_outcome raw;
  std::optional<std::string> state, memory;

 private:
  static AbiOutcome& Of(hsw_outcome* raw) { return *static_cast<AbiOutcome*>(raw->host); }
};

/// What the plugin left in `built`, masked, with its limits enforced. `step`: of the delivery.
Outcome ReadOutcome(const AbiOutcome& built, std::uint32_t step, const HostContext& host, const PluginInfo& plugin);

/// The outcome of a plugin that broke the ABI's rules.
Outcome FaultOf(const HostContext& host, const PluginInfo& plugin, Outcome::Kind kind, const std::string& reason);

}  // namespace hookswitch::plugins
