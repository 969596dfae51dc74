#include <malloc.h>

#include "tests/delivery/lane_fixture.h"

namespace hookswitch {
namespace {

TEST_F(LaneTest, StartsInTheOrderOfAcceptance) {
  for (int i = 1; i <= 3; ++i) Add(i), now += 1ms;
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(Start(), 2);
  EXPECT_EQ(Start(), 3);
  EXPECT_EQ(Start(), 0);
}

TEST_F(LaneTest, DeliveredEnds) {
  Add(1);
  Start();
  EXPECT_EQ(Finish(Kind::kDelivered).state, DeliveryState::kDelivered);
  EXPECT_EQ(lane.pending(), 0u);
  EXPECT_EQ(lane.NextLook(), MonoTime::max());
}

TEST_F(LaneTest, RejectedIsDeadAtOnceAndTheLaneStaysOpen) {
  Add(1), Add(2);
  Start();
  const auto verdict = Finish(Kind::kRejected);
  EXPECT_EQ(verdict.state, DeliveryState::kDead);
  EXPECT_FALSE(verdict.gave_up);
  EXPECT_EQ(Start(), 2);
}

TEST_F(LaneTest, AFailureWaitsItsScheduleAndHoldsNothingElse) {
  Add(1), Add(2);
  Start();
  const auto verdict = Finish(Kind::kRetry);
  EXPECT_EQ(verdict.state, DeliveryState::kPending);
  EXPECT_GE(verdict.wait, 1600ms);
  EXPECT_LE(verdict.wait, 2400ms);
  EXPECT_EQ(Start(), 2);
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(lane.NextLook(), now + verdict.wait);
  EXPECT_EQ(StartAt(now + verdict.wait - 1ms), 0);
  EXPECT_EQ(StartAt(now + 1ms), 1);
  EXPECT_EQ(lane[started].attempts, 1u);
}

TEST_F(LaneTest, GivesUpAfterItsTime) {
  lane.SetPolicy({{}, 8, {{1s}, 3s}});
  Add(1);
  now += 2s;
  const MonoTime first_failed = now;
  int tries = 0;
  for (;; ++tries) {
    ASSERT_EQ(StartAt(std::max(now, lane.NextLook())), 1);
    const auto verdict = Finish(Kind::kRetry);
    if (verdict.state == DeliveryState::kPending) continue;
    EXPECT_EQ(verdict.state, DeliveryState::kDead);
    EXPECT_TRUE(verdict.gave_up);
    break;
  }
  EXPECT_EQ(now, first_failed + 3s) << "the last try comes when the time is up";
  EXPECT_GE(tries, 3);
}

TEST_F(LaneTest, TimeThatALaneWasHeldIsNotTakenFromADelivery) {
  Add(1);
  lane.Pause();
  now += 100h;
  lane.Resume(now);
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kPending);
  EXPECT_EQ(StartAt(now + 24h - 1s), 1);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kPending);
  EXPECT_EQ(StartAt(now + 1s), 1);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kDead);
}

TEST_F(LaneTest, EveryStepHasItsOwnTime) {
  Add(1);
  Start();
  Finish(Kind::kRetry);
  StartAt(now + 23h);
  Finish(Kind::kNext);
  Start();
  Finish(Kind::kRetry);
  EXPECT_EQ(StartAt(now + 2h), 1);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kPending);
}

TEST_F(LaneTest, RetryAfterFreezesTheWholeLaneInFull) {
  Add(1), Add(2);
  Start();
  const auto verdict = Finish(Kind::kRetry, 30s);
  EXPECT_EQ(verdict.change, Change::kThrottled);
  EXPECT_GE(verdict.wait, 30s);
  EXPECT_LE(verdict.wait, 31s);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kThrottled);
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(lane.NextLook(), now + verdict.wait);
  EXPECT_EQ(StartAt(now + verdict.wait - 1ns), 0);
  EXPECT_EQ(StartAt(now + 1ns), 1) << "it keeps its place";
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
}

TEST_F(LaneTest, RetryAfterIsNoFailureOfTheDelivery) {
  Add(1);
  for (int i = 0; i < 20; ++i) {
    Start();
    now += Finish(Kind::kRetry, 1s).wait;
  }
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(lane[started].attempts, 20u);
  EXPECT_EQ(lane[started].failures, 0u);
  EXPECT_LE(Finish(Kind::kRetry).wait, 2400ms) << "the first wait of the schedule";
}

TEST_F(LaneTest, AShorterRetryAfterDoesNotShortenALongerOne) {
  Add(1), Add(2);
  Start();
  const auto first = started;
  Start();
  const auto longer = Finish(first, Made(Kind::kRetry, 60s)).wait;
  Finish(started, Made(Kind::kRetry, 1s));
  EXPECT_EQ(lane.NextLook(), now + longer);
}

