#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/secret.h"
#include "core/config/loader.h"

namespace hookswitch::config {

/// The secret that `value` ({env: NAME}, {file: PATH} or text) stands for; empty with a problem if there is none. `at`
/// names the value in messages. Relative paths start at the folder of the file that holds `value`.
std::optional<Secret> ResolveSecret(const Node& value, std::string_view at, const Environment& environment,
                                    Problems& problems);

/// `path` as seen from the folder of the config file `from`.
std::string RelativeTo(std::string_view from, std::string_view path);

}  // namespace hookswitch::config
