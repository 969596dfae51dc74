#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/secret.h"
#include "core/config/environment.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// The secret that `value` ({env: NAME}, {file: PATH} or text) stands for, without the trailing line breaks of a
/// variable or a file. Empty if there is none, with a problem unless Environment::secrets_optional. `at` names the
/// value in messages. Relative paths start at the folder of the file that holds `value`.
///
/// Warns about a secret from a variable or a file that has quotes around it, white space or control characters, unless
/// `form_is_known`: then the secret's own pattern decides.
std::optional<Secret> ResolveSecret(const Node& value, std::string_view at, const Environment& environment,
                                    Problems& problems, bool form_is_known = false);

/// Drops line breaks at the end: files and variables often have one that is not part of the secret.
std::string WithoutLineBreaks(std::string text);

/// `path` as seen from the folder of the config file `from`.
std::string RelativeTo(std::string_view from, std::string_view path);

}  // namespace hookswitch::config
