#include <gtest/gtest.h>

#include <vector>

#include "core/delivery/call_queues.h"
#include "core/delivery/delivery_index.h"
#include "core/delivery/delivery_refusals.h"
#include "core/delivery/ended_calls.h"
#include "core/delivery/expiry.h"
#include "core/delivery/held_deliveries.h"
#include "core/delivery/sink_trouble.h"
#include "core/delivery/start_queue.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using Phase = LaneSlot::Phase;
using Ref = LaneSlots::Ref;

constexpr MonoTime kNow{1h};

struct LanePartsTest : testing::Test {
  Ref Add(DeliverySeq seq, std::uint64_t call = 0, MonoTime due = kNow) {
    return slots.Add({{.seq = seq, .call_key = call}, kNow, due});
  }
  LaneSlots slots;
  CallQueues calls;
};

using LaneSlotsTest = LanePartsTest;
using CallQueuesTest = LanePartsTest;
using StartQueueTest = LanePartsTest;
using HeldDeliveriesTest = LanePartsTest;
using DeliveryIndexTest = LanePartsTest;
using ExpiryTest = LanePartsTest;

TEST_F(LaneSlotsTest, ARemovedSlotIsReused) {
  const Ref first = Add(1), second = Add(2);
  EXPECT_NE(first, second);
  slots.Remove(first);
  EXPECT_EQ(slots.size(), 1u);
  EXPECT_EQ(slots[first].phase, Phase::kFree);
  EXPECT_EQ(Add(3), first);
  EXPECT_EQ(slots[first].seq, 3);
}

