#include "core/base/time_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <ctime>

#include "core/base/text.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Parses exactly `digits` digits at the front of `text` and removes them.
bool Take(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<WallTime> FromCivil(int year, int month, int day, int hour, int minute, int second, int ms) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || !date.ok() || hour > 23 || minute > 59 || second > 60) return {};
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + seconds(second) + milliseconds(ms));
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array kDurations = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                                   Unit{"ms", 1}};
constexpr std::array kSizes = {Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20}, Unit{"KiB", 1 << 10}, Unit{"B", 1}};
constexpr std::int64_t kLongestMs = std::int64_t{3650} * 86'400'000;

std::int64_t MonthOf(std::string_view name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto at = kMonths.find(name);
  return name.size() == 3 && at != std::string_view::npos && at % 3 == 0 ? static_cast<std::int64_t>(at / 3) + 1 : 0;
}

// The three forms of an HTTP date: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
// "Sun Nov  6 08:49:37 1994" (RFC 9110 5.6.7).
std::optional<WallTime> ParseHttpDate(std::string_view text) {
  int day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0;
  auto clock = [&] {
    return Take(text, 2, hour) && TakeChar(text, ":") && Take(text, 2, minute) && TakeChar(text, ":") &&
           Take(text, 2, second);
  };
  auto month_name = [&] {
    month = text.size() < 3 ? 0 : static_cast<int>(MonthOf(text.substr(0, 3)));
    if (month) text.remove_prefix(3);
    return month != 0;
  };
  if (const auto comma = text.find(','); comma != std::string_view::npos) {
    text.remove_prefix(comma + 1);
    if (!TakeChar(text, " ") || !Take(text, 2, day)) return {};
    if (TakeChar(text, "-")) {
      if (!month_name() || !TakeChar(text, "-") || !Take(text, 2, year)) return {};
      year += year < 70 ? 2000 : 1900;
    } else if (!TakeChar(text, " ") || !month_name() || !TakeChar(text, " ") || !Take(text, 4, year)) {
      return {};
    }
    if (!TakeChar(text, " ") || !clock() || text != " GMT") return {};
  } else {
    if (text.size() < 4) return {};
    text.remove_prefix(4);
    if (!month_name() || !TakeChar(text, " ")) return {};
    if (TakeChar(text, " ") ? !Take(text, 1, day) : !Take(text, 2, day)) return {};
    if (!TakeChar(text, " ") || !clock() || !TakeChar(text, " ") || !Take(text, 4, year) || !text.empty()) return {};
  }
  return FromCivil(year, month, day, hour, minute, second, 0);
}

}  // namespace

void AppendRfc3339(std::string& out, WallTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const auto ms = (time - days).count();
  char buffer[40];
  char* p = buffer;
  auto two = [&p](std::int64_t v) {
    *p++ = static_cast<char>('0' + v / 10);
    *p++ = static_cast<char>('0' + v % 10);
  };
  const int year = static_cast<int>(date.year());
  two(year / 100 % 100);
  two(year % 100);
  *p++ = '-';
  two(static_cast<unsigned>(date.month()));
  *p++ = '-';
  two(static_cast<unsigned>(date.day()));
  *p++ = 'T';
  two(ms / 3'600'000);
  *p++ = ':';
  two(ms / 60'000 % 60);
  *p++ = ':';
  two(ms / 1000 % 60);
  if (ms % 1000 != 0) {
    *p++ = '.';
    *p++ = static_cast<char>('0' + ms % 1000 / 100);
    two(ms % 100);
  }
  *p++ = 'Z';
  out.append(buffer, p);
}

std::string ToRfc3339(WallTime time) {
  std::string out;
  AppendRfc3339(out, time);
  return out;
}

std::optional<WallTime> ParseTime(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
  if (!Take(text, 4, year) || !TakeChar(text, "-") || !Take(text, 2, month) || !TakeChar(text, "-") ||
      !Take(text, 2, day) || !TakeChar(text, "Tt ") || !Take(text, 2, hour) || !TakeChar(text, ":") ||
      !Take(text, 2, minute)) {
    return {};
  }
  if (TakeChar(text, ":") && !Take(text, 2, second)) return {};
  if (TakeChar(text, ".,")) {
    int scale = 100;
    bool any = false;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      ms += (text[0] - '0') * scale;
      scale /= 10;
      any = true;
      text.remove_prefix(1);
    }
    if (!any) return {};
  }
  const auto local = FromCivil(year, month, day, hour, minute, second, ms);
  if (!local || text.empty()) return local;
  if (TakeChar(text, "Zz")) return text.empty() ? local : std::nullopt;
  const bool ahead = text[0] == '+';
  if (!TakeChar(text, "+-")) return {};
  int offset_h = 0, offset_m = 0;
  if (!Take(text, 2, offset_h)) return {};
  TakeChar(text, ":");
  if (!text.empty() && !Take(text, 2, offset_m)) return {};
  if (!text.empty() || offset_h > 23 || offset_m > 59) return {};
  const auto offset = std::chrono::minutes(offset_h * 60 + offset_m);
  const WallTime utc = ahead ? *local - offset : *local + offset;
  constexpr WallTime kYear10000{std::chrono::sys_days(std::chrono::year(10000) / 1 / 1).time_since_epoch()};
  if (utc < WallTime() || utc >= kYear10000) return {};
  return utc;
}

