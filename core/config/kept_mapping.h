#pragma once
#include <string>

#include "core/config/mapping.h"

namespace hookswitch::config {

/// `mapping` as a `map` in YAML that reads as an equal one, apart from places and `sample`. Equal mappings give the
/// same text.
std::string MappingText(const Mapping& mapping);

}  // namespace hookswitch::config
