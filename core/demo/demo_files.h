#pragma once
#include <string_view>

namespace hookswitch::demo {

/// core/demo/calls.json, which made_up_calls.cpp reads.
std::string_view CallsText();
/// core/demo/demo.yaml, with $ADMIN, $ANY_HOST and $PACE in it.
std::string_view ConfigText();

}  // namespace hookswitch::demo
