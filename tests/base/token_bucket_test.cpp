#include "core/base/token_bucket.h"

#include <gtest/gtest.h>

#include <limits>

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

int TakeAll(TokenBucket& bucket, MonoTime now) {
  int taken = 0;
  for (; bucket.Ready(now) && taken < 1'000'000; ++taken) bucket.Take(now);
  return taken;
}

TEST(TokenBucket, LetsABurstPassAndThenPaces) {
  TokenBucket bucket({1, 1s, 3});
  MonoTime now = MonoTime(1h);
  EXPECT_EQ(TakeAll(bucket, now), 3);
  EXPECT_EQ(bucket.Next(), now + 1s);
  EXPECT_EQ(TakeAll(bucket, now + 999ms), 0);
  EXPECT_EQ(TakeAll(bucket, now + 1s), 1);
  EXPECT_EQ(TakeAll(bucket, now + 1h), 3);
}

TEST(TokenBucket, ZeroRateNeverHoldsAnythingBack) {
  TokenBucket bucket({0, 1s, 1});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(bucket.Ready(MonoTime(1h)));
    bucket.Take(MonoTime(1h));
  }
}

TEST(TokenBucket, RatesThatDoNotDivideTheSecondDoNotDrift) {
  TokenBucket bucket({7, 1s, 1});
  MonoTime now = MonoTime(1h);
  int taken = 0;
  for (int ms = 0; ms < 100'000; ++ms) taken += TakeAll(bucket, now + std::chrono::milliseconds(ms));
  EXPECT_NEAR(taken, 700, 1);
}

TEST(TokenBucket, ABurstOfAnyLengthComesBackWithoutAnOverflow) {
  const std::chrono::milliseconds longest{std::numeric_limits<std::uint32_t>::max()};  // as a plugin may say it
  for (const Rate& rate : {Rate{1, longest, 1'000'000}, Rate{1, 720h, 5000}}) {
    TokenBucket bucket(rate);
    const MonoTime now(1h);
    for (int i = 0; i < 7; ++i) {
      ASSERT_TRUE(bucket.Ready(now)) << i;
      bucket.Take(now);
    }
    EXPECT_TRUE(bucket.Full(now + 8 * longest));
  }
}

TEST(TokenBucket, ASlowerRateCountsStartsAlreadyMade) {
  TokenBucket bucket({100, 1s, 1});
  MonoTime now = MonoTime(1h);
  bucket.Take(now);
  bucket.SetRate({1, 1s, 1});
  EXPECT_FALSE(bucket.Ready(now + 9ms));
  EXPECT_TRUE(bucket.Ready(now + 10ms));
}

}  // namespace
}  // namespace hookswitch
