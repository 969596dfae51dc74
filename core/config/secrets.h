#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/secret.h"
#include "core/config/loader.h"

namespace hookswitch::config {

/// The secret that `value` ({env: NAME}, {file: PATH} or text) stands for, without the line breaks at its end; empty if
/// there is none, with a problem unless Environment::secrets_optional says that it is none. `at` names the value in
/// messages. Relative paths start at the folder of the file that holds `value`.
///
/// What a secret seldom holds on purpose (quotes around it, white space, control characters) is a warning at its place,
/// unless `form_is_known`: the secret's own pattern is the judge of that.
std::optional<Secret> ResolveSecret(const Node& value, std::string_view at, const Environment& environment,
                                    Problems& problems, bool form_is_known = false);

/// Files and variables often end in a line break that is no part of the secret.
std::string WithoutLineBreaks(std::string text);

/// `path` as seen from the folder of the config file `from`.
std::string RelativeTo(std::string_view from, std::string_view path);

}  // namespace hookswitch::config
