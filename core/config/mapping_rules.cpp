#include "core/config/mapping_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"
#include "core/config/map_reader.h"
#include "core/config/scalars.h"

namespace hookswitch::config {
namespace {

// The place of a byte of `text`; its beginning if the text is not written as it reads.
Mark PlaceIn(const Node& text, std::size_t at) {
  Mark where = text.where;
  if (!where.file || where.line <= 0) return where;
  std::string_view written = std::string_view(where.file->text).substr(where.file->OffsetOf(where.line, where.column));
  const std::size_t quote = written.starts_with('"') || written.starts_with('\'') ? 1 : 0;
  written.remove_prefix(quote);
  if (written.starts_with(std::string_view(text.scalar).substr(0, at))) where.column += static_cast<int>(quote + at);
  return where;
}

Unit ParseUnit(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Unit>, 6> kUnits = {{{"s", Unit::kSeconds},
                                                                        {"ms", Unit::kMilliseconds},
                                                                        {"us", Unit::kMicroseconds},
                                                                        {"ns", Unit::kNanoseconds},
                                                                        {"m", Unit::kMinutes},
                                                                        {"rfc2822", Unit::kRfc2822}}};
  for (const auto& [known, unit] : kUnits) {
    if (known == name) return unit;
  }
  return Unit::kNone;
}

const Node* ScalarAt(const Node& map, std::string_view key) {
  const Node* node = map.Find(key);
  return node && node->kind == Node::Kind::kScalar ? node : nullptr;
}

std::string TextOf(const Node& map, std::string_view key) {
  const Node* node = ScalarAt(map, key);
  return node ? node->scalar : std::string();
}

bool AlwaysGivesSomething(const ValueRule& rule) {
  return rule.constant && rule.when.empty();
}

}  // namespace

std::vector<const Node*> EachOf(const Node* node) {
  std::vector<const Node*> each;
  if (!node) return each;
  if (node->kind != Node::Kind::kList) return {node};
  for (const Node& item : node->list) each.push_back(&item);
  return each;
}

bool Covers(std::string_view wide, std::string_view narrow) {
  // A `?` would take the place of a star in `narrow`.
  const bool in_doubt = wide.find('?') != std::string_view::npos && narrow.find('*') != std::string_view::npos;
  return !in_doubt && GlobMatch(ToLower(wide), ToLower(narrow));
}

std::optional<ValuePath> MappingRules::Path(const Node& text, Scope scope) const {
  if (text.kind != Node::Kind::kScalar || problems_.HasErrorAt(text.where)) return {};
  auto parsed = ParseValuePath(text.scalar);
  if (auto* fault = std::get_if<PathFault>(&parsed)) {
    problems_.Error(PlaceIn(text, fault->at), 1, "not a path: " + fault->message, std::move(fault->hint));
    return {};
  }
  auto& path = std::get<ValuePath>(parsed);
  if (scope == Scope::kBody && path.root != ValuePath::Root::kBody) {
    problems_.Error(text.where, Width(text),
                    "header:, query: and form: are of the whole request, and this path starts inside its body");
    return {};
  }
  path.where = text.where;
  return std::move(path);
}

std::vector<ValuePath> MappingRules::Paths(const Node* node, Scope scope) const {
  std::vector<ValuePath> paths;
  for (const Node* text : EachOf(node)) {
    if (auto path = Path(*text, scope)) paths.push_back(std::move(*path));
  }
  return paths;
}

ValueMatches MappingRules::Matches(const Node* map, Scope scope) const {
  ValueMatches matches;
  if (!map) return matches;
  for (const Node::Entry& entry : map->map) {
    auto path = Path(KeyAsNode(entry), scope);
    if (!path) continue;
    if (std::ranges::any_of(matches, [&](const ValueMatch& known) { return known.path == *path; })) {
      problems_.Error(entry.key_where, KeyWidth(entry), "this path is named twice here", "write a list of values");
      continue;
    }
    ValueMatch match{std::move(*path), {}};
    for (const Node* glob : EachOf(&entry.value)) {
      if (glob->kind == Node::Kind::kNull) match.any.push_back({glob->where, "", true});
      if (glob->kind == Node::Kind::kScalar) match.any.push_back({glob->where, glob->scalar, false});
    }
    matches.push_back(std::move(match));
  }
  return matches;
}

ValueTable MappingRules::Table(const Node* values, const Node* otherwise, const std::string& at) const {
  ValueTable table;
  if (otherwise && otherwise->kind == Node::Kind::kScalar) table.otherwise = otherwise->scalar;
  if (!values) return table;
  for (const Node::Entry& entry : values->map) {
    if (entry.value.kind == Node::Kind::kList || entry.value.kind == Node::Kind::kMap) continue;
    const auto above =
        std::ranges::find_if(table.entries, [&](const auto& known) { return Covers(known.glob, entry.key); });
    if (above != table.entries.end()) {
      problems_.Warning(entry.key_where, KeyWidth(entry), at + ": this is never used",
                        "\"" + above->glob + "\" in line " + std::to_string(above->where.line) + " matches it first");
    }
    const bool nothing = entry.value.kind == Node::Kind::kNull;
    table.entries.push_back({entry.key_where, entry.key, entry.value.scalar, nothing});
  }
  const bool all = std::ranges::any_of(table.entries, [](const auto& entry) { return Covers(entry.glob, "*"); });
  if (otherwise && all) {
    problems_.Warning(otherwise->where, Width(*otherwise), at + ": otherwise is never used", "\"*\" matches any word");
  }
  return table;
}

ValueRules MappingRules::Rules(const Node* node, Field field, const std::string& at) const {
  ValueRules rules;
  for (const Node* item : EachOf(node)) {
    ValueRule rule;
    if (item->kind == Node::Kind::kMap) {
      rule = Rule(*item, field, at);
    } else if (auto path = Path(*item, Scope::kRequest)) {
      rule.where = item->where;
      rule.paths.push_back(std::move(*path));
    } else {
      continue;
    }
    if (!rules.empty() && AlwaysGivesSomething(rules.back())) {
      problems_.Warning(item->where, Width(*item), at + ": this rule is never used",
                        "the one above it always gives something");
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

ValueRule MappingRules::Rule(const Node& map, Field field, const std::string& at) const {
  ValueRule rule;
  rule.where = map.where;
  CheckOrigin(map, field, at);
  CheckTable(map, at);
  rule.paths = Paths(map.Find("path"), Scope::kRequest);
  rule.when = Matches(map.Find("when"), Scope::kRequest);
  switch (field) {
    case Field::kText:
    case Field::kWord:
      if (const Node* value = ScalarAt(map, "value")) rule.constant = value->scalar;
      rule.values = Table(map.Find("values"), map.Find("otherwise"), at + ".values");
      break;
    case Field::kTime:
      rule.unit = ParseUnit(TextOf(map, "unit"));
      rule.zone = TextOf(map, "zone");
      rule.plus = Rules(map.Find("plus"), Field::kDuration, at + ".plus");
      if (rule.unit != Unit::kNone && map.Find("zone")) {
        ErrorAt(map, "zone", at + ": a time with a unit has a zone already", "remove zone");
      }
      break;
    case Field::kDuration:
      rule.unit = ParseUnit(TextOf(map, "unit"));
      rule.from = Rules(map.Find("from"), Field::kTime, at + ".from");
      rule.to = Rules(map.Find("to"), Field::kTime, at + ".to");
      break;
    case Field::kCost:
      rule.currency = TextOf(map, "currency");
      rule.currencies = Paths(map.Find("currency_path"), Scope::kRequest);
      if (const auto by = ParseInteger(TextOf(map, "divide")); by && *by > 0) rule.divide = static_cast<double>(*by);
      break;
  }
  return rule;
}

void MappingRules::CheckOrigin(const Node& map, Field field, const std::string& at) const {
  const bool has_path = map.Find("path") != nullptr;
  const bool is_span = field == Field::kDuration && (map.Find("from") || map.Find("to"));
  if (is_span) {
    if (has_path) ErrorAt(map, "path", at + " has a path, or from and to, not both");
    if (map.Find("unit")) ErrorAt(map, "unit", at + ": unit is of a path; from and to have their own");
    for (const auto& [has, needs] : {std::pair("from", "to"), std::pair("to", "from")}) {
      if (!map.Find(needs) && !HasFaultyKey(map, problems_)) {
        ErrorAt(map, has, at + " needs \"" + needs + "\" beside \"" + has + "\"");
      }
    }
  } else if (has_path && map.Find("value")) {
    ErrorAt(map, "value", at + " has a path or a value, not both", "for other words: otherwise");
  } else if (!has_path && !map.Find("value") && !HasFaultyKey(map, problems_)) {
    // Where a path is required the schema has said so.
    if (field == Field::kTime || field == Field::kCost) return;
    const std::string other = field == Field::kDuration ? "\"from\" and \"to\"" : "\"value\"";
    problems_.Error(map.where, 1, at + " needs \"path\" or " + other);
  }
}

void MappingRules::CheckTable(const Node& map, const std::string& at) const {
  if (map.Find("value")) {
    for (const char* key : {"values", "otherwise"}) {
      if (map.Find(key)) ErrorAt(map, key, at + ": " + key + " has nothing to translate, because value is a constant");
    }
  } else if (map.Find("otherwise") && !map.Find("values") && !HasFaultyKey(map, problems_)) {
    ErrorAt(map, "otherwise", at + ": otherwise is for words that are not in values, and there are none",
            "for what may be absent add another rule: [path, {value: …}]");
  }
}

void MappingRules::ErrorAt(const Node& map, std::string_view key, std::string message, std::string hint) const {
  const Node::Entry* entry = map.FindEntry(key);
  if (!entry || problems_.HasErrorAt(entry->key_where)) return;
  problems_.Error(entry->key_where, KeyWidth(*entry), std::move(message), std::move(hint));
}

}  // namespace hookswitch::config
