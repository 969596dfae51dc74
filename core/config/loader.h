#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/config/config.h"
#include "core/config/environment.h"

namespace hookswitch::config {

/// The readable parts of a config that has errors: to look for more of them, never to run.
struct Draft {
  /// Parts with errors have their defaults or are left out; where they are unknown, `Sink::plugin` is "" and
  /// `Sink::config` not a map.
  Config config;
  bool plugin_paths_known = true;  ///< false: an error in `plugins` may be why a plugin is not found
  /// Sections ("rules") that may be incomplete: a name missing from them is not reported.
  std::set<std::string, std::less<>> in_doubt;
};

struct Loaded {
  std::optional<Config> config;  ///< absent if there are errors
  std::optional<Draft> draft;    ///< instead of `config`; absent too if nothing more can be looked for
  Problems problems;             ///< errors and warnings
  bool unreadable = false;       ///< the main file could not be read at all (exit code 2)

  /// The config, else the draft's: to find folders, not to run. nullptr if there is neither.
  const Config* Readable() const { return config ? &*config : draft ? &draft->config : nullptr; }
};

/// Reads the main file and its includes, checks everything that needs no plugin, and reports all problems at once. With
/// errors there is a draft instead of a config, so that higher layers can add their own findings. Resolves secrets;
/// environment and files are read again each time. Never throws; thread-safe if `environment` is.
Loaded Load(const std::string& path, const Environment& environment);

}  // namespace hookswitch::config
