#pragma once
#include <string>

namespace hookswitch {

/// This machine's name; "" if it has none.
std::string HostName();

}  // namespace hookswitch
