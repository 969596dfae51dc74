#include "core/routing/lint.h"

#include <algorithm>

#include "core/routing/conditions.h"

namespace hookswitch::routing {
namespace {

using config::Condition;

// A rule that ends the walk, with what it asks for.
struct Ender {
  const config::Rule* rule;
  std::vector<const Condition*> conjuncts;
};

bool AlwaysFirst(const Ender& ender, StatusSet possible, const std::vector<const Condition*>& later) {
  return std::all_of(ender.conjuncts.begin(), ender.conjuncts.end(), [&](const Condition* wanted) {
    if ((possible & ~CertainStatuses(*wanted)) == 0) return true;
    return std::any_of(later.begin(), later.end(), [&](const Condition* given) { return Implies(*given, *wanted); });
  });
}

}  // namespace

void Lint(const std::vector<config::Rule>& rules, config::Problems& problems) {
  // With very many rules that stop, comparing each with each would take minutes, and this is only advice.
  constexpr std::size_t kMostEnders = 256;
  std::vector<Ender> enders;
  for (const config::Rule& rule : rules) {
    const StatusSet possible = PossibleStatuses(rule.when);
    const auto conjuncts = Conjuncts(rule.when);
    if (possible == 0) {
      problems.Warning(rule.where, 1, "rule \"" + rule.name + "\" can never run: its statuses exclude each other");
      continue;
    }
    const auto first = std::find_if(enders.begin(), enders.end(),
                                    [&](const Ender& ender) { return AlwaysFirst(ender, possible, conjuncts); });
    if (first != enders.end()) {
      problems.Warning(
          rule.where, 1,
          "rule \"" + rule.name + "\" can never run: rule \"" + first->rule->name + "\"" +
              (first->rule->where.line > 0 ? " (line " + std::to_string(first->rule->where.line) + ")" : "") +
              " matches all that it matches and " + (first->rule->drop ? "drops it" : "stops"));
    } else if ((rule.stop || rule.drop) && enders.size() < kMostEnders) {
      enders.push_back({&rule, conjuncts});
    }
  }
}

}  // namespace hookswitch::routing
