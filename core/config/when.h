#pragma once
#include "core/config/config.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

Condition MakeCondition(const Node* when, const Mark& where, Problems& problems);
/// True if there is a `status` condition anywhere in the tree.
bool HasStatusCondition(const Condition& condition);
StatusSet MakeStatuses(const Node* node);

}  // namespace hookswitch::config
