#pragma once
#include <array>
#include <bitset>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/routing/zone_tail.h"

namespace hookswitch::routing {

inline constexpr int kMinutesPerDay = 24 * 60;
inline constexpr int kMinutesPerWeek = 7 * kMinutesPerDay;

/// A time zone of the system's database. Immutable. [thread: any]
class Zone {
 public:
  /// nullptr if the system does not know `name`. "UTC" works without a database.
  static std::unique_ptr<const Zone> Find(const std::string& name);
  /// The known name nearest to `name`, or "".
  static std::string Nearest(const std::string& name);

  /// Minutes since Monday 00:00 in this zone at `time`: an hour that daylight saving time repeats occurs twice, one
  /// that it skips never.
  int MinuteOfWeek(WallTime time) const;
  /// This zone's offset from UTC at `time`, positive to the east.
  std::chrono::seconds OffsetAt(WallTime time) const;
  const std::string& name() const { return name_; }

 private:
  Zone(std::string name, const void* entry, std::optional<ZoneTail> tail)
      : name_(std::move(name)), entry_(entry), tail_(tail) {}
  std::string name_;
  const void* entry_;             // the database's entry, valid until the process ends; nullptr: UTC
  std::optional<ZoneTail> tail_;  // for times after the last transition in `entry_`
};

/// Which minutes of the week a schedule is open. Immutable.
class Week {
 public:
  explicit Week(const std::vector<config::Window>& windows);
  bool OpenAt(int minute_of_week) const { return open_[static_cast<std::size_t>(minute_of_week)]; }
  bool NeverOpen() const { return open_.none(); }

 private:
  std::bitset<kMinutesPerWeek> open_;
};

/// A compiled schedule. `zone`: see Schedules::zone; an event's time is converted once per zone.
struct Schedule {
  std::string name;
  std::size_t zone = 0;
  Week week;
};

/// All schedules of a config. Immutable once made.
class Schedules {
 public:
  /// Unknown zones are errors, schedules that are never open warnings.
  Schedules(const std::vector<config::Schedule>& schedules, config::Problems& problems);
  const Schedule* Find(std::string_view name) const;
  const Zone& zone(std::size_t index) const { return *zones_[index]; }
  std::vector<std::string> Names() const;

 private:
  std::vector<std::unique_ptr<const Zone>> zones_;
  std::map<std::string, Schedule, std::less<>> by_name_;
};

/// "Wed 21:14"
std::string MinuteOfWeekText(int minute_of_week);

}  // namespace hookswitch::routing
