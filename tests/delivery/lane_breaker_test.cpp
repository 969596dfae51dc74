#include <set>

#include "tests/delivery/lane_fixture.h"

namespace hookswitch {
namespace {

/// A lane that opens its breaker after three failures in a row.
struct BreakerTest : LaneTest {
  BreakerTest() {
    LanePolicy policy = Policy();
    policy.breaker = {.failures = 3, .rate = 50, .window = 60s, .wait = 2s, .max_wait = 10s};
    lane.SetPolicy(policy);
  }
  Change Fail() {
    const DeliverySeq seq = Start();
    EXPECT_NE(seq, 0);
    return seq == 0 ? Change::kNone : Finish(Kind::kRetry).change;
  }
};

TEST_F(BreakerTest, OpensAfterFailuresInARowAndProbesWithDoublingWaits) {
  for (int i = 1; i <= 9; ++i) Add(i), now += 1ms;
  EXPECT_EQ(Fail(), Change::kNone);
  EXPECT_EQ(Fail(), Change::kNone);
  EXPECT_EQ(Fail(), Change::kFailing);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kFailing);
  std::vector<std::chrono::seconds> waits;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Start(), 0) << "only probes start";
    const MonoTime look = lane.NextLook();
    waits.push_back(std::chrono::round<std::chrono::seconds>(look - now));
    now = look;
    EXPECT_NE(Start(), 0);
    EXPECT_EQ(lane.StateAt(now), Lane::State::kProbing);
    const auto probe = started;
    EXPECT_EQ(Start(), 0) << "one probe at a time";
    EXPECT_EQ(Finish(probe, Made(Kind::kRetry)).change, Change::kProbeFailed);
  }
  EXPECT_EQ(waits, (std::vector<std::chrono::seconds>{2s, 4s, 8s, 10s, 10s}));
}

TEST_F(BreakerTest, AProbeThatFailsAfterAnotherGotThroughIsAnOrdinaryFailure) {
  for (int i = 1; i <= 5; ++i) Add(i);
  ASSERT_NE(Start(), 0);
  const auto slow = started;
  Fail(), Fail();
  EXPECT_EQ(Fail(), Change::kFailing);
  ASSERT_NE(StartAt(lane.NextLook()), 0);
  const auto probe = started;
  EXPECT_EQ(Finish(slow, Made(Kind::kDelivered)).change, Change::kReopened);
  const auto verdict = Finish(probe, Made(Kind::kRetry));
  EXPECT_EQ(verdict.change, Change::kNone);
  EXPECT_GE(verdict.wait, 1600ms) << "it has failed, and waits as the schedule says";
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
}

TEST_F(BreakerTest, ASuccessInBetweenStartsTheCountAnew) {
  for (int i = 1; i <= 5; ++i) Add(i);
  Fail(), Fail();
  Start();
  Finish(Kind::kDelivered);
  EXPECT_EQ(Fail(), Change::kNone);
  EXPECT_EQ(Fail(), Change::kNone);
}

TEST_F(BreakerTest, OpensWhenHalfOfAMinuteFails) {
  Change last = Change::kNone;
  int attempts = 0;
  for (int i = 1; i <= 40 && last != Change::kFailing; ++i) {
    Add(i);
    ASSERT_NE(StartAt(now + 1ms), 0);
    ++attempts;
    last = Finish(i % 2 == 0 ? Kind::kDelivered : Kind::kRetry).change;
  }
  EXPECT_EQ(last, Change::kFailing);
  EXPECT_EQ(attempts, 21) << "fewer than 20 attempts say nothing";
}

TEST_F(BreakerTest, FailuresOfLongAgoDoNotCount) {
  for (int i = 1; i <= 60; ++i) {
    Add(i);
    ASSERT_NE(StartAt(now + 5s), 0);
    EXPECT_NE(Finish(i % 2 == 0 ? Kind::kDelivered : Kind::kRetry).change, Change::kFailing);
    if (i % 2 != 0) lane.Release({i});
  }
}

