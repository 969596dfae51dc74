#pragma once
#include <string_view>

namespace hookswitch::config {

/// The JSON Schema (draft-07) of the config file. `sinks.*.config` is left open: plugins add theirs.
std::string_view SchemaText();

}  // namespace hookswitch::config
