#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace hookswitch::routing {

/// What a zone file says of all times after its last transition (RFC 8536 3.3): the rule at its end, a TZ string of
/// POSIX such as "CET-1CEST,M3.5.0,M10.5.0/3". Slim files hold little else. Immutable.
class ZoneTail {
 public:
  /// Of the bytes of a zone file. Empty if that has no such rule, or is none.
  static std::optional<ZoneTail> Read(std::string_view file);

  /// The first moment that the rule is about.
  std::chrono::sys_seconds begin() const { return begin_; }
  /// What clocks are ahead of UTC by at `time`.
  std::chrono::seconds OffsetAt(std::chrono::sys_seconds time) const;

 private:
  /// When clocks change within a year.
  struct Change {
    enum class Kind { kMonthWeekDay, kDayWithoutLeap, kDay } kind = Kind::kDay;
    int month = 0, week = 0, day = 0;  ///< day: of the week from Sunday, or of the year
    std::chrono::seconds time{std::chrono::hours(2)};

    /// On the clocks that it changes.
    std::chrono::seconds In(int year) const;
  };
  class Parser;

  std::chrono::sys_seconds begin_{};
  std::chrono::seconds standard_{}, summer_{};
  std::optional<Change> to_summer_, to_standard_;
};

}  // namespace hookswitch::routing
