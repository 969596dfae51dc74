#include "core/config/kept_mapping.h"

#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/config/flow_yaml.h"

// Structured bindings name every member, so that a new one breaks the build where it must be written.
namespace hookswitch::config {
namespace {

using flow::List;
using flow::Map;
using flow::Quoted;

std::string Path(const ValuePath& path) {
  return Quoted(ToText(path));
}

std::string Paths(const std::vector<ValuePath>& paths) {
  if (paths.size() == 1) return Path(paths.front());
  std::vector<std::string> texts;
  for (const ValuePath& path : paths) texts.push_back(ToText(path));
  return flow::Texts(texts);
}

std::string Globs(const std::vector<ValueGlob>& globs) {
  std::vector<std::string> items;
  for (const auto& [where, glob, absent] : globs) items.push_back(absent ? "null" : Quoted(glob));
  return items.size() == 1 ? items.front() : List(items);
}

std::string MatchesText(const ValueMatches& matches) {
  Map map;
  for (const auto& [path, any] : matches) map.Add(ToText(path), Globs(any));
  return map.Text();
}

// True and false are no texts where the schema wants a boolean.
enum class Values { kTexts, kFlags };

std::string Word(const std::string& text, Values values) {
  return values == Values::kFlags ? text : Quoted(text);
}

std::string Entries(const std::vector<ValueTable::Entry>& entries, Values values) {
  Map map;
  for (const auto& [where, glob, value, nothing] : entries) map.Add(glob, nothing ? "null" : Word(value, values));
  return map.Text();
}

std::string_view UnitName(Unit unit) {
  switch (unit) {
    case Unit::kNone: return "";
    case Unit::kSeconds: return "s";
    case Unit::kMilliseconds: return "ms";
    case Unit::kMicroseconds: return "us";
    case Unit::kNanoseconds: return "ns";
    case Unit::kMinutes: return "m";
    case Unit::kRfc2822: return "rfc2822";
  }
  Unreachable();
}

std::string Rules(const ValueRules& rules, Values values);

std::string RuleText(const ValueRule& rule, Values values) {
  const auto& [where, paths, constant, when, table, unit, zone, from, to, plus, currency, currencies, divide] = rule;
  Map map;
  if (!paths.empty()) map.Add("path", Paths(paths));
  if (constant) map.Add("value", Word(*constant, values));
  if (!when.empty()) map.Add("when", MatchesText(when));
  if (!table.entries.empty()) map.Add("values", Entries(table.entries, values));
  if (table.otherwise) map.Add("otherwise", Word(*table.otherwise, values));
  if (unit != Unit::kNone) map.Add("unit", Quoted(UnitName(unit)));
  if (!zone.empty()) map.Add("zone", Quoted(zone));
  if (!from.empty()) map.Add("from", Rules(from, Values::kTexts));
  if (!to.empty()) map.Add("to", Rules(to, Values::kTexts));
  if (!plus.empty()) map.Add("plus", Rules(plus, Values::kTexts));
  if (!currency.empty()) map.Add("currency", Quoted(currency));
  if (!currencies.empty()) map.Add("currency_path", Paths(currencies));
  if (divide != 1) map.Add("divide", std::to_string(static_cast<long long>(divide)));
  return map.Text();
}

std::string Rules(const ValueRules& rules, Values values) {
  std::vector<std::string> items;
  for (const ValueRule& rule : rules) items.push_back(RuleText(rule, values));
  return List(items);
}

std::string Turns(const std::vector<TurnsRule>& rules) {
  std::vector<std::string> items;
  for (const auto& [where, paths, role, text, roles, when, only] : rules) {
    Map map;
    map.Add("path", Paths(paths));
    if (!role.empty()) map.Add("role", Paths(role));
    if (!text.empty()) map.Add("text", Paths(text));
    if (!roles.entries.empty()) map.Add("roles", Entries(roles.entries, Values::kTexts));
    if (!only.empty()) map.Add("only", MatchesText(only));
    if (!when.empty()) map.Add("when", MatchesText(when));
    items.push_back(map.Text());
  }
  return List(items);
}

std::string EntriesRules(const std::vector<EntriesRule>& rules) {
  std::vector<std::string> items;
  for (const auto& [where, path, key, value, name, prefix, skip, when] : rules) {
    Map map;
    map.Add("path", Path(path));
    if (key) map.Add("key", Path(*key));
    if (value) map.Add("value", Path(*value));
    if (!name.empty()) map.Add("name", Quoted(name));
    if (!prefix.empty()) map.Add("prefix", Quoted(prefix));
    if (!skip.empty()) map.Add("skip", flow::Texts(skip));
    if (!when.empty()) map.Add("when", MatchesText(when));
    items.push_back(map.Text());
  }
  return List(items);
}

std::string_view ListName(EventRule::What what) {
  switch (what) {
    case EventRule::What::kLive: return "live";
    case EventRule::What::kEnded: return "ended";
    case EventRule::What::kFinal: return "final";
    case EventRule::What::kSkip: return "skip";
  }
  Unreachable();
}

std::string Events(const ValueRules& type, const std::vector<EventRule>& events, bool skip_others) {
  Map map;
  if (!type.empty()) map.Add("path", Rules(type, Values::kTexts));
  std::vector<std::string> items;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& [where, what, glob, matches] = events[i];
    items.push_back(matches.empty() ? Quoted(glob) : MatchesText(matches));
    if (i + 1 < events.size() && events[i + 1].what == what) continue;
    map.Add(ListName(what), List(items));
    items.clear();
  }
  map.Add("otherwise", skip_others ? "skip" : "store");
  return map.Text();
}

}  // namespace

