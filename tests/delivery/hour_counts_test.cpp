#include "core/delivery/hour_counts.h"

#include <gtest/gtest.h>

#include <numeric>

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using What = HourCounts::What;

constexpr WallTime kCounted{std::chrono::minutes(29'543'582) + 3114ms};

std::uint32_t Sum(const HourCounts::Series& series) {
  return std::accumulate(series.begin(), series.end(), 0u);
}

TEST(HourCounts, TheLastMinuteIsTheCurrentOne) {
  HourCounts counts;
  counts.Count(What::kDelivered, kCounted);
  counts.Count(What::kDelivered, kCounted + 40s);
  counts.Count(What::kRetried, kCounted + 1min);
  counts.Count(What::kDead, kCounted + 1min);
  const HourCounts::Hour hour = counts.At(kCounted + 1min);
  EXPECT_EQ(hour.from, WallTime(std::chrono::minutes(29'543'582 - 58)));
  EXPECT_EQ(hour.delivered[58], 2u);
  EXPECT_EQ(hour.retried[59], 1u);
  EXPECT_EQ(hour.dead[59], 1u);
  EXPECT_EQ(Sum(hour.delivered), 2u);
}

TEST(HourCounts, AnHourLaterNothingIsLeft) {
  HourCounts counts;
  counts.Count(What::kDelivered, kCounted);
  EXPECT_EQ(counts.At(kCounted + 59min).delivered[0], 1u);
  EXPECT_EQ(Sum(counts.At(kCounted + 60min).delivered), 0u);
  counts.Count(What::kDead, kCounted + 60min);
  EXPECT_EQ(counts.At(kCounted + 60min).dead[59], 1u);
  EXPECT_EQ(Sum(counts.At(kCounted + 60min).delivered), 0u) << "the place of the old minute is used again";
}

TEST(HourCounts, AClockThatIsSetBackLosesNoMoreThanTheMinutesItUsesAgain) {
  HourCounts counts;
  counts.Count(What::kDelivered, kCounted);
  counts.Count(What::kDelivered, kCounted - 10min);
  EXPECT_EQ(Sum(counts.At(kCounted - 10min).delivered), 1u);
  EXPECT_EQ(Sum(counts.At(kCounted).delivered), 2u);
}

}  // namespace
}  // namespace hookswitch
