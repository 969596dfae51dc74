#include "core/delivery/wait_log.h"

#include <gtest/gtest.h>

#include "core/delivery/place_log.h"
#include "core/delivery/short_time.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

constexpr MonoTime kStart{1h};
constexpr MonoTime kEver = MonoTime::max();

TEST(WaitShares, EachMomentGoesToWhatClaimsItFirst) {
  WaitShares shares(kStart, kStart + 10s);
  shares.Claim(WaitKind::kPaused, kStart + 4s, kStart + 6s);
  shares.Claim(WaitKind::kRetry, kStart - 1s, kStart + 5s);
  shares.Claim(WaitKind::kPaused, kStart + 3s, kStart + 7s);
  EXPECT_EQ(ToText(shares.Result()), "retry 4000,paused 3000") << "from 7 s on it is not known";
  shares.Claim(WaitKind::kSlot, MonoTime::min(), kEver);
  EXPECT_EQ(ToText(shares.Result()), "retry 4000,paused 3000,slot 3000");
  shares.Claim(WaitKind::kPace, MonoTime::min(), kEver);
  EXPECT_EQ(ToText(shares.Result()), "retry 4000,paused 3000,slot 3000") << "nothing is left";
}

TEST(WaitShares, KindsAreInTheOrderOfTheirFirstMoments) {
  WaitShares shares(kStart, kStart + 10s);
  shares.Claim(WaitKind::kSettle, kStart + 9s, kEver);
  shares.Claim(WaitKind::kSettle, kStart + 2s, kStart + 3s);
  shares.Claim(WaitKind::kPace, kStart + 1s, kStart + 2s);
  EXPECT_EQ(ToText(shares.Result()), "pace 1000,settle 2000");
}

TEST(WaitShares, WhatIsUnderAMillisecondIsLeftOut) {
  WaitShares shares(kStart, kStart + 2999us);
  shares.Claim(WaitKind::kSlot, kStart, kStart + 999us);
  shares.Claim(WaitKind::kPace, kStart, kEver);
  EXPECT_EQ(ToText(shares.Result()), "pace 2");
}

TEST(WaitShares, OneThatDidNotWaitHasNone) {
  for (const MonoTime until : {kStart, kStart - 1s}) {
    WaitShares shares(kStart, until);
    shares.Claim(WaitKind::kSlot, MonoTime::min(), kEver);
    EXPECT_EQ(ToText(shares.Result()), "");
  }
}

TEST(WaitShares, TooManyPiecesLeaveSomeUnknownButNothingTwice) {
  WaitShares shares(kStart, kStart + 100s);
  for (int i = 1; i < 100; i += 2) shares.Claim(WaitKind::kSlot, kStart + i * 1s, kStart + (i + 1) * 1s);
  shares.Claim(WaitKind::kPace, MonoTime::min(), kEver);
  std::chrono::milliseconds sum{};
  for (const Wait& wait : shares.Result()) sum += wait.time;
  EXPECT_GE(sum, 30s);
  EXPECT_LE(sum, 100s);
}

struct WaitLogTest : testing::Test {
  /// What a delivery knows that waited between these times and claims everything.
  std::string Between(MonoTime from, MonoTime until) const {
    WaitShares shares(from, until);
    for (std::size_t kind = 0; kind < kWaitKinds; ++kind) log.Claim(shares, static_cast<WaitKind>(kind));
    return ToText(shares.Result());
  }
  WaitLog log;
};

TEST_F(WaitLogTest, KnowsWhatHeldTheLaneAndWhen) {
  EXPECT_EQ(Between(kStart, kStart + 1h), "") << "nothing is known yet";
  log.Note({}, kStart);
  log.Note(WaitKind::kPaused, kStart + 10s);
  log.Note(WaitKind::kPaused, kStart + 15s);
  log.Note({}, kStart + 20s);
  log.Note(WaitKind::kThrottle, kStart + 30s);
  EXPECT_EQ(Between(kStart, kStart + 35s), "paused 10000,throttle 5000");
  EXPECT_EQ(Between(kStart + 12s, kStart + 30s), "paused 8000");
  EXPECT_EQ(Between(kStart + 20s, kStart + 30s), "");
}

