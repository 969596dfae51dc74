#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace hookswitch::routing {

/// The rule of a zone file for all times after its last transition (RFC 8536 3.3): a POSIX TZ string such as
/// "CET-1CEST,M3.5.0,M10.5.0/3". Slim files hold little else. Immutable.
class ZoneTail {
 public:
  /// From the bytes of a zone file. Empty if it has no such rule, or is not a zone file.
  static std::optional<ZoneTail> Read(std::string_view file);

  /// The first moment that the rule applies to.
  std::chrono::sys_seconds begin() const { return begin_; }
  /// The offset from UTC at `time`, positive to the east.
  std::chrono::seconds OffsetAt(std::chrono::sys_seconds time) const;

 private:
  /// When clocks change within a year.
  struct Change {
    enum class Kind { kMonthWeekDay, kDayWithoutLeap, kDay } kind = Kind::kDay;
    int month = 0, week = 0, day = 0;  ///< day: of the week from Sunday, or of the year
    std::chrono::seconds time{std::chrono::hours(2)};

    /// The change in `year`, since the epoch, in the local time before it.
    std::chrono::seconds In(int year) const;
  };
  class Parser;

  std::chrono::sys_seconds begin_{};
  std::chrono::seconds standard_{}, summer_{};
  std::optional<Change> to_summer_, to_standard_;
};

}  // namespace hookswitch::routing
