#pragma once
#include <vector>

#include "core/config/config.h"

/// What can be known of a condition without any event.
namespace hookswitch::routing {

/// The conditions that must all be true for `when`: nested `all` is opened up. Borrowed from `when`.
std::vector<const config::Condition*> Conjuncts(const config::Condition& when);

/// The statuses with which `condition` may be true: with any other it is surely false.
StatusSet PossibleStatuses(const config::Condition& condition);
/// The statuses with which `condition` is surely true, whatever else the event holds.
StatusSet CertainStatuses(const config::Condition& condition);

/// True if every event that makes `condition` true surely makes `other` true. May miss cases; never claims one falsely.
bool Implies(const config::Condition& condition, const config::Condition& other);

}  // namespace hookswitch::routing