std::optional<WallTime> ParseMailTime(std::string_view text, bool& has_zone) {
  int day = 0, year = 0, hour = 0, minute = 0, second = 0, offset_h = 0, offset_m = 0;
  has_zone = false;
  if (const auto comma = text.find(','); comma != std::string_view::npos) text = text.substr(comma + 1);
  text = Trim(text);
  const bool two_digits = text.size() > 1 && text[1] >= '0' && text[1] <= '9';
  if (!Take(text, two_digits ? 2 : 1, day) || !TakeChar(text, " ") || text.size() < 3) return {};
  const auto month = static_cast<int>(MonthOf(text.substr(0, 3)));
  text.remove_prefix(3);
  if (month == 0 || !TakeChar(text, " ") || !Take(text, 4, year) || !TakeChar(text, " ") || !Take(text, 2, hour) ||
      !TakeChar(text, ":") || !Take(text, 2, minute)) {
    return {};
  }
  if (TakeChar(text, ":") && !Take(text, 2, second)) return {};
  const auto local = FromCivil(year, month, day, hour, minute, second, 0);
  text = Trim(text);
  if (!local || text.empty()) return local;
  has_zone = true;
  if (text == "GMT" || text == "UT" || text == "UTC" || text == "Z") return local;
  const bool ahead = text[0] == '+';
  if (!TakeChar(text, "+-") || !Take(text, 2, offset_h) || !Take(text, 2, offset_m) || offset_m > 59) return {};
  text = Trim(text);
  // "+0000 (UTC)": a comment may follow.
  if (!text.empty() && text[0] != '(') return {};
  const auto offset = std::chrono::minutes(offset_h * 60 + offset_m);
  return ahead ? *local - offset : *local + offset;
}

std::optional<milliseconds> ParseDuration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  if (text.empty()) return {};
  while (!text.empty()) {
    std::uint32_t amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc() || end == text.data()) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t unit = kDurations.size();
    for (std::size_t i = next_unit; i < kDurations.size(); ++i) {
      const auto& name = kDurations[i].name;
      const bool whole = text.size() == name.size() ||
                         (text.size() > name.size() && text[name.size()] >= '0' && text[name.size()] <= '9');
      if (text.starts_with(name) && whole) unit = i;
    }
    if (unit == kDurations.size()) return {};
    text.remove_prefix(kDurations[unit].name.size());
    next_unit = unit + 1;
    total += amount * kDurations[unit].factor;
    if (total > kLongestMs) return {};
  }
  return milliseconds(total);
}

std::string FormatDuration(milliseconds duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string out;
  for (const auto& [name, factor] : kDurations) {
    if (rest < factor) continue;
    out += std::to_string(rest / factor);
    out += name;
    rest %= factor;
  }
  return out;
}

std::string HumanDuration(milliseconds duration) {
  const std::int64_t s = (duration.count() + 500) / 1000;
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m " + std::to_string(s % 60) + "s";
  return std::to_string(s / 3600) + "h " + std::to_string(s / 60 % 60) + "m";
}

std::optional<std::uint64_t> ParseSize(std::string_view text) {
  std::uint64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || end == text.data()) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, factor] : kSizes) {
    if (text == name) {
      if (amount > std::uint64_t{1} << 50 >> 10) return {};
      return amount * static_cast<std::uint64_t>(factor);
    }
  }
  return {};
}

std::string FormatSize(std::uint64_t bytes) {
  for (const auto& [name, factor] : kSizes) {
    const auto f = static_cast<std::uint64_t>(factor);
    if (bytes >= f && bytes % f == 0) return std::to_string(bytes / f) + std::string(name);
  }
  return std::to_string(bytes) + "B";
}

std::string HumanSize(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::uint64_t tenths = (bytes * 10 + 512) / 1024;
  for (; tenths >= 10240 && unit + 1 < kUnits.size(); ++unit) tenths = (tenths + 512) / 1024;
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + ' ' + kUnits[unit];
}

std::optional<milliseconds> ParseRetryAfter(std::string_view value, WallTime now) {
  constexpr double kLongestSeconds = 7 * 86400;
  value = Trim(value);
  if (value.empty()) return {};
  double wait = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), wait, std::chars_format::fixed);
  if (error == std::errc() && end == value.data() + value.size()) {
    if (!(wait >= 0) || std::isinf(wait)) return {};  // from_chars accepts "nan" and "inf" too
    return milliseconds(static_cast<std::int64_t>(std::min(wait, kLongestSeconds) * 1000 + 0.5));
  }
  if (error == std::errc::result_out_of_range) return {};
  const auto date = ParseHttpDate(value);
  if (!date) return {};
  const auto until = std::max(*date - now, milliseconds(0));
  return std::min(until, milliseconds(static_cast<std::int64_t>(kLongestSeconds * 1000)));
}

}  // namespace hookswitch
