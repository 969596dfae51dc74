#include "core/admin/rules_api.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/admin/answers.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr std::chrono::hours kDay{24};
constexpr std::string_view kUnmatchedRule = "unmatched";

// Of one source in the last day.
struct Rejected {
  std::string detail;
  std::uint64_t count = 0;
  WallTime last_at{};
};
using RejectedByReason = std::map<std::string, Rejected>;

json::array ToArray(const std::vector<config::SendTarget>& targets) {
  json::array list;
  for (const auto& target : targets) {
    list.push_back(json::object{{"sink", target.sink}, {"template", OrNull(target.template_name)}});
  }
  return list;
}

json::object Place(const config::Mark& where) {
  const bool is_known = where.file && where.line > 0;
  return {{"file", is_known ? json::value(where.file->path) : json::value(nullptr)},
          {"line", is_known ? json::value(where.line) : json::value(nullptr)},
          {"yaml", is_known ? OrNull(where.file->Block(where.line, where.column)) : json::value(nullptr)}};
}

// What the index counted of one rule.
struct Hits {
  RuleHits counted;
  std::string last_event;  ///< its id; "": it is gone
};

// Adds how often a rule was hit; unless `is_known` that is null, and with nullptr for `rule` it was never.
void AddHits(json::object& shown, bool is_known, const Hits* rule, WallTime applied_at) {
  const RuleHits* hits = rule ? &rule->counted : nullptr;
  const auto number = [&](std::int64_t count) { return is_known ? json::value(count) : json::value(nullptr); };
  shown["hits_24h"] = number(hits ? hits->hits_since : 0);
  shown["hits"] = number(hits ? hits->hits : 0);
  shown["taken_24h"] = number(hits ? hits->taken_since : 0);
  shown["taken_by"] = hits ? OrNull(hits->taken_by) : json::value(nullptr);
  const bool was_hit = hits && hits->hits > 0;
  shown["last_hit"] = was_hit ? json::value(ToRfc3339(hits->last_hit)) : json::value(nullptr);
  shown["last_event"] = was_hit ? OrNull(rule->last_event) : json::value(nullptr);
  shown["since_reload"] = is_known ? json::value(was_hit && hits->last_hit >= applied_at) : json::value(nullptr);
}

json::object AuthOf(const config::Source& source) {
  if (!source.auth) return {{"kind", "none"}, {"name", nullptr}, {"secret_set", false}};
  std::string_view kind;
  switch (source.auth->place) {
    case config::Auth::Place::kHeader: kind = "header"; break;
    case config::Auth::Place::kBearer: kind = "bearer"; break;
    case config::Auth::Place::kQuery: kind = "query"; break;
  }
  return {{"kind", kind}, {"name", OrNull(source.auth->name)}, {"secret_set", !source.auth->secret.empty()}};
}

json::value VerifyOf(const config::Source& source) {
  if (!source.verify) return nullptr;
  json::array headers;
  for (const std::string& name : source.verify->headers) headers.emplace_back(name);
  return json::object{{"scheme", ToString(source.verify->scheme)},
                      {"headers", std::move(headers)},
                      {"secret_set", !source.verify->secrets.empty()}};
}

}  // namespace

void RulesApi::AddTo(AdminRoutes& routes) {
  using Takes = AdminRoute::Takes;
  routes.Add({"GET", "/api/v1/rules", Access::kRead, Takes::kNothing, [this](const auto&) { return ListRules(); }});
  routes.Add({"GET", "/api/v1/sources", Access::kRead, Takes::kNothing, [this](const auto&) { return ListSources(); }});
}

