#include "core/routing/lint.h"

#include <algorithm>
#include <map>

#include "core/routing/conditions.h"

namespace hookswitch::routing {
namespace {

using config::Condition;

// Comparing all pairs of very many rules would take minutes, for mere warnings.
constexpr std::size_t kMostCompared = 64;

// A rule that ends the evaluation, and its conditions.
struct Ender {
  const config::Rule* rule;
  std::vector<const Condition*> conjuncts;
};

bool AlwaysFirst(const Ender& ender, StepSet possible, const std::vector<const Condition*>& later) {
  return std::all_of(ender.conjuncts.begin(), ender.conjuncts.end(), [&](const Condition* wanted) {
    if ((possible & ~CertainSteps(*wanted)) == 0) return true;
    return std::any_of(later.begin(), later.end(), [&](const Condition* given) { return Implies(*given, *wanted); });
  });
}

/// The first kMostCompared rules that send to each sink.
class Takers {
 public:
  /// If earlier rules take all sinks of `rule` whenever it matches, one of them; else nullptr.
  const config::Rule* OfAll(const config::Rule& rule, StepSet possible,
                            const std::vector<const Condition*>& conjuncts) const {
    const config::Rule* first = nullptr;
    for (const config::SendTarget& target : rule.send) {
      const auto takers = by_sink_.find(target.sink);
      if (takers == by_sink_.end()) return nullptr;
      const auto taker = std::ranges::find_if(
          takers->second, [&](const Ender& earlier) { return AlwaysFirst(earlier, possible, conjuncts); });
      if (taker == takers->second.end()) return nullptr;
      first = taker->rule;
    }
    return first;
  }
  void Add(const config::Rule& rule, const std::vector<const Condition*>& conjuncts) {
    for (const config::SendTarget& target : rule.send) {
      auto& takers = by_sink_[target.sink];
      if (takers.size() < kMostCompared) takers.push_back({&rule, conjuncts});
    }
  }

 private:
  std::map<std::string_view, std::vector<Ender>> by_sink_;
};

}  // namespace

void Lint(const std::vector<config::Rule>& rules, config::Problems& problems) {
  std::vector<Ender> enders;
  Takers takers;
  for (const config::Rule& rule : rules) {
    const StepSet possible = PossibleSteps(rule.when);
    const auto conjuncts = Conjuncts(rule.when);
    if (possible == 0) {
      problems.Warning(rule.where, 1,
                       "rule \"" + rule.name + "\" can never run: its statuses or stages exclude each other");
      continue;
    }
    const auto first = std::find_if(enders.begin(), enders.end(),
                                    [&](const Ender& ender) { return AlwaysFirst(ender, possible, conjuncts); });
    const bool never_runs = first != enders.end();
    if (never_runs) {
      problems.Warning(
          rule.where, 1,
          "rule \"" + rule.name + "\" can never run: rule \"" + first->rule->name + "\"" +
              (first->rule->where.line > 0 ? " (line " + std::to_string(first->rule->where.line) + ")" : "") +
              " matches all that it matches and " + (first->rule->drop ? "drops it" : "stops"));
    } else if ((rule.stop || rule.drop) && enders.size() < kMostCompared) {
      enders.push_back({&rule, conjuncts});
    }
    if (never_runs) continue;
    if (rule.stop || rule.drop || rule.send.empty()) continue;
    if (const config::Rule* taker = takers.OfAll(rule, possible, conjuncts)) {
      problems.Warning(rule.where, 1,
                       "rule \"" + rule.name + "\" never sends anything: whenever it matches, rule \"" + taker->name +
                           "\" has taken its sinks before",
                       "the first rule that names a sink wins; put the narrower rule first");
    }
    takers.Add(rule, conjuncts);
  }
}

}  // namespace hookswitch::routing
