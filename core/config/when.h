#pragma once
#include "core/config/config.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Compiles a rule's `when`; nullptr (no `when`) matches every event. `where`: the rule, for problems without a node.
Condition MakeCondition(const Node* when, const Mark& where, Problems& problems);
/// True if there is a `status` condition anywhere in the tree.
bool HasStatusCondition(const Condition& condition);
/// The statuses that `node` names, one or a list, groups included; 0 if it is nullptr or names none that exist.
StatusSet MakeStatuses(const Node* node);

}  // namespace hookswitch::config
