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

/// A time zone of the system's database. Immutable; safe from any thread.
class Zone {
 public:
  /// nullptr if the system does not know `name`. "UTC" works without a database.
  static std::unique_ptr<const Zone> Find(const std::string& name);
  /// The known name nearest to `name`, or "".
  static std::string Nearest(const std::string& name);

  /// Minutes since Monday 00:00 on this zone's clocks at `time`: an hour that daylight saving repeats is there twice,
  /// one it skips never.
  int MinuteOfWeek(WallTime time) const;
  /// What this zone's clocks are ahead of UTC by at `time`.
  std::chrono::seconds OffsetAt(WallTime time) const;
  const std::string& name() const { return name_; }

 private:
  Zone(std::string name, const void* entry, std::optional<ZoneTail> tail)
      : name_(std::move(name)), entry_(entry), tail_(tail) {}
  std::string name_;
  const void* entry_;             // the database's entry, which lives as long as the process; nullptr is UTC
  std::optional<ZoneTail> tail_;  // what the entry does not know
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

/// A named schedule, ready to ask. `zone` counts the table's zones, so that one event is converted once per zone.
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
