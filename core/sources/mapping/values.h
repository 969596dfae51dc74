#pragma once
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/config/mapping.h"
#include "core/event/call_event.h"

/// Single values as a mapping reads them. `value` is not nothing; what has no meaning is absent.
namespace hookswitch::mapping {

/// A number in `unit`, ISO 8601, or the date of a mail: a text has one meaning, whatever the unit. `zone`: of a text
/// without one: "+05:30"; "" is UTC. Before 1971 is absent: platforms write 1970 for "not yet".
std::optional<WallTime> TimeOf(const json::value& value, config::Unit unit, std::string_view zone);
/// In seconds, from a number in `unit` (none: seconds), or from "72s", "1.5s", "1m30s".
std::optional<double> SecondsOf(const json::value& value, config::Unit unit);
std::optional<double> AmountOf(const json::value& value, double divide);
std::optional<Direction> DirectionOf(std::string_view word);

}  // namespace hookswitch::mapping
