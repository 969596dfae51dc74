#pragma once
#include <string>

#include "core/config/environment.h"
#include "core/config/node.h"
#include "core/config/problem.h"
#include "core/event/outcome.h"

namespace hookswitch::config {

/// Reads a sink's `tls` and `proxy`, and their files. `at` names the sink in messages. Invalid parts are reported in
/// `problems` and left out.
Transport MakeTransport(const Node& sink, const std::string& at, const Environment& environment, Problems& problems);

}  // namespace hookswitch::config
