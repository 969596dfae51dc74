#pragma once
#include <string>

#include "core/base/json.h"

namespace hookswitch::conformance {

/// What is wrong with the keys of a case (plugins/README.md, "Cases"), with the place and a suggestion; "" if nothing.
std::string NotOfACase(const json::object& given);

}  // namespace hookswitch::conformance
