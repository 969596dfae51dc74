#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/config/config.h"

/// What follows from a condition alone, without any event.
namespace hookswitch::routing {

/// The conditions that must all be true for `when`, with nested `all` flattened. Borrowed from `when`.
std::vector<const config::Condition*> Conjuncts(const config::Condition& when);

/// What an event may have of status and stage together, one bit for each pair.
using StepSet = std::uint64_t;
inline constexpr std::size_t kStepCount = kCallStatusCount * kStageCount;
static_assert(kStepCount < 64);
constexpr std::size_t StepOf(CallStatus status, Stage stage) {
  return static_cast<std::size_t>(status) * kStageCount + static_cast<std::size_t>(stage);
}

/// The steps with which `condition` may be true; with any other it is certainly false.
StepSet PossibleSteps(const config::Condition& condition);
/// The steps with which `condition` is certainly true, whatever else is in the event.
StepSet CertainSteps(const config::Condition& condition);

/// True if every event that satisfies `condition` certainly satisfies `other`. May miss cases; no false positives.
bool Implies(const config::Condition& condition, const config::Condition& other);

}  // namespace hookswitch::routing
