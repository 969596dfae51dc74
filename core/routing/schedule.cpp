#include "core/routing/schedule.h"

#include <date/tz.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>

#include "core/base/text.h"

namespace hookswitch::routing {
namespace {

// date/tz reads the transitions of the system's zone files, not the rule at their end.
std::optional<ZoneTail> TailOf(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  return ZoneTail::Read(bytes);
}

}  // namespace

std::unique_ptr<const Zone> Zone::Find(const std::string& name) {
  if (name == "UTC" || name.empty()) return std::unique_ptr<const Zone>(new Zone("UTC", nullptr, {}));
  // The database may read a file of this name: reject paths that leave its folder.
  if (name.front() == '/' || name.find("..") != std::string::npos) return nullptr;
  try {
    return std::unique_ptr<const Zone>(new Zone(name, date::locate_zone(name), TailOf(name)));
  } catch (const std::exception&) {
    return nullptr;
  }
}

std::string Zone::Nearest(const std::string& name) {
  std::vector<std::string> names;
  try {
    for (const auto& zone : date::get_tzdb().zones) names.push_back(zone.name());
  } catch (const std::exception&) {
    return {};
  }
  const auto same = std::find_if(names.begin(), names.end(), [&](const auto& n) { return EqualsIgnoreCase(n, name); });
  return same != names.end() ? *same : hookswitch::Nearest(name, names);
}

std::chrono::seconds Zone::OffsetAt(WallTime time) const {
  if (!entry_) return {};
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  if (tail_ && second >= tail_->begin()) return tail_->OffsetAt(second);
  return static_cast<const date::time_zone*>(entry_)->get_info(second).offset;
}

int Zone::MinuteOfWeek(WallTime time) const {
  const std::chrono::milliseconds local = time.time_since_epoch() + OffsetAt(time);
  constexpr int kEpochWeekday = 3;  // 1970-01-01 was a Thursday; Monday is 0
  const auto minutes = std::chrono::floor<std::chrono::minutes>(local).count() + kEpochWeekday * kMinutesPerDay;
  return static_cast<int>((minutes % kMinutesPerWeek + kMinutesPerWeek) % kMinutesPerWeek);
}

Week::Week(const std::vector<config::Window>& windows) {
  for (const config::Window& window : windows) {
    const int length =
        window.to_minute - window.from_minute + (window.to_minute <= window.from_minute ? kMinutesPerDay : 0);
    for (int day = 0; day < 7; ++day) {
      if ((window.days >> day & 1) == 0) continue;
      for (int i = 0; i < length; ++i) {
        open_.set(static_cast<std::size_t>((day * kMinutesPerDay + window.from_minute + i) % kMinutesPerWeek));
      }
    }
  }
}

Schedules::Schedules(const std::vector<config::Schedule>& schedules, config::Problems& problems) {
  std::map<std::string, std::size_t> zone_index;
  for (const config::Schedule& schedule : schedules) {
    auto known = zone_index.find(schedule.timezone);
    if (known == zone_index.end()) {
      auto zone = Zone::Find(schedule.timezone);
      if (!zone) {
        const std::string near = Zone::Nearest(schedule.timezone);
        problems.Error(
            schedule.where, static_cast<int>(schedule.name.size()),
            "schedule \"" + schedule.name + "\": \"" + schedule.timezone + "\" is not a time zone of this system",
            near.empty() ? "an IANA name such as Asia/Kolkata" : "did you mean \"" + near + "\"?");
        zone = Zone::Find("UTC");
      }
      known = zone_index.emplace(schedule.timezone, zones_.size()).first;
      zones_.push_back(std::move(zone));
    }
    const auto [it, added] =
        by_name_.emplace(schedule.name, Schedule{schedule.name, known->second, Week(schedule.windows)});
    if (added && it->second.week.NeverOpen()) {
      problems.Warning(schedule.where, static_cast<int>(schedule.name.size()),
                       "schedule \"" + schedule.name + "\" is never open");
    }
  }
}

const Schedule* Schedules::Find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &it->second;
}

std::vector<std::string> Schedules::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, schedule] : by_name_) names.push_back(name);
  return names;
}

std::string MinuteOfWeekText(int minute_of_week) {
  constexpr std::array kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  const int minute = minute_of_week % kMinutesPerDay;
  char text[16];
  std::snprintf(text, sizeof text, "%s %02d:%02d", kDays[static_cast<std::size_t>(minute_of_week / kMinutesPerDay) % 7],
                minute / 60 % 24, minute % 60);
  return text;
}

}  // namespace hookswitch::routing