Answer RulesApi::ListRules() {
  const auto config = router_.CurrentConfig();
  const RouterStatus status = router_.Status();
  std::vector<Hits> hits;
  std::optional<WallTime> since;
  bool is_known = false;
  if (const auto index = Index()) {
    auto counted = index->reader().HitsOfRules(clock_.Wall() - kDay);
    const auto begun = index->reader().CountedSince();
    is_known = counted && begun;
    if (begun) since = *begun;
    if (counted) {
      for (RuleHits& rule : *counted) {
        const auto event = history_.FindEvent(rule.last_event);
        hits.push_back({std::move(rule), event ? event->id : std::string()});
      }
    }
  }
  const auto add_hits = [&](json::object& shown, std::string_view rule) {
    const auto found = std::ranges::find_if(hits, [rule](const Hits& one) { return one.counted.rule == rule; });
    AddHits(shown, is_known, found == hits.end() ? nullptr : &*found, status.applied_at);
  };
  json::array rules;
  for (const config::Rule& rule : config->rules) {
    json::object shown = Place(rule.where);
    shown["name"] = rule.name;
    shown["send"] = ToArray(rule.send);
    shown["stop"] = rule.stop;
    shown["drop"] = rule.drop;
    add_hits(shown, rule.name);
    rules.push_back(std::move(shown));
  }
  json::object shown = Place({});
  shown["name"] = kUnmatchedRule;
  shown["send"] = ToArray(config->unmatched);
  shown["stop"] = false;
  shown["drop"] = config->unmatched.empty();
  add_hits(shown, kUnmatchedRule);
  rules.push_back(std::move(shown));
  return JsonAnswer(
      200,
      json::object{{"generation", status.generation}, {"counted_since", OrNull(since)}, {"rules", std::move(rules)}});
}

Answer RulesApi::ListSources() {
  const auto config = router_.CurrentConfig();
  const WallTime since = clock_.Wall() - kDay;
  std::map<std::string, RejectedByReason> rejected;
  std::int64_t before = 0;
  do {
    constexpr std::size_t kPage = 200;
    const auto page = history_.ListRefused(before, kPage);
    if (!page) return Failed(page.error());
    for (const RefusedRequest& one : page->items) {
      if (one.at < since) continue;
      Rejected& same = rejected[one.source][one.error];
      if (same.count++ == 0) {
        same.detail = one.detail;
        same.last_at = one.at;
      }
    }
    before = page->next;
  } while (before != 0);
  std::vector<SourceCount> counts;
  bool is_known = false;
  if (const auto index = Index()) {
    auto counted = index->reader().EventsOfSources(since);
    is_known = counted.has_value();
    if (counted) counts = std::move(*counted);
  }
  json::array sources;
  for (const config::Source& source : config->sources) {
    json::array networks;
    for (const auto& network : source.allow_ips) networks.emplace_back(network.text);
    json::array reasons;
    std::uint64_t total = 0;
    for (const auto& [error, what] : rejected[source.name]) {
      total += what.count;
      reasons.push_back(json::object{{"error", error},
                                     {"detail", OrNull(what.detail)},
                                     {"count", what.count},
                                     {"last_at", ToRfc3339(what.last_at)}});
    }
    const auto count = std::ranges::find(counts, source.name, &SourceCount::source);
    const bool was_seen = count != counts.end();
    const std::int64_t events = was_seen ? count->events_since : 0;
    sources.push_back(
        json::object{{"name", source.name},
                     {"type", source.type},
                     {"title", OrNull(source.title)},
                     {"path", source.path},
                     {"auth", AuthOf(source)},
                     {"verify", VerifyOf(source)},
                     {"allow_ips", std::move(networks)},
                     {"rate_limit", OrNull(source.rate_limit.value_or(Rate()))},
                     {"last_event_at", was_seen ? json::value(ToRfc3339(count->last_at)) : json::value(nullptr)},
                     {"events_24h", is_known ? json::value(events) : json::value(nullptr)},
                     {"refused_24h", total},
                     {"refused", std::move(reasons)}});
  }
  return JsonAnswer(200, json::object{{"sources", std::move(sources)}});
}

}  // namespace hookswitch
