#include "core/sources/mapping/tables.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch::mapping {

using config::ValueTable;

std::string_view WordOf(const json::value& value, std::string& buffer) {
  if (const auto* text = value.if_string()) return Trim({text->data(), text->size()});
  buffer = payload::Text(&value);
  return buffer;
}

bool AllMatch(Reading& reading, const config::ValueMatches& matches, const json::value& base) {
  return std::ranges::all_of(matches, [&](const config::ValueMatch& match) {
    bool is_there = false;
    const bool matched = reading.Visit(match.path, base, [&](const json::value& value) {
      is_there = true;
      std::string buffer;
      const std::string_view word = WordOf(value, buffer);
      return std::ranges::any_of(
          match.any, [&](const config::ValueGlob& one) { return !one.absent && GlobMatchIgnoreCase(one.glob, word); });
    });
    return matched || (!is_there && std::ranges::any_of(match.any, &config::ValueGlob::absent));
  });
}

const ValueTable::Entry* EntryFor(const ValueTable& table, std::string_view word) {
  for (const auto& entry : table.entries) {
    if (GlobMatchIgnoreCase(entry.glob, word)) return &entry;
  }
  return nullptr;
}

const json::value* Translated(Reading& reading, const ValueTable& table, const json::value& value) {
  if (table.entries.empty() && !table.otherwise) return &value;
  std::string buffer;
  const std::string_view word = WordOf(value, buffer);
  if (const auto* entry = EntryFor(table, word)) return entry->nothing ? nullptr : reading.NewText(entry->value);
  return table.otherwise ? reading.NewText(*table.otherwise) : nullptr;
}

}  // namespace hookswitch::mapping
