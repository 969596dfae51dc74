#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/plugins/masker.h"
#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/sink.h"

namespace hookswitch::plugins {

/// "sinks.ops: the plugin slack 1.0.0 refuses its config: …". `reason` must be masked; may be empty.
std::string RefusalText(const PluginInfo& plugin, const std::string& sink, const std::string& reason);

/// Creates an instance of the plugin, and replaces it whenever a call into it never returned. A create that never
/// returns keeps `config`, and later instances need it. `subject` marks the call of create (CrashMarks::Where);
/// `transport` is attached to every request, nullptr: none. Errors: kInvalid (the plugin refuses; its reason),
/// kUnavailable (its create does not return).
Result<std::shared_ptr<Sink>> MakePluginSink(std::shared_ptr<Plugin> plugin, std::shared_ptr<const PluginConfig> config,
                                             Masker masker, std::shared_ptr<const Transport> transport = nullptr,
                                             std::uint64_t subject = 0);

}  // namespace hookswitch::plugins
