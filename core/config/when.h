#pragma once
#include "core/config/config.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Compiles a rule's `when`; nullptr (no `when`) matches every event. `where`: the rule, for problems without a node.
Condition MakeCondition(const Node* when, const Mark& where, Problems& problems);
/// True if there is a `status` or a `stage` condition anywhere in the tree.
bool NamesStatusOrStage(const Condition& condition);
/// Lets an ended event fulfil what asks for a final one, except under an odd number of `not`: for a rule with `settle`.
void LetEndedSettle(Condition& condition, bool negated = false);
/// The statuses that `node` names, one or a list, groups included; 0 if it is nullptr or names none that exist.
StatusSet MakeStatuses(const Node* node);

}  // namespace hookswitch::config
