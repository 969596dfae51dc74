#include "core/routing/candidates.h"

#include <algorithm>
#include <map>

#include "core/routing/conditions.h"

namespace hookswitch::routing {
namespace {

using Kind = config::Condition::Kind;

bool AllExact(const config::Condition& condition) {
  return std::all_of(condition.patterns.begin(), condition.patterns.end(), [](const config::Pattern& p) {
    return p.mode == config::Pattern::Mode::kExact && !p.text.empty();
  });
}

// The condition whose values find the rule: the kind that tells events apart best.
const config::Condition* KeyOf(const config::Condition& when) {
  const auto conjuncts = Conjuncts(when);
  for (const Kind kind : {Kind::kAgent, Kind::kTo, Kind::kFrom, Kind::kTags}) {
    for (const config::Condition* condition : conjuncts) {
      if (condition->kind == kind && AllExact(*condition)) return condition;
    }
  }
  return nullptr;
}

}  // namespace

Candidates::Candidates(const std::vector<config::Rule>& rules) {
  std::vector<StatusSet> statuses;
  std::vector<RuleIndex> unconditional;
  std::map<Kind, std::map<std::string, std::vector<RuleIndex>>> keyed;
  for (RuleIndex i = 0; i < rules.size(); ++i) {
    statuses.push_back(PossibleStatuses(rules[i].when));
    const config::Condition* key = KeyOf(rules[i].when);
    if (!key) {
      unconditional.push_back(i);
      continue;
    }
    for (const config::Pattern& pattern : key->patterns) {
      auto& list = keyed[key->kind][pattern.text];
      if (list.empty() || list.back() != i) list.push_back(i);
    }
  }
  unconditional_ = MakeBucket(unconditional, statuses);
  const std::pair<Kind, ByValue*> maps[] = {
      {Kind::kAgent, &by_agent_}, {Kind::kTo, &by_to_}, {Kind::kFrom, &by_from_}, {Kind::kTags, &by_tag_}};
  for (const auto& [kind, by_value] : maps) {
    for (const auto& [value, list] : keyed[kind]) by_value->emplace(value, MakeBucket(list, statuses));
  }
}

Candidates::Bucket Candidates::MakeBucket(const std::vector<RuleIndex>& rules, const std::vector<StatusSet>& statuses) {
  Bucket bucket;
  for (std::size_t s = 0; s < kCallStatusCount; ++s) {
    bucket.begin[s] = static_cast<std::uint32_t>(bucket.rules.size());
    for (const RuleIndex rule : rules) {
      if (statuses[rule] & Bit(static_cast<CallStatus>(s))) bucket.rules.push_back(rule);
    }
  }
  bucket.begin[kCallStatusCount] = static_cast<std::uint32_t>(bucket.rules.size());
  bucket.rules.shrink_to_fit();
  return bucket;
}

}  // namespace hookswitch::routing
