#pragma once
#include <string>

#include "core/base/json.h"

namespace hookswitch::conformance {

/// The first thing in a config schema that hookswitch ignores (`oneOf`, `format`, a pattern that RE2 cannot read), with
/// its place; "" if there is none. A plugin that relies on it gets configs that it expects to be rejected.
std::string IgnoredIn(const json::value& schema);

}  // namespace hookswitch::conformance
