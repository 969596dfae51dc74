#pragma once
#include <string>
#include <vector>

#include "core/config/mapping.h"

namespace hookswitch::mapping {

/// What of a request beside its body a mapping reads, each once.
struct NamedParts {
  std::vector<std::string> headers;  ///< in lower case
  std::vector<std::string> parameters;
};
NamedParts PartsOf(const config::Mapping& mapping);

}  // namespace hookswitch::mapping
