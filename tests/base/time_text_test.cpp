#include "core/base/time_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

WallTime At(std::int64_t ms) {
  return WallTime(milliseconds(ms));
}

TEST(Rfc3339, WritesTheFractionOnlyIfThereIsOne) {
  EXPECT_EQ(ToRfc3339(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(ToRfc3339(At(1772614923114)), "2026-03-04T09:02:03.114Z");
  EXPECT_EQ(ToRfc3339(At(1772614923005)), "2026-03-04T09:02:03.005Z");
  EXPECT_EQ(ToRfc3339(At(1709164800000)), "2024-02-29T00:00:00Z");
  EXPECT_EQ(ToRfc3339(At(253402300799999)), "9999-12-31T23:59:59.999Z");
}

TEST(ParseTime, ReadsWhatPlatformsSend) {
  const std::vector<std::pair<std::string, std::int64_t>> cases = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-03-04T09:02:03.114Z", 1772614923114},
      {"2026-03-04T09:02:03.1149999", 1772614923114},
      {"2026-03-04 09:02:03", 1772614923000},
      {"2026-03-04t09:02:03z", 1772614923000},
      {"2026-03-04T09:02Z", 1772614920000},
      {"2026-03-04T14:32:03+05:30", 1772614923000},
      {"2026-03-04T14:32:03+0530", 1772614923000},
      {"2026-03-04T04:02:03-05", 1772614923000},
      {"2026-03-04T09:02:03,5", 1772614923500},
      {"2024-02-29T00:00:00", 1709164800000},
  };
  for (const auto& [text, ms] : cases) {
    const auto time = ParseTime(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time->time_since_epoch().count(), ms) << text;
  }
}

TEST(ParseTime, RefusesTheRest) {
  for (const char* text :
       {"", "now", "2026-03-04", "2026-3-4T09:02:03Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-03-04T24:00:00Z", "2026-03-04T09:60:00Z", "2026-03-04T09:02:03Zx", "2026-03-04T09:02:03+5",
        "2026-03-04T09:02:03+05:3", "2026-03-04T09:02:03+24:00", "2026-03-04T09:02:03.Z", "1969-12-31T23:59:59Z",
        "2026-03-04T09:02:03 Z", "1970-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "1772614923"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(ParseTime, ReadsBackWhatIsWritten) {
  for (std::int64_t ms = 0; ms < 253402300800000; ms += 123'456'789'012) {
    EXPECT_EQ(ParseTime(ToRfc3339(At(ms))), At(ms));
  }
}

TEST(ParseDuration, NeedsUnitsThatFall) {
  const std::vector<std::pair<std::string, milliseconds>> cases = {
      {"0s", 0ms},   {"90s", 90s},      {"1m30s", 90s},      {"2h", 2h},
      {"7d", 168h},  {"250ms", 250ms},  {"1s500ms", 1500ms}, {"1d2h3m4s5ms", 93'784'005ms},
      {"010s", 10s}, {"3650d", 87600h},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(ParseDuration(text), wanted) << text;
  for (const char* text : {"", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "30s1m", "1m1m", "5sec", "1.5s", "3651d",
                           "4294967296s", "99999999999999999999s", "5S", "5w", "1h30"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(FormatDuration, WritesTheShortestExactForm) {
  const std::vector<std::pair<milliseconds, std::string>> cases = {
      {0ms, "0s"}, {90s, "1m30s"}, {250ms, "250ms"}, {168h, "7d"}, {93'784'005ms, "1d2h3m4s5ms"}, {3600s, "1h"},
  };
  for (const auto& [duration, text] : cases) {
    EXPECT_EQ(FormatDuration(duration), text);
    EXPECT_EQ(ParseDuration(text), duration);
  }
}

TEST(HumanDuration, RoundsToSecondsAndDropsThemFromAnHourOn) {
  const std::vector<std::pair<milliseconds, std::string>> cases = {
      {0ms, "0s"},     {400ms, "0s"},      {500ms, "1s"},    {42s, "42s"},     {59'600ms, "1m 0s"},
      {73s, "1m 13s"}, {3599s, "59m 59s"}, {3600s, "1h 0m"}, {7500s, "2h 5m"}, {100h, "100h 0m"},
  };
  for (const auto& [duration, text] : cases) EXPECT_EQ(HumanDuration(duration), text);
}

TEST(Size, IsRoundedForPeople) {
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {1536, "1.5 KiB"},
      {92'078'080, "87.8 MiB"},
      {1'048'575, "1.0 MiB"},
      {std::uint64_t{5} << 30, "5.0 GiB"},
      {~std::uint64_t{0} / 16, "1048576.0 TiB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(HumanSize(bytes), text) << bytes;
}

TEST(Size, ReadsAndWritesBinaryUnits) {
  const std::vector<std::pair<std::string, std::uint64_t>> cases = {
      {"0B", 0}, {"512B", 512}, {"64KiB", 65536}, {"1MiB", 1048576}, {"2GiB", 2147483648},
  };
  for (const auto& [text, bytes] : cases) {
    EXPECT_EQ(ParseSize(text), bytes) << text;
    EXPECT_EQ(FormatSize(bytes), text);
  }
  EXPECT_EQ(FormatSize(1536), "1536B");
  for (const char* text :
       {"", "5", "KiB", "1KB", "1kib", "1 MiB", "-1B", "1.5MiB", "99999999999999999999B", "99999999999999GiB"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(RetryAfter, ReadsSecondsAndTheThreeDates) {
  const WallTime now = At(784111777000);  // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 5.6.7
  const std::vector<std::pair<std::string, milliseconds>> cases = {
      {"0", 0s},
      {"30", 30s},
      {" 30 ", 30s},
      {"1.5", 1500ms},
      {"0.0004", 0ms},
      {"99999999", 168h},
      {"Sun, 06 Nov 1994 08:50:07 GMT", 30s},
      {"Sunday, 06-Nov-94 08:50:07 GMT", 30s},
      {"Sun Nov  6 08:50:07 1994", 30s},
      {"Sun, 06 Nov 1994 08:49:07 GMT", 0s},
      {"Mon, 06 Nov 2034 08:49:07 GMT", 168h},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(ParseRetryAfter(text, now), wanted) << text;
  for (const char* text :
       {"", " ", "-1", "soon", "inf", "nan", "INF", "infinity", "0x10", "30s", "1e3", "30, 40",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", ",", "Sun,"}) {
    EXPECT_FALSE(ParseRetryAfter(text, now)) << text;
  }
}

TEST(ParseMailTime, ReadsWhatPlatformsWrite) {
  bool has_zone = false;
  const auto read = [&](std::string_view text) {
    const auto time = ParseMailTime(text, has_zone);
    return time ? ToRfc3339(*time) : "";
  };
  EXPECT_EQ(read("Wed, 04 Mar 2026 10:01:12 +0000"), "2026-03-04T10:01:12Z");
  EXPECT_TRUE(has_zone);
  EXPECT_EQ(read("4 Mar 2026 15:31 +0530 (IST)"), "2026-03-04T10:01:00Z");
  EXPECT_EQ(read("Wed, 4 Mar 2026 02:01:12 -0800"), "2026-03-04T10:01:12Z");
  EXPECT_EQ(read("Wed, 04 Mar 2026 10:01:12 GMT"), "2026-03-04T10:01:12Z");
  EXPECT_EQ(read("Wed, 04 Mar 2026 15:30:00"), "2026-03-04T15:30:00Z");
  EXPECT_FALSE(has_zone);
  for (const char* text : {"", ",", "Wed", "04 Mar", "04 Mär 2026 10:01:12", "32 Mar 2026 10:01:12 +0000",
                           "04 Mar 2026 10:01:12 +00", "04 Mar 2026 10:01:12 EST", "04 Mar 2026 10:01:12 +0000 x",
                           "4 Mar 26 10:01:12 +0000", "2026-03-04T10:01:12Z"}) {
    EXPECT_EQ(read(text), "") << text;
  }
}

}  // namespace
}  // namespace hookswitch
