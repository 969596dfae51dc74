#include "core/routing/zone_tail.h"

#include <date/date.h>

#include <charconv>
#include <cstdint>

namespace hookswitch::routing {
namespace {

using std::chrono::seconds;

/// The counts of a header (RFC 8536 3.1), and the size of the block that follows it with times of `time_size` bytes.
struct Header {
  static constexpr std::size_t kSize = 44;
  std::uint64_t times = 0, block = 0;

  static std::optional<Header> Read(std::string_view bytes, std::size_t time_size) {
    if (bytes.size() < kSize || !bytes.starts_with("TZif")) return {};
    const auto count = [&](std::size_t at) {
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
      return number;
    };
    Header header;
    header.times = count(32);
    header.block = count(20) + count(24) + count(28) * (time_size + 4) + header.times * (time_size + 1) +
                   count(36) * 6 + count(40);
    return header;
  }
};

}  // namespace

/// Reads a TZ string (POSIX.1-2017, 8.3, and RFC 8536 3.3.1 for times beyond a day).
class ZoneTail::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<ZoneTail> Parse() {
    ZoneTail tail;
    const auto standard = Name() ? Time() : std::nullopt;
    if (!standard) return {};
    tail.standard_ = -*standard;  // in POSIX, west is positive
    if (rest_.empty()) return tail;
    if (!Name()) return {};
    tail.summer_ = tail.standard_ + std::chrono::hours(1);
    if (!rest_.starts_with(',')) {
      const auto summer = Time();
      if (!summer) return {};
      tail.summer_ = -*summer;
    }
    tail.to_summer_ = Next();
    tail.to_standard_ = Next();
    if (!tail.to_summer_ || !tail.to_standard_ || !rest_.empty()) return {};
    return tail;
  }

 private:
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool Name() {
    const bool quoted = Take('<');
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    std::size_t length = 0;
    while (length < rest_.size() && (quoted ? rest_[length] != '>' : is_letter(rest_[length]))) ++length;
    rest_.remove_prefix(length);
    return length >= 3 && (!quoted || Take('>'));
  }
  std::optional<int> Number(int most) {
    int number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc() || number < 0 || number > most) return {};
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }
  /// [+-]h[:mm[:ss]]
  std::optional<seconds> Time() {
    constexpr int kMostHours = 167;
    const bool minus = Take('-');
    if (!minus) Take('+');
    seconds time{};
    int most = kMostHours;
    for (const int unit : {3600, 60, 1}) {
      if (unit != 3600 && !Take(':')) break;
      const auto number = Number(most);
      if (!number) return {};
      time += seconds(*number * unit);
      most = 59;
    }
    return minus ? -time : time;
  }
  std::optional<Change> Next() {
    Change change;
    if (!Take(',')) return {};
    if (Take('M')) {
      change.kind = Change::Kind::kMonthWeekDay;
      const auto month = Number(12);
      const auto week = month && Take('.') ? Number(5) : std::nullopt;
      const auto day = week && Take('.') ? Number(6) : std::nullopt;
      if (!day || *month == 0 || *week == 0) return {};
      change.month = *month;
      change.week = *week;
      change.day = *day;
    } else {
      change.kind = Take('J') ? Change::Kind::kDayWithoutLeap : Change::Kind::kDay;
      const auto day = Number(365);
      if (!day) return {};
      change.day = *day;
    }
    if (Take('/')) {
      const auto time = Time();
      if (!time) return {};
      change.time = *time;
    }
    return change;
  }

  std::string_view rest_;
};

seconds ZoneTail::Change::In(int year) const {
  const date::year y(year);
  const auto first = date::sys_days(y / date::January / 1);
  const auto at = [&](date::sys_days day) { return seconds(day.time_since_epoch()) + time; };
  switch (kind) {
    case Kind::kMonthWeekDay: {
      const date::weekday weekday(static_cast<unsigned>(day));
      const date::month m(static_cast<unsigned>(month));
      constexpr int kLast = 5;
      if (week == kLast) return at(date::sys_days(y / m / weekday[date::last]));
      return at(date::sys_days(y / m / weekday[static_cast<unsigned>(week)]));
    }
    case Kind::kDayWithoutLeap: {
      constexpr int kLastOfFebruary = 59;
      const int leap = y.is_leap() && day > kLastOfFebruary ? 1 : 0;
      return at(first + date::days(day - 1 + leap));
    }
    case Kind::kDay: return at(first + date::days(day));
  }
  return {};
}

std::optional<ZoneTail> ZoneTail::Read(std::string_view file) {
  const auto old = Header::Read(file, 4);
  if (!old || file.size() < 2 * Header::kSize + old->block || file[4] < '2') return {};
  file.remove_prefix(Header::kSize + old->block);
  const auto header = Header::Read(file, 8);
  if (!header || file.size() < Header::kSize + header->block + 2) return {};
  std::string_view footer = file.substr(Header::kSize + header->block);
  if (footer.front() != '\n' || footer.find('\n', 1) == std::string_view::npos) return {};
  footer = footer.substr(1, footer.find('\n', 1) - 1);
  auto tail = Parser(footer).Parse();
  if (!tail) return {};
  std::uint64_t last = 0;
  for (std::size_t i = 0; header->times > 0 && i < 8; ++i) {
    last = last << 8 | static_cast<unsigned char>(file[Header::kSize + (header->times - 1) * 8 + i]);
  }
  const auto begin = static_cast<std::int64_t>(last);
  tail->begin_ = std::chrono::sys_seconds(header->times > 0 ? seconds(begin) : seconds::min());
  return tail;
}

seconds ZoneTail::OffsetAt(std::chrono::sys_seconds time) const {
  if (!to_summer_) return standard_;
  const seconds at = time.time_since_epoch();
  const auto day = date::floor<date::days>(date::sys_seconds(at + standard_));
  const int year = static_cast<int>(date::year_month_day(day).year());
  const seconds summer = to_summer_->In(year) - standard_;
  const seconds winter = to_standard_->In(year) - summer_;
  const bool is_summer = summer < winter ? at >= summer && at < winter : at >= summer || at < winter;
  return is_summer ? summer_ : standard_;
}

}  // namespace hookswitch::routing
