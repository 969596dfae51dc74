#include "core/delivery/lane.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;
using Change = Lane::Change;

LanePolicy Policy(int concurrency = 8, config::Rate rate = {}) {
  return {rate, concurrency, {{2s, 10s, 30s}, 24h}};
}

Outcome Made(Kind kind, std::optional<std::chrono::milliseconds> retry_after = {}) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.answered = true;
  outcome.retry_after = retry_after;
  return outcome;
}

/// A lane, a time and short words for what happens.
struct LaneTest : testing::Test {
  Lane::Ref Add(DeliverySeq seq, std::uint64_t call = 0) {
    return lane.Add({.seq = seq, .event = seq, .call_key = call, .accepted = now, .due = now});
  }
  /// Starts the next and tells its number; 0 for none.
  DeliverySeq Start() {
    const auto ref = lane.Start(now);
    if (!ref) return 0;
    started = *ref;
    return lane[*ref].seq;
  }
  Lane::Verdict Finish(Lane::Ref ref, Outcome outcome) {
    const auto verdict = lane.Finish(ref, outcome, now, jitter);
    lane.Settle(ref);
    return verdict;
  }
  Lane::Verdict Finish(Kind kind, std::optional<std::chrono::milliseconds> retry_after = {}) {
    return Finish(started, Made(kind, retry_after));
  }
  DeliverySeq StartAt(MonoTime time) {
    now = time;
    return Start();
  }

  Lane lane{Policy()};
  Jitter jitter{1};
  MonoTime now{1h};
  Lane::Ref started = 0;
};

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

TEST_F(LaneTest, AMisconfiguredSinkPausesTheLaneAndBurnsNoTries) {
  Add(1), Add(2);
  Start();
  const auto verdict = Finish(Kind::kMisconfigured);
  EXPECT_EQ(verdict.change, Change::kPausedItself);
  EXPECT_EQ(verdict.state, DeliveryState::kPending);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  EXPECT_EQ(Start(), 0);
  EXPECT_EQ(lane.NextLook(), now + 30s);
}

TEST_F(LaneTest, ProbesWithGrowingPatienceUpToTenMinutes) {
  for (int i = 1; i <= 20; ++i) Add(i);
  Start();
  Finish(Kind::kMisconfigured);
  for (const auto wait : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    ASSERT_EQ(lane.NextLook(), now + wait);
    EXPECT_EQ(StartAt(now + wait - 1s), 0);
    EXPECT_NE(StartAt(now + 1s), 0);
    EXPECT_EQ(lane.StateAt(now), Lane::State::kProbing);
    EXPECT_EQ(Start(), 0) << "one probe at a time";
    EXPECT_EQ(Finish(Kind::kMisconfigured).change, Change::kProbeFailed);
  }
}

TEST_F(LaneTest, AProbeThatSucceedsReopensTheLane) {
  Add(1), now += 1ms, Add(2), now += 1ms;
  Start();
  Finish(Kind::kMisconfigured);
  EXPECT_NE(StartAt(now + 30s), 0);
  EXPECT_EQ(Finish(Kind::kDelivered).change, Change::kReopened);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  EXPECT_EQ(Start(), 1);
  EXPECT_EQ(lane[started].failures, 0u);
}

TEST_F(LaneTest, AProbeThatIsRejectedReopensTheLane) {
  Add(1), Add(2);
  Start();
  Finish(Kind::kMisconfigured);
  StartAt(now + 30s);
  EXPECT_EQ(Finish(Kind::kRejected).change, Change::kReopened);
}

TEST_F(LaneTest, AProbeThatSentNothingReopensNothingAndAnotherFollows) {
  Add(1), Add(2), Add(3);
  Start();
  Finish(Kind::kMisconfigured);
  StartAt(now + 30s);
  const auto first_probe = lane[started].seq;
  Outcome unsent = Made(Kind::kRejected);
  unsent.answered = false;
  const auto verdict = Finish(started, unsent);
  EXPECT_EQ(verdict.state, DeliveryState::kDead);
  EXPECT_EQ(verdict.change, Change::kNone);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  const auto second_probe = Start();
  EXPECT_NE(second_probe, 0);
  EXPECT_NE(second_probe, first_probe);
  EXPECT_EQ(Finish(Kind::kRejected).change, Change::kReopened);
}

TEST_F(LaneTest, AProbeThatFailsOtherwiseSaysNothingAndCountsNothing) {
  Add(1);
  Start();
  Finish(Kind::kMisconfigured);
  StartAt(now + 30s);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kPending);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  EXPECT_EQ(lane.NextLook(), now + 30s);
}

