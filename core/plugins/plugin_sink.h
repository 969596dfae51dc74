#pragma once
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/plugins/masker.h"
#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/sink.h"

namespace hookswitch::plugins {

/// Makes an instance of the plugin; kInvalid with the plugin's reason if it refuses.
Result<std::shared_ptr<Sink>> MakePluginSink(std::shared_ptr<Plugin> plugin, const std::string& name,
                                             const PluginConfig& config, Masker masker);

}  // namespace hookswitch::plugins
