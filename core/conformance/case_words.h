#pragma once
#include <string>

#include "core/base/json.h"

namespace hookswitch::conformance {

/// What is no word of a case (plugins/README.md, "Cases"), with its place and the nearest; "" if all are.
std::string NotOfACase(const json::object& given);

}  // namespace hookswitch::conformance
