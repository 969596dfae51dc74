#pragma once
#include <memory>

#include "core/app/generation.h"
#include "core/cli/commands.h"
#include "core/plugins/plugin_host.h"

namespace hookswitch::cli {

/// A generation built from the config, with the plugins it needs.
struct BuiltConfig {
  std::unique_ptr<PluginHost> plugins;
  BuildResult result;
  int exit_code = kFine;  ///< if there is no generation, why
};

/// Reads the config that the options name, as a start does, but without tolerating bad plugins.
BuiltConfig BuildConfig(const Options& options);

}  // namespace hookswitch::cli
