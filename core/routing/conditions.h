#pragma once
#include <vector>

#include "core/config/config.h"

/// What follows from a condition alone, without any event.
namespace hookswitch::routing {

/// The conditions that must all be true for `when`, with nested `all` flattened. Borrowed from `when`.
std::vector<const config::Condition*> Conjuncts(const config::Condition& when);

/// The statuses with which `condition` may be true; with any other it is certainly false.
StatusSet PossibleStatuses(const config::Condition& condition);
/// The statuses with which `condition` is certainly true, whatever else is in the event.
StatusSet CertainStatuses(const config::Condition& condition);

/// True if every event that satisfies `condition` certainly satisfies `other`. May miss cases; no false positives.
bool Implies(const config::Condition& condition, const config::Condition& other);

}  // namespace hookswitch::routing
