#include "core/routing/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

#include "core/base/time_text.h"

namespace hookswitch::routing {
namespace {

constexpr std::uint8_t kMonday = 1, kFriday = 1 << 4, kSaturday = 1 << 5, kSunday = 1 << 6, kEveryDay = 0x7F;

WallTime At(const std::string& text) {
  const auto time = ParseTime(text);
  EXPECT_TRUE(time) << text;
  return *time;
}

config::Schedule Make(const std::string& zone, std::vector<config::Window> windows) {
  config::Schedule schedule;
  schedule.name = "s";
  schedule.timezone = zone;
  schedule.windows = std::move(windows);
  return schedule;
}

bool Open(const std::string& zone, std::vector<config::Window> windows, const std::string& time) {
  config::Problems problems;
  const Schedules schedules({Make(zone, std::move(windows))}, problems);
  EXPECT_FALSE(problems.HasErrors()) << config::ToJson(problems.All());
  const Schedule& schedule = *schedules.Find("s");
  return schedule.week.OpenAt(schedules.zone(schedule.zone).MinuteOfWeek(At(time)));
}

TEST(Schedule, IsHalfOpen) {
  const std::vector<config::Window> office = {{kMonday, 9 * 60, 18 * 60}};
  EXPECT_FALSE(Open("UTC", office, "2026-03-02T08:59:59.999Z"));
  EXPECT_TRUE(Open("UTC", office, "2026-03-02T09:00:00Z"));
  EXPECT_TRUE(Open("UTC", office, "2026-03-02T17:59:59.999Z"));
  EXPECT_FALSE(Open("UTC", office, "2026-03-02T18:00:00Z"));
  EXPECT_FALSE(Open("UTC", office, "2026-03-03T12:00:00Z"));
}

TEST(Schedule, UsesTheClocksOfItsZone) {
  const std::vector<config::Window> office = {{kMonday, 9 * 60, 18 * 60}};
  EXPECT_TRUE(Open("Asia/Kolkata", office, "2026-03-02T03:30:00Z"));
  EXPECT_FALSE(Open("Asia/Kolkata", office, "2026-03-02T03:29:59Z"));
  EXPECT_TRUE(Open("Pacific/Kiritimati", office, "2026-03-01T20:00:00Z")) << "already Monday there";
}

TEST(Schedule, CrossesMidnightFromItsOwnDay) {
  const std::vector<config::Window> friday_night = {{kFriday, 22 * 60, 6 * 60}};
  EXPECT_FALSE(Open("UTC", friday_night, "2026-03-06T05:00:00Z")) << "Friday before dawn belongs to Thursday";
  EXPECT_TRUE(Open("UTC", friday_night, "2026-03-06T22:00:00Z"));
  EXPECT_TRUE(Open("UTC", friday_night, "2026-03-07T05:59:00Z"));
  EXPECT_FALSE(Open("UTC", friday_night, "2026-03-07T06:00:00Z"));
  EXPECT_FALSE(Open("UTC", friday_night, "2026-03-07T22:30:00Z"));
}

TEST(Schedule, WrapsFromSundayToMonday) {
  const std::vector<config::Window> sunday_night = {{kSunday, 22 * 60, 6 * 60}};
  EXPECT_TRUE(Open("UTC", sunday_night, "2026-03-08T23:00:00Z"));
  EXPECT_TRUE(Open("UTC", sunday_night, "2026-03-09T05:00:00Z"));
  EXPECT_FALSE(Open("UTC", sunday_night, "2026-03-09T06:00:00Z"));
}

TEST(Schedule, WholeDayIsOpenAllDay) {
  for (const auto& window : {config::Window{kSaturday, 0, 1440}, config::Window{kSaturday, 0, 0}}) {
    EXPECT_TRUE(Open("UTC", {window}, "2026-03-07T00:00:00Z"));
    EXPECT_TRUE(Open("UTC", {window}, "2026-03-07T23:59:59Z"));
    EXPECT_FALSE(Open("UTC", {window}, "2026-03-08T00:00:00Z"));
    EXPECT_FALSE(Open("UTC", {window}, "2026-03-06T23:59:59Z"));
  }
}

// Europe/Berlin springs from 02:00 to 03:00 on 2026-03-29 (01:00 UTC).
TEST(Schedule, SpringForwardSkipsTheMissingHour) {
  const std::vector<config::Window> two_to_three = {{kEveryDay, 120, 180}};
  EXPECT_TRUE(Open("Europe/Berlin", two_to_three, "2026-03-28T01:30:00Z"));
  EXPECT_FALSE(Open("Europe/Berlin", two_to_three, "2026-03-29T00:59:00Z"));
  EXPECT_FALSE(Open("Europe/Berlin", two_to_three, "2026-03-29T01:00:00Z"));
  const std::vector<config::Window> office = {{kEveryDay, 9 * 60, 18 * 60}};
  EXPECT_FALSE(Open("Europe/Berlin", office, "2026-03-28T07:30:00Z"));
  EXPECT_TRUE(Open("Europe/Berlin", office, "2026-03-29T07:30:00Z"));
}

// Europe/Berlin falls from 03:00 back to 02:00 on 2026-10-25 (01:00 UTC).
TEST(Schedule, FallBackIsOpenInBothOfTheRepeatedHours) {
  const std::vector<config::Window> two_to_three = {{kEveryDay, 120, 180}};
  EXPECT_FALSE(Open("Europe/Berlin", two_to_three, "2026-10-24T23:59:00Z"));
  EXPECT_TRUE(Open("Europe/Berlin", two_to_three, "2026-10-25T00:30:00Z"));
  EXPECT_TRUE(Open("Europe/Berlin", two_to_three, "2026-10-25T01:30:00Z"));
  EXPECT_FALSE(Open("Europe/Berlin", two_to_three, "2026-10-25T02:00:00Z"));
}

// Australia/Lord_Howe moves by half an hour.
TEST(Schedule, HalfHourShiftsAreExact) {
  const std::vector<config::Window> half_past_one = {{kEveryDay, 90, 120}};
  EXPECT_TRUE(Open("Australia/Lord_Howe", half_past_one, "2026-04-04T14:45:00Z"));
  EXPECT_TRUE(Open("Australia/Lord_Howe", half_past_one, "2026-04-04T15:15:00Z")) << "the half hour that comes twice";
  EXPECT_FALSE(Open("Australia/Lord_Howe", half_past_one, "2026-04-04T15:30:00Z"));
}

TEST(ScheduleProblems, UnknownZoneIsAnErrorWithSuggestion) {
  config::Problems problems;
  const Schedules schedules({Make("Asia/Kolkatta", {{kMonday, 0, 60}})}, problems);
  ASSERT_EQ(problems.All().size(), 1u);
  EXPECT_EQ(problems.All()[0].message, "schedule \"s\": \"Asia/Kolkatta\" is not a time zone of this system");
  EXPECT_EQ(problems.All()[0].hint, "did you mean \"Asia/Kolkata\"?");
  EXPECT_TRUE(problems.HasErrors());
}

TEST(ScheduleProblems, ZoneNamesCannotReachOtherFiles) {
  for (const auto* name :
       {"../../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "Europe", "posixrules/x", "tzdata.zi"}) {
    config::Problems problems;
    const Schedules schedules({Make(name, {{kMonday, 0, 60}})}, problems);
    EXPECT_TRUE(problems.HasErrors()) << name;
  }
}

TEST(ScheduleProblems, NeverOpenIsAWarning) {
  config::Problems problems;
  const Schedules schedules({Make("UTC", {{0, 0, 60}})}, problems);
  ASSERT_EQ(problems.All().size(), 1u);
  EXPECT_EQ(problems.All()[0].message, "schedule \"s\" is never open");
  EXPECT_FALSE(problems.HasErrors());
}

// The C library reads the same files, and the rule at their end.
TEST(Zone, TellsTheSameTimeAsTheCLibraryInEveryZoneAlsoAfterTheLastTransition) {
  const char* before = std::getenv("TZ");
  const std::string restored = before ? before : "";
  for (const char* name :
       {"Asia/Kolkata", "Europe/Amsterdam", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/Godthab",
        "America/Santiago", "Africa/Casablanca", "Africa/Cairo", "Asia/Gaza", "Asia/Tehran", "Asia/Jerusalem",
        "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Easter", "Antarctica/Troll", "Etc/GMT+5", "EST5EDT"}) {
    const auto zone = Zone::Find(name);
    ASSERT_TRUE(zone) << name;
    ::setenv("TZ", (std::string(":") + name).c_str(), 1);
    ::tzset();
    int wrong = 0;
    for (std::time_t second = 946'684'800; second < 3'155'760'000; second += 5 * 3600 + 1) {  // 2000 to 2070
      std::tm local{};
      ::localtime_r(&second, &local);
      wrong += zone->OffsetAt(WallTime(std::chrono::seconds(second))).count() == local.tm_gmtoff ? 0 : 1;
    }
    EXPECT_EQ(wrong, 0) << name;
  }
  before ? ::setenv("TZ", restored.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

TEST(ZoneTail, AFileThatIsCutOrBrokenHasNone) {
  std::ifstream file("/usr/share/zoneinfo/Europe/Amsterdam", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  const auto whole = ZoneTail::Read(bytes);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->OffsetAt(std::chrono::floor<std::chrono::seconds>(At("2050-07-01T00:00:00Z"))),
            std::chrono::hours(2));
  for (std::size_t size = 0; size + 1 < bytes.size(); ++size) {
    EXPECT_FALSE(ZoneTail::Read(std::string_view(bytes).substr(0, size))) << size;
  }
  const auto newline = bytes.rfind('\n', bytes.size() - 2);
  for (const char* rule : {"", "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0/3",
                           "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST,M3.6.0,M10.5.0", "<CET-1", "CET-999"}) {
    EXPECT_FALSE(ZoneTail::Read(bytes.substr(0, newline + 1) + rule + "\n")) << rule;
  }
}

}  // namespace
}  // namespace hookswitch::routing
