#pragma once
#include <string_view>

#include "core/config/config.h"
#include "core/config/environment.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

Oversized OversizedOf(std::string_view word);
Handshake HandshakeOf(std::string_view word);

/// Reads how the requests of the source `entry` are sent and understood: its methods, limits, handshake and map, and
/// what the page of its platform says. `source` has its type already.
void ReadRequestsOf(const Node::Entry& entry, const Environment& environment, Source& source, Problems& problems);

}  // namespace hookswitch::config
