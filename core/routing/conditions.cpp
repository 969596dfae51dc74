#include "core/routing/conditions.h"

#include <algorithm>

#include "core/base/check.h"

namespace hookswitch::routing {
namespace {

using config::Condition;
using Kind = Condition::Kind;

StatusSet AllStatuses() {
  return *ParseStatusGroup("any");
}

StatusSet IntersectionOf(const std::vector<Condition>& children, StatusSet (*of)(const Condition&)) {
  StatusSet set = AllStatuses();
  for (const Condition& child : children) set &= of(child);
  return set;
}

StatusSet UnionOf(const std::vector<Condition>& children, StatusSet (*of)(const Condition&)) {
  StatusSet set = 0;
  for (const Condition& child : children) set |= of(child);
  return set;
}

bool SamePattern(const config::Pattern& a, const config::Pattern& b) {
  return a.mode == b.mode && a.text == b.text;
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

StatusSet PossibleStatuses(const Condition& condition) {
  switch (condition.kind) {
    case Kind::kAll: return IntersectionOf(condition.children, PossibleStatuses);
    case Kind::kAny: return UnionOf(condition.children, PossibleStatuses);
    case Kind::kNot: return AllStatuses() & ~IntersectionOf(condition.children, CertainStatuses);
    case Kind::kStatus: return condition.statuses;
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
    case Kind::kTranscript:
    case Kind::kSummary:
    case Kind::kData:
    case Kind::kDirection:
    case Kind::kMinDuration:
    case Kind::kMaxDuration:
    case Kind::kMinCost:
    case Kind::kMaxCost:
    case Kind::kVoicemail:
    case Kind::kDuring:
    case Kind::kHas: return AllStatuses();
  }
  Unreachable();
}

StatusSet CertainStatuses(const Condition& condition) {
  switch (condition.kind) {
    case Kind::kAll: return IntersectionOf(condition.children, CertainStatuses);
    case Kind::kAny: return UnionOf(condition.children, CertainStatuses);
    case Kind::kNot: return AllStatuses() & ~IntersectionOf(condition.children, PossibleStatuses);
    case Kind::kStatus: return condition.statuses;
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
    case Kind::kTranscript:
    case Kind::kSummary:
    case Kind::kData:
    case Kind::kDirection:
    case Kind::kMinDuration:
    case Kind::kMaxDuration:
    case Kind::kMinCost:
    case Kind::kMaxCost:
    case Kind::kVoicemail:
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
    case Kind::kData:
    case Kind::kDuring: return Subset(condition.patterns, other.patterns, SamePattern);
    case Kind::kHas: return Subset(other.patterns, condition.patterns, SamePattern);
    case Kind::kStatus: return (condition.statuses & ~other.statuses) == 0;
    case Kind::kDirection: return Subset(condition.directions, other.directions, std::equal_to<>());
    case Kind::kMinDuration: return condition.number >= other.number;
    case Kind::kMaxDuration: return condition.number <= other.number;
    case Kind::kMinCost: return condition.currency == other.currency && condition.number >= other.number;
    case Kind::kMaxCost: return condition.currency == other.currency && condition.number <= other.number;
    case Kind::kVoicemail: return condition.flag == other.flag;
  }
  return false;
}

}  // namespace hookswitch::routing
