#pragma once
#include <string>
#include <string_view>

#include "core/config/mapping.h"
#include "core/sources/mapping/reading.h"

/// Words of platforms: what they mean, and which of them a mapping asks for.
namespace hookswitch::mapping {

/// A text, number or flag as globs see it: "85", "true"; "" for a list or an object. Borrows from `value` or `buffer`.
std::string_view WordOf(const json::value& value, std::string& buffer);

/// True if all of `matches` are true of `base`. A list or an object matches only `*`.
bool AllMatch(Reading& reading, const config::ValueMatches& matches, const json::value& base);
inline bool AllMatch(Reading& reading, const config::ValueMatches& matches) {
  return AllMatch(reading, matches, reading.body());
}

/// The entry of `table` that `word` meets; nullptr if there is none.
const config::ValueTable::Entry* EntryFor(const config::ValueTable& table, std::string_view word);
/// What `table` makes of `value`: itself if the table is empty; nullptr for nothing.
const json::value* Translated(Reading& reading, const config::ValueTable& table, const json::value& value);

}  // namespace hookswitch::mapping
