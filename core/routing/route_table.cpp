#include "core/routing/route_table.h"

#include <algorithm>
#include <set>

#include "core/routing/candidates.h"
#include "core/routing/lint.h"
#include "core/routing/predicate.h"
#include "core/routing/schedule.h"

namespace hookswitch {
namespace {

constexpr std::string_view kUnmatched = "unmatched";

struct CompiledRule {
  std::string name;
  config::Mark where;
  routing::Predicate when;
  std::vector<Route> send;
  bool ends = false;  // stop or drop
};

// Sinks are compared by the address of their interned name.
bool AddRoute(std::vector<Route>& routes, const Route& route, const CallEvent& event) {
  const auto same = [&](const Route& r) { return r.sink.data() == route.sink.data(); };
  if (std::any_of(routes.begin(), routes.end(), same)) return false;
  routes.push_back(route);
  if (event.stage != Stage::kEnded) routes.back().hold = {};
  return true;
}

}  // namespace

struct RouteTable::Impl {
  Impl(const config::Config& config, config::Problems& problems)
      : schedules(config.schedules, problems), candidates(config.rules) {
    rules.reserve(config.rules.size());
    for (const config::Rule& rule : config.rules) {
      rules.push_back({rule.name,
                       rule.where,
                       routing::Predicate(rule.when, schedules, transcript_regexes, problems),
                       {},
                       rule.stop || rule.drop});
      if (rule.drop) continue;
      rules.back().send = Targets(rule.send, rules.back().name);
      for (Route& route : rules.back().send) {
        route.newest_only = rule.newest_only;
        route.hold = rule.settle;
      }
    }
    transcript_regexes.Compile();
    unmatched = Targets(config.unmatched, kUnmatched);
  }

  std::vector<Route> Targets(const std::vector<config::SendTarget>& targets, std::string_view rule) {
    std::vector<Route> routes;
    for (const auto& t : targets) routes.push_back({Intern(t.sink), rule, Intern(t.template_name), false, {}});
    return routes;
  }
  std::string_view Intern(const std::string& name) { return *names.insert(name).first; }

  std::set<std::string, std::less<>> names;
  routing::Schedules schedules;
  routing::RegexSets transcript_regexes;
  routing::Candidates candidates;
  std::vector<CompiledRule> rules;  // never moved once filled: routes borrow their names
  std::vector<Route> unmatched;
};

RouteTable::RouteTable(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
RouteTable::~RouteTable() = default;

std::shared_ptr<const RouteTable> RouteTable::Compile(const config::Config& config, config::Problems& problems) {
  config::Problems found;
  auto impl = std::make_unique<const Impl>(config, found);
  routing::Lint(config.rules, found);
  for (const config::Problem& p : found.All()) problems.Add(p);
  if (found.HasErrors()) return nullptr;
  return std::shared_ptr<const RouteTable>(new RouteTable(std::move(impl)));
}

void RouteTable::Match(const CallEvent& event, std::vector<Route>& routes) const {
  routes.clear();
  routing::Subject subject(event, impl_->schedules, impl_->transcript_regexes);
  bool matched = false;
  impl_->candidates.ForEach(event, [&](std::size_t index) {
    const CompiledRule& rule = impl_->rules[index];
    if (!rule.when.Matches(subject)) return true;
    matched = true;
    for (const Route& route : rule.send) AddRoute(routes, route, event);
    return !rule.ends;
  });
  if (matched) return;
  for (const Route& route : impl_->unmatched) AddRoute(routes, route, event);
}

Explanation RouteTable::Explain(const CallEvent& event, std::optional<WallTime> judged_at) const {
  Explanation explanation;
  routing::Subject subject(event, impl_->schedules, impl_->transcript_regexes, judged_at);
  const CompiledRule* ended_by = nullptr;
  bool matched = false;
  for (const CompiledRule& rule : impl_->rules) {
    RuleVerdict verdict;
    verdict.rule = rule.name;
    verdict.where = rule.where;
    if (ended_by) {
      verdict.result = RuleVerdict::Result::kNotReached;
      verdict.why = "rule \"" + ended_by->name + "\" ended the walk";
    } else {
      const bool matches = rule.when.Matches(subject);
      verdict.result = matches ? RuleVerdict::Result::kMatched : RuleVerdict::Result::kNotMatched;
      verdict.why = rule.when.Why(subject);
      for (auto& [text, holds] : rule.when.Parts(subject)) verdict.conditions.push_back({std::move(text), holds});
      if (matches) {
        matched = true;
        for (const Route& route : rule.send) {
          (AddRoute(explanation.routes, route, event) ? verdict.sinks : verdict.merged).emplace_back(route.sink);
        }
        verdict.stopped = rule.ends;
        if (rule.ends) ended_by = &rule;
      }
    }
    explanation.rules.push_back(std::move(verdict));
  }
  explanation.unmatched = !matched;
  if (!matched) {
    for (const Route& route : impl_->unmatched) AddRoute(explanation.routes, route, event);
  }
  return explanation;
}

namespace {

json::object ToObject(const RuleVerdict& verdict) {
  json::array conditions;
  for (const auto& [text, holds] : verdict.conditions) {
    conditions.push_back(json::object{{"text", text}, {"holds", holds}});
  }
  const config::Mark& where = verdict.where;
  return {{"name", verdict.rule},
          {"file", where.file ? json::value(where.file->path) : json::value(nullptr)},
          {"line", where.line > 0 ? json::value(where.line) : json::value(nullptr)},
          {"matched", verdict.result == RuleVerdict::Result::kMatched},
          {"why", verdict.why},
          {"conditions", std::move(conditions)},
          {"sinks", json::array(verdict.sinks.begin(), verdict.sinks.end())},
          {"merged", json::array(verdict.merged.begin(), verdict.merged.end())},
          {"stopped", verdict.stopped}};
}

}  // namespace

void AddExplanation(json::object& shown, const Explanation& explanation) {
  json::array rules;
  for (const RuleVerdict& verdict : explanation.rules) rules.push_back(ToObject(verdict));
  json::array deliveries;
  for (const Route& route : explanation.routes) {
    json::object delivery{{"sink", route.sink}, {"rule", route.rule}};
    if (route.hold.count() > 0) delivery["settle"] = std::chrono::duration<double>(route.hold).count();
    deliveries.push_back(std::move(delivery));
  }
  shown["rules"] = std::move(rules);
  shown["deliveries"] = std::move(deliveries);
}

}  // namespace hookswitch