TEST_F(BreakerTest, WhatIsNotTheSinksFaultDoesNotCount) {
  for (int i = 1; i <= 9; ++i) Add(i);
  for (int i = 1; i <= 9; ++i) {
    ASSERT_NE(Start(), 0);
    Outcome outcome = Made(Kind::kRetry);
    outcome.answered = false;
    outcome.ours = true;
    EXPECT_EQ(Finish(started, outcome).change, Change::kNone);
  }
}

TEST_F(BreakerTest, WhatHookswitchItselfCouldNotDoIsTriedAgainSoonAndBurnsNoTry) {
  Add(1);
  Outcome outcome = Made(Kind::kRetry);
  outcome.answered = false;
  outcome.ours = outcome.soon = true;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Start(), 1);
    const auto verdict = Finish(started, outcome);
    EXPECT_EQ(verdict.state, DeliveryState::kPending) << "however long that lasts";
    EXPECT_EQ(verdict.wait, 1s);
    EXPECT_EQ(Start(), 0);
    now += 1s;
  }
  ASSERT_EQ(Start(), 1);
  EXPECT_EQ(lane[started].failures, 0u);
}

TEST_F(BreakerTest, RetryAfterDoesNotCount) {
  Add(1);
  for (int i = 0; i < 9; ++i) {
    now = lane.NextLook();
    ASSERT_EQ(Start(), 1);
    EXPECT_EQ(Finish(Kind::kRetry, 1s).change, Change::kThrottled);
  }
}

TEST_F(BreakerTest, AProbeThatWorksMakesEverythingDueAtOnceAndNothingHasBurntATry) {
  for (int i = 1; i <= 6; ++i) Add(i);
  Fail(), Fail(), Fail();
  for (int i = 0; i < 3; ++i) {
    now = lane.NextLook();
    Fail();
  }
  now = lane.NextLook();
  ASSERT_NE(Start(), 0);
  EXPECT_EQ(Finish(Kind::kDelivered).change, Change::kReopened);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  for (int i = 0; i < 5; ++i) {
    ASSERT_NE(Start(), 0) << "what waited for its schedule is due";
    EXPECT_LE(lane[started].failures, 1u) << "a probe burnt a try";
    Finish(Kind::kDelivered);
  }
}

TEST_F(BreakerTest, AMessageThatAlwaysFailsDoesNotKeepOthersFromProbing) {
  Add(1);
  for (int i = 0; i < 3; ++i) {
    now = std::max(now, lane.NextLook());
    Fail();
  }
  ASSERT_EQ(lane.StateAt(now), Lane::State::kFailing);
  now += 1ms;
  Add(2);
  now = lane.NextLook();
  EXPECT_EQ(Start(), 2) << "what was accepted while failing comes before what has failed and waits";
  EXPECT_EQ(Finish(Kind::kDelivered).change, Change::kReopened);
}

TEST_F(BreakerTest, ASinkThatFailsForAllOfGiveUpAfterGivesUpWhatWaited) {
  for (int i = 1; i <= 4; ++i) Add(i);
  Fail(), Fail(), Fail();
  const MonoTime failed = now;
  EXPECT_FALSE(lane.NextEnding(now));
  EXPECT_EQ(lane.NextEndingLook(), failed + 24h);
  now = failed + 23h;
  Add(5);
  now = failed + 24h;
  std::set<DeliverySeq> ended;
  while (const auto ending = lane.NextEnding(now)) {
    EXPECT_EQ(ending->why, Lane::End::kGivenUp);
    ended.insert(lane[ending->ref].seq);
    lane.Settle(ending->ref);
  }
  EXPECT_EQ(ended, (std::set<DeliverySeq>{1, 2, 3, 4})) << "5 has not waited for so long";
  EXPECT_EQ(lane.pending(), 1u);
}

TEST_F(BreakerTest, APauseDuringAnOutageLosesNothing) {
  for (int i = 1; i <= 3; ++i) Add(i);
  Fail(), Fail(), Fail();
  ASSERT_EQ(lane.StateAt(now), Lane::State::kFailing);
  lane.Pause();
  now += 48h;
  EXPECT_FALSE(lane.NextEnding(now));
  lane.Resume(now);
  EXPECT_FALSE(lane.NextEnding(now)) << "dead before the sink was asked";
  EXPECT_NE(Start(), 0) << "probed at once";
}

}  // namespace
}  // namespace hookswitch