TEST_F(WaitLogTest, BetweenTwoStartsTheLimitThatEndsLastCounts) {
  // A rate of one a second, and attempts of 600 ms in one slot: the pace decides.
  MonoTime now = kStart;
  for (int i = 0; i < 100; ++i) {
    log.Started(now);
    log.Note(WaitKind::kSlot, now);
    log.Note(WaitKind::kPace, now + 600ms);
    now += 1s;
  }
  log.Started(now);
  EXPECT_EQ(Between(kStart, now), "pace 100000");
  EXPECT_EQ(log.size(), 1u);
  // Attempts of 1600 ms: the slot decides.
  log.Note(WaitKind::kSlot, now);
  log.Started(now + 1600ms);
  log.Note({}, now + 1600ms);
  EXPECT_EQ(Between(now, now + 1h), "slot 1600");
}

TEST_F(WaitLogTest, AStartEndsNothingButALimit) {
  log.Note(WaitKind::kTrouble, kStart);
  log.Started(kStart + 2s);  // a probe
  EXPECT_EQ(log.size(), 0u);
  log.Note(WaitKind::kTrouble, kStart + 2s);
  EXPECT_EQ(Between(kStart, kStart + 5s), "trouble 5000");
}

TEST_F(WaitLogTest, IsBoundedAndForgetsWhatIsShortForItsAge) {
  MonoTime now = kStart;
  const auto hold = [&](WaitKind why, std::chrono::milliseconds time) {
    log.Note(why, now);
    now += time;
    log.Note({}, now);
    now += 1ms;
  };
  hold(WaitKind::kPaused, 1h);
  hold(WaitKind::kThrottle, 10ms);
  for (int i = 0; i < 1000; ++i) hold(WaitKind::kTrouble, 100ms);
  EXPECT_EQ(log.size(), WaitLog::kMost);
  EXPECT_EQ(Between(now - 1010ms, now), "trouble 1000") << "what is new is known";
  const std::string all = Between(kStart, now);
  EXPECT_TRUE(all.starts_with("paused 3600000,trouble ")) << all;
}

TEST(PlaceLog, KnowsEachPlaceForItself) {
  PlaceLog log;
  log.Add(1, WaitKind::kTrouble, kStart, kStart + 10s);
  log.Add(2, WaitKind::kThrottle, kStart + 10s, kStart + 60s);
  log.EndAll(kStart + 20s);  // the operator's resume
  const auto of = [&](PlaceLog::Key place) {
    WaitShares shares(kStart, kStart + 1h);
    log.Claim(shares, place);
    return ToText(shares.Result());
  };
  EXPECT_EQ(of(1), "trouble 10000");
  EXPECT_EQ(of(2), "throttle 10000");
  for (std::size_t i = 0; i < PlaceLog::kMost - 1; ++i) log.Add(3, WaitKind::kTrouble, kStart, kStart + 1s);
  EXPECT_EQ(of(1), "") << "the oldest is forgotten";
  EXPECT_EQ(of(2), "throttle 10000");
  EXPECT_EQ(of(3), "trouble 1000");
}

TEST(ShortTime, IsTheTimeRoundedUpToAMillisecondOrSo) {
  EXPECT_FALSE(ShortTime());
  for (const auto time : {MonoTime(0ns), MonoTime(1ns), MonoTime(1h), MonoTime(100 * 24h + 7ns),
                          MonoTime(std::chrono::nanoseconds(std::int64_t{1} << 52))}) {
    for (const auto age : {std::chrono::nanoseconds(1ms), std::chrono::nanoseconds(51 * 24h)}) {
      const ShortTime kept(time);
      ASSERT_TRUE(kept);
      EXPECT_GE(kept.Before(time + age), time);
      EXPECT_LE(kept.Before(time + age) - time, 1048576ns);
    }
    EXPECT_EQ(ShortTime(time).Before(time), time) << "never after now";
    EXPECT_GT(ShortTime(time).Before(time + 60 * 24h), time) << "too long ago to be told";
  }
}

}  // namespace
}  // namespace hookswitch
