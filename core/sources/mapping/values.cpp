#include "core/sources/mapping/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/payload.h"

namespace hookswitch::mapping {
namespace {

using config::Unit;

constexpr WallTime kFirst{std::chrono::sys_days(std::chrono::year(1971) / 1 / 1).time_since_epoch()};
// Years have four digits, also when a call's duration is added.
constexpr WallTime kEnd{std::chrono::sys_days(std::chrono::year(9990) / 1 / 1).time_since_epoch()};

std::optional<WallTime> Plausible(std::optional<WallTime> time) {
  return time && *time >= kFirst && *time < kEnd ? time : std::nullopt;
}

/// How many of `unit` are a second; 0 for what is no number.
double PerSecond(Unit unit) {
  switch (unit) {
    case Unit::kNone: return 0;
    case Unit::kSeconds: return 1;
    case Unit::kMilliseconds: return 1e3;
    case Unit::kMicroseconds: return 1e6;
    case Unit::kNanoseconds: return 1e9;
    case Unit::kMinutes: return 1.0 / 60;
    case Unit::kRfc2822: return 0;
  }
  Unreachable();
}

// "+05:30", "-0800"
std::chrono::minutes OffsetOf(std::string_view zone) {
  if (zone.size() < 3) return {};
  int hours = 0, minutes = 0;
  const std::string_view tail = zone.substr(zone.size() - 2);
  std::from_chars(zone.data() + 1, zone.data() + 3, hours);
  if (zone.size() > 3) std::from_chars(tail.data(), tail.data() + tail.size(), minutes);
  const std::chrono::minutes offset(hours * 60 + minutes);
  return zone.front() == '-' ? -offset : offset;
}

std::optional<WallTime> IsoTime(std::string_view text, std::string_view zone) {
  const auto time = ParseTime(text);
  if (!time || zone.empty()) return time;
  constexpr std::size_t kDate = std::string_view("2026-03-04").size();
  const bool has_zone = text.substr(std::min(kDate, text.size())).find_first_of("Zz+-") != std::string_view::npos;
  return has_zone ? time : *time - OffsetOf(zone);
}

std::optional<WallTime> MailTime(std::string_view text, std::string_view zone) {
  bool has_zone = false;
  const auto time = ParseMailTime(text, has_zone);
  if (!time || has_zone) return time;
  return *time - OffsetOf(zone);
}

}  // namespace

std::optional<WallTime> TimeOf(const json::value& value, Unit unit, std::string_view zone) {
  const auto* text = value.if_string();
  const std::string_view words = text ? Trim({text->data(), text->size()}) : std::string_view();
  if (const double per_second = PerSecond(unit); per_second != 0) {
    if (const auto number = payload::Number(&value)) {
      const double ms = std::round(*number / per_second * 1e3);
      if (!(ms > 0) || ms >= static_cast<double>(kEnd.time_since_epoch().count())) return {};
      return Plausible(WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(ms))));
    }
  }
  if (!text) return {};
  const auto time = IsoTime(words, zone);
  return Plausible(time ? time : MailTime(words, zone));
}

std::optional<double> SecondsOf(const json::value& value, Unit unit) {
  const double per_second = unit == Unit::kNone ? 1 : PerSecond(unit);
  std::optional<double> seconds;
  if (const auto number = payload::Number(&value)) {
    // To a microsecond, so that 1.15 minutes are 69 seconds and not 68.99999999999999.
    if (per_second != 0) seconds = unit == Unit::kMinutes ? std::round(*number * 60e6) / 1e6 : *number / per_second;
  } else if (const auto* text = value.if_string()) {
    const std::string_view words = Trim({text->data(), text->size()});
    double number = 0;
    // protobuf writes a Duration as "72s" and "1.500s" (protobuf.dev, JSON mapping).
    const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
    if (error == std::errc() && end + 1 == words.data() + words.size() && *end == 's') {
      seconds = number;
    } else if (const auto duration = ParseDuration(words)) {
      seconds = static_cast<double>(duration->count()) / 1e3;
    }
  }
  if (!seconds || !(*seconds >= 0) || *seconds > payload::kLongestCallSeconds) return {};
  return seconds;
}

std::optional<double> AmountOf(const json::value& value, double divide) {
  const auto number = payload::Number(&value);
  if (!number || *number < 0 || *number > payload::kLargestAmount) return {};
  if (divide == 1) return number;
  // As Bolna's cents: 1.1 of them are 0.011 dollars and not 0.011000000000000001.
  const double amount = std::round(*number / divide * 1e8) / 1e8;
  return amount <= payload::kLargestAmount ? std::optional(amount) : std::nullopt;
}

std::optional<Direction> DirectionOf(std::string_view raw) {
  std::string word = ToLower(raw);
  std::ranges::replace(word, '_', '-');
  if (word == "inbound" || word == "incoming") return Direction::kInbound;
  if (word == "outbound" || word == "outgoing" || word.starts_with("outbound-")) return Direction::kOutbound;
  if (word == "web") return Direction::kWeb;
  return {};
}

}  // namespace hookswitch::mapping
