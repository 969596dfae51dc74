#pragma once
#include <string>

#include "core/config/loader.h"
#include "core/event/outcome.h"

namespace hookswitch::config {

/// A sink's `tls` and `proxy`, its files read. `at` names the sink in messages. What is wrong goes to `problems` and
/// is left out.
Transport MakeTransport(const Node& sink, const std::string& at, const Environment& environment, Problems& problems);

}  // namespace hookswitch::config
