#pragma once
#include <string_view>

#include "core/config/mapping.h"
#include "core/sources/mapping/reading.h"
#include "core/sources/mapping/tables.h"

namespace hookswitch::mapping {

/// Calls `take(rule, value)` with what each of `rules` finds, in order, until it returns true, and notes the path of
/// that value as `field`'s, unless that is "". A rule without paths and constant is called with null. False if none
/// gave anything. The table of a rule is not applied.
template <class Take>
bool TakeFirst(Reading& reading, const config::ValueRules& rules, std::string_view field, const Take& take) {
  for (const config::ValueRule& rule : rules) {
    if (!AllMatch(reading, rule.when)) continue;
    if (rule.paths.empty()) {
      const json::value none;
      if (take(rule, rule.constant ? *reading.NewText(*rule.constant) : none)) return true;
      continue;
    }
    for (const config::ValuePath& path : rule.paths) {
      if (!reading.Visit(path, [&](const json::value& value) { return take(rule, value); })) continue;
      if (!field.empty()) reading.Gave(field, path);
      return true;
    }
  }
  return false;
}

/// As TakeFirst, with what the rules' tables make of the values.
template <class Take>
bool TakeTranslated(Reading& reading, const config::ValueRules& rules, std::string_view field, const Take& take) {
  return TakeFirst(reading, rules, field, [&](const config::ValueRule& rule, const json::value& value) {
    const json::value* translated = value.is_null() ? &value : Translated(reading, rule.values, value);
    return translated && take(rule, *translated);
  });
}

}  // namespace hookswitch::mapping
