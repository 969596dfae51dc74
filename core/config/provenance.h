#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/config/config.h"

namespace hookswitch::config {

/// One value of a config, and where it comes from.
struct ConfigValue {
  std::string path;      ///< `sinks.ops.rate_limit.max`, `rules[2].when."data.outcome"`
  json::value value;     ///< as written, or the default; null if `secret`
  std::string from;      ///< "hookswitch.yaml:12:7"; "default"
  bool secret = false;   ///< it is a secret, or may be one: its plugin's schema is not known, or does not describe it
  std::string source{};  ///< where the secret is: "env SLACK_WEBHOOK_URL", "file hook.txt"; "": in the config itself
};

struct ConfigValues {
  std::vector<ConfigValue> all;
  std::size_t left_out = 0;
};

/// Every value that the files of `config` hold, in the order of the schema's sections, and the defaults of what they
/// leave out. `plugin_schemas`: the config schema of each plugin by its name. At most `most` values.
///
/// Parses the files' texts again, as they were when `config` was loaded. Never holds a secret.
ConfigValues ValuesOf(const Config& config, const std::map<std::string, std::string, std::less<>>& plugin_schemas,
                      std::size_t most);

}  // namespace hookswitch::config
