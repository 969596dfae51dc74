#pragma once
#include <string>

#include "core/base/json.h"

namespace hookswitch::conformance {

/// What a config schema says that hookswitch does not look at (`oneOf`, `format`, a pattern that RE2 cannot read), with
/// the place; "" if there is nothing. A plugin that relies on it gets configs that it thinks were refused.
std::string IgnoredIn(const json::value& schema);

}  // namespace hookswitch::conformance
