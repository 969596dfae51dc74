#include "core/delivery/retry_policy.h"

#include <gtest/gtest.h>

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const config::Retry kRetry{{2s, 10s, 30s}, 1h};

TEST(RetryPolicy, WaitsTheScheduleWithinTwentyPercent) {
  Jitter jitter(1);
  for (int i = 0; i < 1000; ++i) {
    const auto wait = NextTry(kRetry, 2, 0ms, jitter);
    ASSERT_TRUE(wait);
    EXPECT_GE(*wait, 8s);
    EXPECT_LE(*wait, 12s);
  }
}

TEST(RetryPolicy, JitterSpreadsOverTheWholeRange) {
  Jitter jitter(2);
  milliseconds least = 1h, most = 0ms;
  for (int i = 0; i < 1000; ++i) {
    const auto wait = NextTry(kRetry, 1, 0ms, jitter);
    least = std::min(least, *wait);
    most = std::max(most, *wait);
  }
  EXPECT_LT(least, 1650ms);
  EXPECT_GT(most, 2350ms);
}

TEST(RetryPolicy, LastEntryRepeats) {
  Jitter jitter(3);
  EXPECT_GE(*NextTry(kRetry, 100, 0ms, jitter), 24s);
}

TEST(RetryPolicy, GivesUpAfterTheTimeAllowed) {
  Jitter jitter(4);
  EXPECT_FALSE(NextTry(kRetry, 1, 1h, jitter));
  EXPECT_FALSE(NextTry(kRetry, 1, 2h, jitter));
}

TEST(RetryPolicy, TheLastTryComesNoLaterThanTheTimeAllowed) {
  Jitter jitter(5);
  EXPECT_EQ(NextTry(kRetry, 3, 1h - 5s, jitter), 5s);
}

TEST(RetryPolicy, ZeroTimeMeansOneTry) {
  Jitter jitter(6);
  EXPECT_FALSE(NextTry({{1s}, 0ms}, 1, 0ms, jitter));
}

TEST(RetryPolicy, SameSeedGivesTheSameWaits) {
  Jitter a(7), b(7);
  for (std::uint32_t i = 1; i < 20; ++i) EXPECT_EQ(NextTry(kRetry, i, 0ms, a), NextTry(kRetry, i, 0ms, b));
}

TEST(RetryPolicy, APauseIsNeverShorterThanAskedAndUpToASecondLonger) {
  Jitter jitter(8);
  milliseconds least = 1h, most = 0ms;
  for (int i = 0; i < 1000; ++i) {
    const milliseconds pause = PauseFor(30s, 1h, jitter);
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_GE(least, 30s);
  EXPECT_LT(least, 30'100ms);
  EXPECT_GT(most, 30'900ms);
  EXPECT_LE(most, 31s);
}

TEST(RetryPolicy, APauseOverTheLongestIsTheLongest) {
  Jitter jitter(10);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_GE(PauseFor(168h, 1h, jitter), 1h);
    EXPECT_LE(PauseFor(168h, 1h, jitter), 1h + 1s);
  }
}

TEST(RetryPolicy, AShortPauseIsAtMostDoubledAndNeverNothing) {
  Jitter jitter(9);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(PauseFor(300ms, 1h, jitter), 600ms);
    EXPECT_GE(PauseFor(1ms, 1h, jitter), 100ms);
  }
}

}  // namespace
}  // namespace hookswitch