TEST_F(LaneTest, RetryAfterOfZeroIsAnOrdinaryFailure) {
  Add(1);
  Start();
  EXPECT_GE(Finish(Kind::kRetry, 0ms).wait, 1600ms);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
}

TEST_F(LaneTest, EndlessRetryAfterEndsWhenTheTimeIsUp) {
  Add(1);
  Start();
  Finish(Kind::kRetry);
  StartAt(now + 24h - 1s);
  EXPECT_EQ(Finish(Kind::kRetry, 1s).state, DeliveryState::kPending);
  StartAt(now + 2s);  // what was asked for and its jitter
  EXPECT_EQ(Finish(Kind::kRetry, 30s).state, DeliveryState::kDead);
}

TEST_F(LaneTest, RetryAfterAloneNeverEndsADelivery) {
  Add(1);
  StartAt(now + 100h);
  EXPECT_EQ(Finish(Kind::kRetry, 30s).state, DeliveryState::kPending);
  StartAt(now + 100h);
  EXPECT_EQ(Finish(Kind::kRetry, 30s).state, DeliveryState::kPending);
}

TEST_F(LaneTest, PaceHolds) {
  lane.SetPolicy(Policy(8, {1, 1s, 3}));
  for (int i = 1; i <= 10; ++i) Add(i), now += 1us;
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(Start(), 2);
  EXPECT_EQ(Start(), 3);
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(StartAt(now + 1s), 4);
  EXPECT_EQ(Start(), 0);
}

TEST_F(LaneTest, ASlotIsHeldUntilTheOutcomeIsDurable) {
  lane.SetPolicy(Policy(2));
  Add(1), Add(2), Add(3);
  Start(), Start();
  EXPECT_EQ(Start(), 0);
  lane.Finish(started, Made(Kind::kDelivered), now, jitter);
  EXPECT_EQ(Start(), 0);
  lane.Settle(started);
  EXPECT_EQ(Start(), 3);
}

TEST_F(LaneTest, ADeliveryWhoseOutcomeCannotBeStoredIsGoneAndLetsItsCallGoOn) {
  lane.SetPolicy(Policy(1));
  Add(1, 7), Add(2, 7);
  Start();
  lane.Finish(started, Made(Kind::kRetry), now, jitter);
  lane.Settle(started, true);
  EXPECT_EQ(Start(), 2);
  Finish(Kind::kDelivered);
  EXPECT_EQ(lane.pending(), 0u);
  EXPECT_EQ(StartAt(now + 1h), 0);
}

TEST_F(LaneTest, EventsOfOneCallGoOneByOneInOrder) {
  Add(1, 7), Add(2, 7), Add(3, 8);
  EXPECT_EQ(Start(), 1);
  const auto first = started;
  EXPECT_EQ(Start(), 3);
  EXPECT_EQ(Start(), 0);
  Finish(first, Made(Kind::kDelivered));
  EXPECT_EQ(Start(), 2);
}

TEST_F(LaneTest, ACallThatWaitsForARetryHoldsOnlyItself) {
  Add(1, 7), Add(2, 7), Add(3, 8);
  Start();
  Finish(Kind::kRetry);
  EXPECT_EQ(Start(), 3);
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(StartAt(now + 3s), 1);
  Finish(Kind::kRejected);
  EXPECT_EQ(Start(), 2);
}

TEST_F(LaneTest, DeliveriesWithoutACallHaveNoOrder) {
  Add(1), Add(2);
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(Start(), 2);
}

TEST_F(LaneTest, OrderOfACallIsThatOfTheJournalWhateverTheOrderOfAdding) {
  Add(5, 7), Add(3, 7), Add(4, 7), Add(2, 7), Add(6, 7);
  for (DeliverySeq want = 2; want <= 6; ++want) {
    EXPECT_EQ(Start(), want);
    EXPECT_EQ(Start(), 0);
    Finish(Kind::kDelivered);
  }
}

TEST_F(LaneTest, ALatecomerOfACallDoesNotOvertakeWhatIsInFlight) {
  Add(5, 7), Add(6, 7);
  EXPECT_EQ(Start(), 5);
  const auto first = started;
  Add(4, 7);
  EXPECT_EQ(Start(), 0);
  Finish(first, Made(Kind::kDelivered));
  EXPECT_EQ(Start(), 4);
}

TEST_F(LaneTest, NextStepFollowsAtOnceAndBeforeOthers) {
  Add(1), now += 1ms, Add(2);
  Start();
  const auto verdict = Finish(Kind::kNext);
  EXPECT_EQ(verdict.state, DeliveryState::kPending);
  EXPECT_EQ(verdict.wait, 0ms);
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(lane[started].step, 1);
}