std::string MappingText(const Mapping& mapping) {
  const auto& [where, each, event_type, events, skip_other_events, call_id, agent_id, agent_name, status, stage,
               direction, from, to, started_at, ended_at, duration, summary, cost, recording_url, hangup_by,
               hangup_reason, hangup_code, voicemail, error, sentiment, success, transcript, data, meta, dedup,
               volatile_fields, carry, sample, sample_where] = mapping;
  Map map;
  const auto add = [](Map& to_map, std::string_view key, const ValueRules& rules, Values values = Values::kTexts) {
    if (!rules.empty()) to_map.Add(key, Rules(rules, values));
  };
  if (each) map.Add("each", Path(*each));
  map.Add("events", Events(event_type, events, skip_other_events));
  add(map, "call_id", call_id);
  Map agent, hangup;
  add(agent, "id", agent_id);
  add(agent, "name", agent_name);
  if (!agent.empty()) map.Add("agent", agent.Text());
  add(map, "status", status);
  add(map, "stage", stage);
  add(map, "direction", direction);
  add(map, "from", from);
  add(map, "to", to);
  add(map, "started_at", started_at);
  add(map, "ended_at", ended_at);
  add(map, "duration", duration);
  add(map, "summary", summary);
  add(map, "cost", cost);
  add(map, "recording_url", recording_url);
  add(hangup, "by", hangup_by);
  add(hangup, "reason", hangup_reason);
  add(hangup, "code", hangup_code);
  if (!hangup.empty()) map.Add("hangup", hangup.Text());
  add(map, "voicemail", voicemail, Values::kFlags);
  add(map, "error", error);
  add(map, "sentiment", sentiment);
  add(map, "success", success, Values::kFlags);
  if (!transcript.empty()) map.Add("transcript", Turns(transcript));
  if (!data.empty()) map.Add("data", EntriesRules(data));
  if (!meta.empty()) map.Add("meta", EntriesRules(meta));
  if (!dedup.empty()) map.Add("dedup", Paths(dedup));
  if (!volatile_fields.empty()) map.Add("volatile", flow::Texts(volatile_fields));
  if (carry) map.Add("carry", "true");
  return map.Text();
}

}  // namespace hookswitch::config
