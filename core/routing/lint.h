#pragma once
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"

namespace hookswitch::routing {

/// Warns of rules that can never run: an earlier rule always ends the walk first, or their statuses exclude each other.
/// May miss cases; never warns of a rule that could run.
void Lint(const std::vector<config::Rule>& rules, config::Problems& problems);

}  // namespace hookswitch::routing