TEST_F(LaneTest, PausedByTheOperatorStartsNothing) {
  Add(1);
  lane.Pause();
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(lane.NextLook(), MonoTime::max());
  EXPECT_EQ(lane.StateAt(now), Lane::State::kPaused);
  lane.Resume(now);
  EXPECT_EQ(Start(), 1);
}

TEST_F(LaneTest, ResumeProbesAMisconfiguredSinkAtOnce) {
  Add(1);
  Start();
  Finish(Kind::kMisconfigured);
  lane.Resume(now);
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kProbing);
}

TEST_F(LaneTest, ANewSinkOpensTheLaneAndTheOldOneCannotCloseIt) {
  Add(1), Add(2);
  Start();
  const auto first = started;
  Start();
  Finish(first, Made(Kind::kMisconfigured));
  lane.Renew(now);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  Finish(started, Made(Kind::kMisconfigured));
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
}

TEST_F(LaneTest, AClosedGateKeepsDeliveriesAndAnOpenOneResumes) {
  Add(1);
  lane.SetGate(Lane::Gate::kRemoved);
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kRemoved);
  lane.SetGate(Lane::Gate::kUnavailable);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kUnavailable);
  lane.SetGate(Lane::Gate::kOpen);
  EXPECT_EQ(Start(), 1);
}

TEST_F(LaneTest, TheTimeToGiveUpCountsFromTheFirstFailureAlsoOverAPauseAndARestart) {
  Add(1);
  ASSERT_EQ(Start(), 1);
  Finish(Kind::kRetry);
  lane.Pause();
  now += 48h;
  lane.Resume(now);
  ASSERT_EQ(Start(), 1) << "it is tried once more";
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kDead);
  lane.Add({{.seq = 2, .event = 2, .attempts = 9}, now, now, now - 25h, 9});
  ASSERT_EQ(Start(), 2);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kDead) << "an earlier process has seen it fail";
}

TEST_F(LaneTest, TimeOfABrokenCredentialIsNotTakenFromADeliveryThatHasFailed) {
  Add(1), Add(2);
  ASSERT_EQ(Start(), 1);
  const auto failed = started;
  ASSERT_EQ(Start(), 2);
  Finish(failed, Made(Kind::kRetry));
  Finish(Kind::kMisconfigured);
  now += 48h;
  ASSERT_NE(Start(), 0);
  EXPECT_EQ(Finish(Kind::kDelivered).change, Change::kReopened);
  ASSERT_NE(Start(), 0);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kPending);
}

TEST_F(LaneTest, AServerInTroubleThatAsksForPausesForEverIsGivenUp) {
  Add(1);
  Outcome outcome = Made(Kind::kRetry, 1h);
  outcome.http_status = 503;
  DeliveryState state = DeliveryState::kPending;
  for (int i = 0; i < 40 && state == DeliveryState::kPending; ++i) {
    now = lane.NextLook();
    ASSERT_EQ(Start(), 1);
    state = Finish(started, outcome).state;
  }
  EXPECT_EQ(state, DeliveryState::kDead);
}

TEST_F(LaneTest, ReleasesWhatWaitsAndNothingElse) {
  Add(1, 7), Add(2, 7), Add(3, 7), Add(4);
  ASSERT_EQ(Start(), 1);
  EXPECT_EQ(lane.Release({1, 2, 9}).size(), 1u);
  EXPECT_EQ(lane.pending(), 3u);
  Finish(Kind::kDelivered);
  EXPECT_EQ(Start(), 3);
  EXPECT_EQ(Start(), 4);
}

TEST_F(LaneTest, KnowsItsOldest) {
  EXPECT_FALSE(lane.Oldest());
  const MonoTime first = now;
  Add(1), now += 1s, Add(2);
  EXPECT_EQ(lane.Oldest(), first);
  Start();
  Finish(Kind::kDelivered);
  EXPECT_EQ(lane.Oldest(), first + 1s);
}

TEST_F(LaneTest, AWaitingDeliveryCostsAtMost170Bytes) {
#ifdef HSW_SANITIZED
  GTEST_SKIP() << "sanitizers replace the allocator that is asked";
#endif
  constexpr int kCount = 200'000;
  const auto before = mallinfo2();
  for (int i = 1; i <= kCount; ++i) Add(i, static_cast<std::uint64_t>(i));
  const auto after = mallinfo2();
  const double bytes = static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / kCount;
  RecordProperty("bytes_per_delivery", std::to_string(bytes));
  EXPECT_GT(bytes, 0) << "this allocator does not tell";
  EXPECT_LE(bytes, 170);
}

}  // namespace
}  // namespace hookswitch
