#pragma once
#include <string>

#include "core/config/mapping.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// The mapping that `map` describes; `at` is its name in messages, "sources.crm.map". What the schema's definition
/// "map" rejects, or has rejected, is left out; what a schema cannot express goes to `problems`. `sample` is as
/// written.
Mapping ReadMapping(const Node& map, const std::string& at, Problems& problems);

}  // namespace hookswitch::config
