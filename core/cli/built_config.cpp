#include "core/cli/built_config.h"

#include <utility>

#include "core/config/loader.h"

namespace hookswitch::cli {

BuiltConfig BuildConfig(const Options& options) {
  BuiltConfig built;
  auto environment = config::Environment::System(options.env_file);
  environment.secrets_optional = options.no_secrets;
  config::Loaded loaded = config::Load(options.config, environment);
  built.plugins = PluginsFor(loaded.Readable(), options.program);
  built.result =
      BuildGeneration({environment, /*tolerate_bad_plugins=*/false}, std::move(loaded), *built.plugins, nullptr);
  if (!built.result.generation) built.exit_code = built.result.unreadable ? kUsage : kProblems;
  return built;
}

}  // namespace hookswitch::cli
