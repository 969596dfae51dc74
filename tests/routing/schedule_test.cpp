#include "core/routing/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hookswitch::routing
