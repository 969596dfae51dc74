#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

/// Parses and formats times, durations and sizes.
namespace hookswitch {

/// Appends `time` as "2026-03-04T09:02:03.114Z"; without the fraction if it is zero.
void AppendRfc3339(std::string& out, WallTime time);
std::string ToRfc3339(WallTime time);

/// Parses ISO 8601 / RFC 3339: date, 'T' or space, time, optional fraction of any length, optional "Z" or "+hh:mm". A
/// time without zone is UTC (Bolna sends these). Empty for anything else, and for years outside 1970-9999.
std::optional<WallTime> ParseTime(std::string_view text);

/// Parses the date of a mail (RFC 2822 3.3): "Wed, 04 Mar 2026 10:01:12 +0000"; the day's name and the seconds may be
/// absent, and so may the zone, which `has_zone` says; then it is read as UTC.
std::optional<WallTime> ParseMailTime(std::string_view text, bool& has_zone);

/// Parses "90s", "1m30s", "2h", "7d", "250ms", "0s": units are required and must be in descending order; no sign, no
/// spaces, at most 10 years.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
/// The shortest exact form that ParseDuration accepts: "1m30s", "0s".
std::string FormatDuration(std::chrono::milliseconds duration);
/// For people: "1m 13s", "42s", "2h 5m"; rounded to seconds, without seconds from one hour on.
std::string HumanDuration(std::chrono::milliseconds duration);

/// Parses "64KiB", "1MiB", "2GiB", "512B" into bytes.
std::optional<std::uint64_t> ParseSize(std::string_view text);
std::string FormatSize(std::uint64_t bytes);
/// For people: "812 B", "87.8 MiB".
std::string HumanSize(std::uint64_t bytes);

/// Parses a Retry-After header into a delay from `now`: whole or decimal seconds, or an HTTP date in any of the three
/// forms of RFC 9110 5.6.7. A past date gives zero. Empty if invalid; capped at 7 days.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view value, WallTime now);

}  // namespace hookswitch
