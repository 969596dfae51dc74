#include "core/routing/candidates.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/routing/conditions.h"

namespace hookswitch::routing {
namespace {

using Kind = config::Condition::Kind;

// Longer beginnings are cut: few lengths mean few lookups for each event.
constexpr std::size_t kLongestBeginning = 32;

// What every text that the pattern matches equals or begins with; "" if unknown.
std::string BeginningOf(const config::Pattern& pattern) {
  using Mode = config::Pattern::Mode;
  if (pattern.mode == Mode::kExact) return pattern.text;
  if (pattern.mode != Mode::kGlob) return {};
  return pattern.text.substr(0, std::min(pattern.text.find_first_of("*?"), kLongestBeginning));
}

bool IsExact(const config::Pattern& pattern) {
  return pattern.mode == config::Pattern::Mode::kExact && !pattern.text.empty();
}

bool HasBeginning(const config::Pattern& pattern) {
  return !BeginningOf(pattern).empty();
}

// The condition to index a rule by: the kind that is most selective.
const config::Condition* KeyOf(const config::Condition& when) {
  const auto conjuncts = Conjuncts(when);
  for (const auto is_key : {&IsExact, &HasBeginning}) {
    for (const Kind kind : {Kind::kAgent, Kind::kTo, Kind::kFrom, Kind::kTags}) {
      for (const config::Condition* condition : conjuncts) {
        if (condition->kind == kind && std::ranges::all_of(condition->patterns, is_key)) return condition;
      }
    }
  }
  return nullptr;
}

}  // namespace

Candidates::Candidates(const std::vector<config::Rule>& rules) {
  using ByText = std::map<std::string, std::vector<RuleIndex>>;
  std::vector<StepSet> steps;
  std::vector<RuleIndex> unconditional;
  std::map<Kind, ByText> whole, beginnings;
  for (RuleIndex i = 0; i < rules.size(); ++i) {
    steps.push_back(PossibleSteps(rules[i].when));
    const config::Condition* key = KeyOf(rules[i].when);
    if (!key) {
      unconditional.push_back(i);
      continue;
    }
    for (const config::Pattern& pattern : key->patterns) {
      auto& list = (IsExact(pattern) ? whole : beginnings)[key->kind][BeginningOf(pattern)];
      if (list.empty() || list.back() != i) list.push_back(i);
    }
  }
  unconditional_ = MakeBucket(unconditional, steps);
  const std::pair<Kind, Index*> indexes[] = {
      {Kind::kAgent, &by_agent_}, {Kind::kTo, &by_to_}, {Kind::kFrom, &by_from_}, {Kind::kTags, &by_tag_}};
  for (const auto& [kind, index] : indexes) {
    for (const auto& [text, list] : whole[kind]) index->whole.emplace(text, MakeBucket(list, steps));
    std::set<std::size_t> lengths;
    for (const auto& [text, list] : beginnings[kind]) {
      index->beginnings.emplace(text, MakeBucket(list, steps));
      lengths.insert(text.size());
    }
    index->lengths.assign(lengths.begin(), lengths.end());
  }
}

Candidates::Bucket Candidates::MakeBucket(const std::vector<RuleIndex>& rules, const std::vector<StepSet>& steps) {
  Bucket bucket;
  for (std::size_t step = 0; step < kStepCount; ++step) {
    bucket.begin[step] = static_cast<std::uint32_t>(bucket.rules.size());
    for (const RuleIndex rule : rules) {
      if ((steps[rule] >> step & 1) != 0) bucket.rules.push_back(rule);
    }
  }
  bucket.begin[kStepCount] = static_cast<std::uint32_t>(bucket.rules.size());
  bucket.rules.shrink_to_fit();
  return bucket;
}

}  // namespace hookswitch::routing
