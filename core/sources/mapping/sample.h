#pragma once
#include <string_view>

#include "core/config/config.h"
#include "core/config/problem.h"

namespace hookswitch {

/// Reads `body`, the sample of the mapping of `source`, with it. Warns if it is refused, and of each path of a field
/// that it does not have, at the path's place; conditions may be about what is absent, and headers are not in a sample.
void CheckSample(const config::Source& source, std::string_view body, config::Problems& problems);

}  // namespace hookswitch
