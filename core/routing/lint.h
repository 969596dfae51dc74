#pragma once
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"

namespace hookswitch::routing {

/// Warns of rules that can never run (an earlier rule always ends the evaluation, or their statuses or stages exclude
/// each other) and of those that never send (earlier rules always take their sinks). May miss cases; no false warnings.
void Lint(const std::vector<config::Rule>& rules, config::Problems& problems);

}  // namespace hookswitch::routing
