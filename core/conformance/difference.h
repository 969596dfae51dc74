#pragma once
#include <string>
#include <vector>

#include "core/base/json.h"

namespace hookswitch::conformance {

struct Difference {
  std::string at;           ///< RFC 6901 pointer
  std::string wanted, got;  ///< as JSON; "nothing" where there is none
};

/// Where two values differ, in order, at most `most` places. The order of an object's members is ignored, and 1
/// equals 1.0.
std::vector<Difference> Differences(const json::value& wanted, const json::value& got, std::size_t most);

}  // namespace hookswitch::conformance