TEST_F(LaneTest, MisconfiguredDeliveriesAreNotGivenUp) {
  Add(1);
  Start();
  Finish(Kind::kMisconfigured);
  StartAt(now + 1000h);
  EXPECT_EQ(Finish(Kind::kMisconfigured).state, DeliveryState::kPending);
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

/// Fails `count` deliveries that are due, one after the other.
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

struct MaxAgeTest : LaneTest {
  MaxAgeTest() {
    LanePolicy policy = Policy();
    policy.max_age = 1h;
    lane.SetPolicy(policy);
  }
};

TEST_F(MaxAgeTest, WhatWaitsTooLongEnds) {
  Add(1, 7), Add(2, 7);
  EXPECT_FALSE(lane.NextEnding(now));
  Start();
  Finish(Kind::kRetry);
  EXPECT_EQ(lane.NextEndingLook(), now + 1h);
  now += 1h;
  for (const DeliverySeq seq : {1, 2}) {
    const auto ending = lane.NextEnding(now += 1s);
    ASSERT_TRUE(ending);
    EXPECT_EQ(lane[ending->ref].seq, seq);
    EXPECT_EQ(ending->why, Lane::End::kTooOld);
    lane.Settle(ending->ref);
  }
  EXPECT_EQ(lane.pending(), 0u);
}

TEST_F(MaxAgeTest, APauseKeepsWhatGetsTooOld) {
  Add(1);
  lane.Pause();
  now += 2h;
  EXPECT_EQ(lane.NextEndingLook(), MonoTime::max());
  EXPECT_FALSE(lane.NextEnding(now));
  lane.Resume(now);
  EXPECT_TRUE(lane.NextEnding(now));
}

TEST_F(MaxAgeTest, OnlySoManyEndAtOnce) {
  for (int i = 1; i <= 2500; ++i) Add(i);
  now += 1h;
  std::vector<Lane::Ref> refs;
  const auto take = [&] {
    std::size_t taken = 0;
    while (const auto ending = lane.NextEnding(now)) refs.push_back(ending->ref), ++taken;
    return taken;
  };
  EXPECT_EQ(take(), 1000u);
  for (const auto ref : std::exchange(refs, {})) lane.Settle(ref);
  EXPECT_EQ(take(), 1000u);
  for (const auto ref : std::exchange(refs, {})) lane.Settle(ref);
  EXPECT_EQ(take(), 500u);
}

struct OnePerCallTest : LaneTest {
  OnePerCallTest() {
    LanePolicy policy = Policy();
    policy.settle = 5min;
    lane.SetPolicy(policy);
  }
  Lane::Ref AddNewest(DeliverySeq seq, std::uint64_t call = 7) {
    return lane.Add({.seq = seq, .event = seq, .call_key = call, .accepted = now, .due = now, .newest_only = true});
  }
  Lane::Ref AddSoftEnd(DeliverySeq seq, std::uint64_t call = 7) {
    return lane.Add({.seq = seq, .event = seq, .call_key = call, .accepted = now, .due = now + 5min, .is_held = true});
  }
  Lane::Ref AddRealEnd(DeliverySeq seq, std::uint64_t call = 7) {
    return lane.Add({.seq = seq, .event = seq, .call_key = call, .accepted = now, .due = now, .ends_call = true});
  }
  /// "1 replaced" for each that ends now.
  std::vector<std::string> Endings() {
    std::vector<std::string> endings;
    while (const auto ending = lane.NextEnding(now)) {
      endings.push_back(std::to_string(lane[ending->ref].seq) + (ending->why == Lane::End::kReplaced  ? " replaced"
                                                                 : ending->why == Lane::End::kSettled ? " settled"
                                                                                                      : " otherwise"));
      lane.Settle(ending->ref);
    }
    return endings;
  }
};
using Words = std::vector<std::string>;

TEST_F(OnePerCallTest, ALaterStatusTakesThePlaceOfAnUndeliveredEarlierOne) {
  AddNewest(1), AddNewest(2), Add(3, 7), AddNewest(4), AddNewest(5, 8);
  EXPECT_EQ(Endings(), (Words{"1 replaced", "2 replaced"}));
  EXPECT_EQ(Start(), 3) << "a rule that wants all of them gets all of them";
  Finish(Kind::kDelivered);
  std::set<DeliverySeq> rest{Start(), Start()};
  EXPECT_EQ(rest, (std::set<DeliverySeq>{4, 5}));
}

TEST_F(OnePerCallTest, WhatIsInFlightIsReplacedOnlyIfItFails) {
  AddNewest(1);
  ASSERT_EQ(Start(), 1);
  AddNewest(2);
  EXPECT_EQ(Endings(), Words{});
  Finish(Kind::kRetry);
  EXPECT_EQ(Endings(), Words{"1 replaced"});
  EXPECT_EQ(Start(), 2);
}

TEST_F(OnePerCallTest, WhatIsHalfDeliveredIsNotReplaced) {
  AddNewest(1);
  ASSERT_EQ(Start(), 1);
  AddNewest(2);
  Finish(Kind::kNext);
  EXPECT_EQ(Endings(), Words{});
  EXPECT_EQ(Start(), 1);
}

TEST_F(OnePerCallTest, TheRealEndTakesThePlaceOfTheSoftOne) {
  AddSoftEnd(1);
  EXPECT_EQ(Start(), 0);
  now += 30s;
  AddRealEnd(2);
  EXPECT_EQ(Endings(), Words{"1 settled"});
  EXPECT_EQ(Start(), 2);
  now += 1h;
  EXPECT_EQ(Start(), 0);
}

TEST_F(OnePerCallTest, WithoutARealEndTheSoftOneGoesOut) {
  AddSoftEnd(1);
  EXPECT_EQ(lane.NextLook(), now + 5min);
  EXPECT_EQ(StartAt(now + 5min), 1);
}

TEST_F(OnePerCallTest, ASoftEndHoldsNothingElseOfItsCall) {
  AddSoftEnd(1), Add(2, 7);
  EXPECT_EQ(Start(), 2);
}

TEST_F(OnePerCallTest, ASoftEndThatComesLateIsSettledAlready) {
  AddRealEnd(1);
  Start();
  Finish(Kind::kDelivered);
  now += 1min;
  AddSoftEnd(2);
  EXPECT_EQ(Endings(), Words{"2 settled"});
  now += 10min;
  AddRealEnd(3, 8);
  AddSoftEnd(4);
  EXPECT_EQ(Endings(), Words{}) << "that end was of long ago";
}

TEST_F(OnePerCallTest, ASecondSoftEndTakesThePlaceOfTheFirst) {
  AddSoftEnd(1), AddSoftEnd(2);
  EXPECT_EQ(Endings(), Words{"1 replaced"});
}

TEST_F(OnePerCallTest, AnOlderOneThatComesLateDoesNotTakeThePlaceOfTheNewest) {
  AddNewest(10);
  ASSERT_EQ(Start(), 10);
  lane.Add({.seq = 9, .event = 9, .call_key = 7, .accepted = now, .due = now, .is_replay = true, .newest_only = true});
  AddNewest(8);
  EXPECT_EQ(Endings(), Words{"8 replaced"});
  Finish(Kind::kRetry);
  EXPECT_EQ(Endings(), Words{});
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

TEST_F(LaneTest, TimeOfAPauseIsNotTakenFromADeliveryThatHasFailed) {
  Add(1);
  ASSERT_EQ(Start(), 1);
  Finish(Kind::kRetry);
  lane.Pause();
  now += 48h;
  lane.Resume(now);
  ASSERT_EQ(Start(), 1);
  EXPECT_EQ(Finish(Kind::kRetry).state, DeliveryState::kPending) << "its second failure ever";
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

TEST_F(MaxAgeTest, DeliveriesOfACallEndInTheirOrder) {
  const auto first = Add(1), second = Add(2);  // places are used again last to first
  Start(), Start();
  Finish(first, Made(Kind::kDelivered)), Finish(second, Made(Kind::kDelivered));
  Add(5, 7), Add(6, 7);
  now += 1h;
  std::vector<DeliverySeq> order;
  for (int i = 0; i < 3; ++i, now += 1s) {
    while (const auto ending = lane.NextEnding(now)) {
      order.push_back(lane[ending->ref].seq);
      lane.Settle(ending->ref);
    }
  }
  EXPECT_EQ(order, (std::vector<DeliverySeq>{5, 6}));
}

TEST_F(MaxAgeTest, ManyEndAtACostThatGrowsWithTheirNumberAlone) {
  constexpr int kCount = 200'000;
  for (int i = 1; i <= kCount; ++i) Add(i);
  now += 1h;
  std::deque<Lane::Ref> given;
  int ended = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (ended < kCount) {
    while (const auto ending = lane.NextEnding(now)) given.push_back(ending->ref);
    ASSERT_FALSE(given.empty());
    for (int i = 0; i < 10 && !given.empty(); ++i, ++ended) {
      lane.Settle(given.front());
      given.pop_front();
    }
  }
  // About 0.05 s in Release. A look that began at the first place each time would cost the square of the number.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
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

TEST_F(LaneTest, AWaitingDeliveryCostsAtMost150Bytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers replace the allocator that is asked";
#endif
  constexpr int kCount = 200'000;
  const auto before = mallinfo2();
  for (int i = 1; i <= kCount; ++i) Add(i, static_cast<std::uint64_t>(i));
  const auto after = mallinfo2();
  const double bytes = static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / kCount;
  RecordProperty("bytes_per_delivery", std::to_string(bytes));
  EXPECT_LE(bytes, 150);
}

}  // namespace
}  // namespace hookswitch