TEST_F(LaneSlotsTest, OnlyAnEmptyLaneIsOversized) {
  std::vector<Ref> refs;
  for (DeliverySeq seq = 1; seq <= 10'000; ++seq) refs.push_back(Add(seq));
  EXPECT_FALSE(slots.IsOversized());
  for (const Ref ref : refs) slots.Remove(ref);
  EXPECT_TRUE(slots.IsOversized());
  slots.Clear();
  EXPECT_FALSE(slots.IsOversized());
  EXPECT_EQ(slots.capacity(), 0u);
}

TEST_F(CallQueuesTest, TheFirstOfACallIsTheOneWithTheLowestNumber) {
  const Ref second = Add(2, 7), third = Add(3, 7), first = Add(1, 7);
  EXPECT_TRUE(calls.Add(slots, second));
  EXPECT_FALSE(calls.Add(slots, third));
  EXPECT_TRUE(calls.Add(slots, first)) << "it came late";
  EXPECT_TRUE(calls.IsFirst(slots, first));
  EXPECT_EQ(calls.Remove(slots, first), second);
  EXPECT_EQ(calls.Remove(slots, third), std::nullopt);
  EXPECT_EQ(calls.Remove(slots, second), std::nullopt);
}

TEST_F(CallQueuesTest, NothingGoesAheadOfOneThatHasStarted) {
  const Ref second = Add(2, 7), first = Add(1, 7);
  calls.Add(slots, second);
  slots[second].phase = Phase::kRunning;
  EXPECT_FALSE(calls.Add(slots, first));
  EXPECT_TRUE(calls.IsFirst(slots, second));
}

TEST_F(CallQueuesTest, WithoutACallEachIsFirst) {
  const Ref first = Add(1), second = Add(2);
  EXPECT_TRUE(calls.Add(slots, first));
  EXPECT_TRUE(calls.Add(slots, second));
  EXPECT_TRUE(calls.IsFirst(slots, second));
}

TEST_F(CallQueuesTest, ANewerOneSupersedesThoseThatHaveNotBegun) {
  std::vector<Ref> refs;
  for (DeliverySeq seq = 1; seq <= 5; ++seq) {
    refs.push_back(Add(seq, 7));
    slots[refs.back()].newest_only = true;
    calls.Add(slots, refs.back());
  }
  slots[refs[0]].phase = Phase::kRunning;
  slots[refs[1]].step = 1;
  slots[refs[2]].is_replay = true;
  std::vector<Ref> superseded;
  calls.EndSuperseded(slots, 7, [&](Ref ref) { superseded.push_back(ref); });
  EXPECT_EQ(superseded, std::vector<Ref>{refs[3]});
}

TEST_F(StartQueueTest, TakesTheEarliestThatIsDue) {
  StartQueue queue;
  const Ref later = Add(1, 0, kNow + 1s), sooner = Add(2);
  queue.Push(later, slots[later]);
  queue.Push(sooner, slots[sooner]);
  EXPECT_EQ(queue.TakeDue(kNow), sooner);
  EXPECT_EQ(queue.TakeDue(kNow), std::nullopt);
  EXPECT_EQ(queue.TakeAny(true), later) << "a probe need not be due";
}

TEST_F(StartQueueTest, KeepsTriedOnesApart) {
  StartQueue queue;
  const Ref tried = Add(1), untried = Add(2);
  slots[tried].attempts = 1;
  queue.Push(tried, slots[tried]);
  queue.Push(untried, slots[untried]);
  EXPECT_EQ(queue.TakeAny(true), untried);
  EXPECT_FALSE(queue.has_untried());
  EXPECT_EQ(queue.TakeTriedDue(kNow), tried);
}

TEST_F(StartQueueTest, DropsOnesThatChanged) {
  StartQueue queue;
  const Ref started = Add(1), postponed = Add(2), queued = Add(3);
  for (const Ref ref : {started, postponed, queued}) queue.Push(ref, slots[ref]);
  slots[started].phase = Phase::kRunning;
  slots[postponed].due = kNow + 1s;
  slots[queued].awaits_admission = true;
  queue.DropStale(slots, calls);
  EXPECT_TRUE(queue.empty());
}

TEST_F(HeldDeliveriesTest, WaitsUntilItIsDue) {
  HeldDeliveries held;
  const Ref ref = Add(1, 7, kNow + 5s);
  held.Add(slots, ref);
  EXPECT_EQ(slots[ref].phase, Phase::kHeld);
  EXPECT_EQ(held.Next(), kNow + 5s);
  EXPECT_EQ(held.TakeDue(slots, kNow + 4s), std::nullopt);
  EXPECT_EQ(held.TakeDue(slots, kNow + 5s), ref);
  EXPECT_EQ(slots[ref].phase, Phase::kWaiting);
  EXPECT_EQ(held.Take(7), std::nullopt);
}

TEST_F(HeldDeliveriesTest, OneThatWasTakenIsNotDueLater) {
  HeldDeliveries held;
  const Ref ref = Add(1, 7, kNow + 5s);
  held.Add(slots, ref);
  EXPECT_EQ(held.Take(7), ref);
  slots[ref].phase = Phase::kEnding;
  EXPECT_EQ(held.TakeDue(slots, kNow + 1min), std::nullopt);
}

TEST(EndedCalls, AreKnownForAWhile) {
  EndedCalls calls;
  calls.Add(7, kNow, 5s);
  EXPECT_TRUE(calls.Ended(7, kNow + 5s, 5s));
  EXPECT_FALSE(calls.Ended(7, kNow + 6s, 5s));
  EXPECT_FALSE(calls.Ended(8, kNow, 5s));
  calls.Add(8, kNow + 1min, 5s);
  EXPECT_FALSE(calls.Ended(7, kNow, 5s)) << "it was dropped";
}

TEST_F(DeliveryIndexTest, TheOldestMayHaveComeLate) {
  DeliveryIndex index;
  const Ref first = Add(5), late = Add(3);
  slots[late].accepted = kNow - 1min;
  index.Add(first, slots[first]);
  index.Add(late, slots[late]);
  EXPECT_EQ(index.Find(3), late);
  EXPECT_EQ(index.Oldest(slots), kNow - 1min);
  slots.Remove(late);
  index.Remove(slots, 3);
  EXPECT_EQ(index.Find(3), std::nullopt);
  EXPECT_EQ(index.Oldest(slots), kNow);
}

TEST(SinkTrouble, FourRefusalsInARowBlameTheSinkTwoWhereTheResponseDoes) {
  SinkTrouble trouble;
  for (int i = 0; i < 3; ++i) trouble.Refused(true, false);
  trouble.Refused(false, false);  // the same delivery again
  EXPECT_FALSE(trouble.is_certain());
  trouble.Refused(true, false);
  EXPECT_TRUE(trouble.is_certain());
  SinkTrouble other;
  other.Refused(true, true);
  EXPECT_FALSE(other.is_certain());
  other.Refused(true, true);
  EXPECT_TRUE(other.is_certain());
}

TEST(SinkTrouble, ProbesAreFurtherAndFurtherApart) {
  SinkTrouble trouble;
  trouble.EnterMisconfigured(kNow);
  EXPECT_EQ(trouble.probe_at(), kNow + 250ms);
  trouble.ProbeFailed(kNow);
  EXPECT_EQ(trouble.probe_at(), kNow + 500ms);
  trouble.RepeatProbe(kNow + 1s);
  EXPECT_EQ(trouble.probe_at(), kNow + 1500ms);
  for (int i = 0; i < 20; ++i) trouble.ProbeFailed(kNow);
  EXPECT_EQ(trouble.probe_at(), kNow + 10min);
  trouble.Resume(kNow);
  EXPECT_EQ(trouble.probe_at(), kNow);
}

TEST(DeliveryRefusals, ThreeCountIfOthersGotThroughBetween) {
  DeliveryRefusals refusals;
  EXPECT_EQ(refusals.Add(1, 0, 1, kNow).wait, 5s);
  EXPECT_EQ(refusals.RetryAt(1, kNow), kNow);
  EXPECT_EQ(refusals.Add(1, 1, 2, kNow + 1s).wait, 4s) << "too early to count";
  EXPECT_EQ(refusals.RetryAt(1, kNow + 1s), kNow + 5s) << "its early retry is used up";
  EXPECT_EQ(refusals.Add(1, 1, 2, kNow + 5s).wait, 30s);
  EXPECT_FALSE(refusals.Add(1, 1, 3, kNow + 1min).is_last) << "nothing got through between";
  EXPECT_TRUE(refusals.Add(1, 2, 3, kNow + 1min).is_last);
  refusals.Remove(1);
  EXPECT_EQ(refusals.RetryAt(1, kNow), std::nullopt);
}

TEST_F(ExpiryTest, EndsWhatIsTooOldOnePerCallAndSweep) {
  Expiry expiry;
  EndingQueue endings;
  const SinkTrouble trouble;
  expiry.SetLimits(1min, 24h);
  const Ref first = Add(1, 7), second = Add(2, 7), alone = Add(3);
  for (const Ref ref : {first, second, alone}) {
    calls.Add(slots, ref);
    expiry.NoteDeadlineOf(slots[ref], trouble);
  }
  expiry.Sweep(slots, calls, trouble, endings, kNow);
  EXPECT_TRUE(endings.empty());
  EXPECT_EQ(expiry.Next(), kNow + 1min);
  expiry.Sweep(slots, calls, trouble, endings, kNow + 1min);
  EXPECT_EQ(endings.size(), 2u);
  EXPECT_EQ(endings.Take().ref, first);
  const LaneEnding ending = endings.Take();
  EXPECT_EQ(ending.ref, alone);
  EXPECT_EQ(ending.why, EndReason::kTooOld);
  EXPECT_EQ(slots[second].phase, Phase::kWaiting);
  EXPECT_EQ(expiry.Next(), kNow + 1min + 1s);
}

TEST_F(ExpiryTest, AFullQueueOfEndingsInterruptsASweep) {
  Expiry expiry;
  EndingQueue endings;
  const SinkTrouble trouble;
  expiry.SetLimits(1min, 24h);
  for (DeliverySeq seq = 1; seq <= 1500; ++seq) calls.Add(slots, Add(seq));
  expiry.Sweep(slots, calls, trouble, endings, kNow + 1min);
  EXPECT_EQ(endings.size(), EndingQueue::kMost);
  EXPECT_EQ(expiry.Next(), kNow + 1min);
  while (!endings.empty()) endings.Take(), endings.Remove();
  expiry.Sweep(slots, calls, trouble, endings, kNow + 1min);
  EXPECT_EQ(endings.size(), 500u);
}

}  // namespace
}  // namespace hookswitch
