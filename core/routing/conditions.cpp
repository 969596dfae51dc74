#include "core/routing/conditions.h"

#include <algorithm>

#include "core/base/check.h"

namespace hookswitch::routing {
namespace {

using config::Condition;
using Kind = Condition::Kind;

constexpr StepSet kAllSteps = (StepSet{1} << kStepCount) - 1;

StepSet StepsOf(StatusSet statuses, StageSet stages) {
  StepSet set = 0;
  for (std::size_t i = 0; i < kStepCount; ++i) {
    const auto status = static_cast<CallStatus>(i / kStageCount);
    const auto stage = static_cast<Stage>(i % kStageCount);
    if ((statuses & Bit(status)) != 0 && (stages & Bit(stage)) != 0) set |= StepSet{1} << i;
  }
  return set;
}

StepSet StepsOf(const Condition& condition) {
  constexpr auto kAnyStage = static_cast<StageSet>((1U << kStageCount) - 1);
  if (condition.kind == Kind::kStage) return StepsOf(*ParseStatusGroup("any"), condition.TakenStages());
  return StepsOf(condition.statuses, kAnyStage);
}

StepSet IntersectionOf(const std::vector<Condition>& children, StepSet (*of)(const Condition&)) {
  StepSet set = kAllSteps;
  for (const Condition& child : children) set &= of(child);
  return set;
}

StepSet UnionOf(const std::vector<Condition>& children, StepSet (*of)(const Condition&)) {
  StepSet set = 0;
  for (const Condition& child : children) set |= of(child);
  return set;
}

bool SamePattern(const config::Pattern& a, const config::Pattern& b) {
  return a.mode == b.mode && a.text == b.text && a.ignore_case == b.ignore_case;
}

template <class T, class Same>
bool Subset(const std::vector<T>& few, const std::vector<T>& many, Same same) {
  return std::all_of(few.begin(), few.end(), [&](const T& x) {
    return std::any_of(many.begin(), many.end(), [&](const T& y) { return same(x, y); });
  });
}

}  // namespace

std::vector<const Condition*> Conjuncts(const Condition& when) {
  if (when.kind != Kind::kAll) return {&when};
  std::vector<const Condition*> all;
  for (const Condition& child : when.children) {
    const auto nested = Conjuncts(child);
    all.insert(all.end(), nested.begin(), nested.end());
  }
  return all;
}

StepSet PossibleSteps(const Condition& condition) {
  switch (condition.kind) {
    case Kind::kAll: return IntersectionOf(condition.children, PossibleSteps);
    case Kind::kAny: return UnionOf(condition.children, PossibleSteps);
    case Kind::kNot: return kAllSteps & ~IntersectionOf(condition.children, CertainSteps);
    case Kind::kStatus:
    case Kind::kStage: return StepsOf(condition);
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
    case Kind::kTranscript:
    case Kind::kSummary:
    case Kind::kSentiment:
    case Kind::kData:
    case Kind::kDataRange:
    case Kind::kDirection:
    case Kind::kMinDuration:
    case Kind::kMaxDuration:
    case Kind::kMinCost:
    case Kind::kMaxCost:
    case Kind::kVoicemail:
    case Kind::kSuccess:
    case Kind::kDuring:
    case Kind::kHas: return kAllSteps;
  }
  Unreachable();
}

StepSet CertainSteps(const Condition& condition) {
  switch (condition.kind) {
    case Kind::kAll: return IntersectionOf(condition.children, CertainSteps);
    case Kind::kAny: return UnionOf(condition.children, CertainSteps);
    case Kind::kNot: return kAllSteps & ~IntersectionOf(condition.children, PossibleSteps);
    case Kind::kStatus:
    case Kind::kStage: return StepsOf(condition);
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
    case Kind::kTranscript:
    case Kind::kSummary:
    case Kind::kSentiment:
    case Kind::kData:
    case Kind::kDataRange:
    case Kind::kDirection:
    case Kind::kMinDuration:
    case Kind::kMaxDuration:
    case Kind::kMinCost:
    case Kind::kMaxCost:
    case Kind::kVoicemail:
    case Kind::kSuccess:
    case Kind::kDuring:
    case Kind::kHas: return 0;
  }
  Unreachable();
}

bool Implies(const Condition& condition, const Condition& other) {
  if (condition.kind != other.kind || condition.path != other.path) return false;
  switch (condition.kind) {
    case Kind::kAll:
    case Kind::kAny: return false;
    case Kind::kNot:
      return condition.children.size() == 1 && other.children.size() == 1 &&
             Implies(other.children[0], condition.children[0]);
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
    case Kind::kTranscript:
    case Kind::kSummary:
    case Kind::kSentiment:
    case Kind::kData:
    case Kind::kDuring: return Subset(condition.patterns, other.patterns, SamePattern);
    case Kind::kHas: return Subset(other.patterns, condition.patterns, SamePattern);
    case Kind::kStatus: return (condition.statuses & ~other.statuses) == 0;
    case Kind::kDataRange:
      return (!other.least || (condition.least && *condition.least >= *other.least)) &&
             (!other.most || (condition.most && *condition.most <= *other.most));
    case Kind::kStage: return (condition.TakenStages() & ~other.TakenStages()) == 0;
    case Kind::kDirection: return Subset(condition.directions, other.directions, std::equal_to<>());
    case Kind::kMinDuration: return condition.number >= other.number;
    case Kind::kMaxDuration: return condition.number <= other.number;
    case Kind::kMinCost: return condition.currency == other.currency && condition.number >= other.number;
    case Kind::kMaxCost: return condition.currency == other.currency && condition.number <= other.number;
    case Kind::kVoicemail:
    case Kind::kSuccess: return condition.flag == other.flag;
  }
  return false;
}

}  // namespace hookswitch::routing
