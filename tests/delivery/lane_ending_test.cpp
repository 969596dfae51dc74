#include <deque>
#include <set>
#include <utility>

#include "tests/delivery/lane_fixture.h"

namespace hookswitch {
namespace {

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

struct OnePerCallTest : LaneTest {
  OnePerCallTest() {
    LanePolicy policy = Policy();
    policy.settle = 5min;
    lane.SetPolicy(policy);
  }
  Lane::Ref AddNewest(DeliverySeq seq, std::uint64_t call = 7) {
    return lane.Add({{.seq = seq, .event = seq, .call_key = call, .newest_only = true}, now, now});
  }
  Lane::Ref AddSoftEnd(DeliverySeq seq, std::uint64_t call = 7) {
    return lane.Add({{.seq = seq, .event = seq, .call_key = call, .is_held = true}, now, now + 5min});
  }
  Lane::Ref AddRealEnd(DeliverySeq seq, std::uint64_t call = 7) {
    return lane.Add({{.seq = seq, .event = seq, .call_key = call, .ends_call = true}, now, now});
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

TEST_F(OnePerCallTest, ARealEndThatIsNotWantedHereEndsTheSoftOneToo) {
  AddSoftEnd(1);
  lane.EndCall(7, 99, now);
  EXPECT_EQ(Endings(), Words{"1 settled"});
  now += 1min;
  AddSoftEnd(2);
  EXPECT_EQ(Endings(), Words{"2 settled"});
  now += 1h;
  EXPECT_EQ(Start(), 0);
}

TEST_F(OnePerCallTest, ASoftEndThatBecomesTheRealOneGoesOutAtOnce) {
  AddSoftEnd(1);
  now += 30s;
  lane.EndCall(7, 1, now);
  EXPECT_EQ(Endings(), Words{});
  EXPECT_EQ(Start(), 1);
  Finish(Kind::kDelivered);
  AddSoftEnd(2);
  EXPECT_EQ(Endings(), Words{"2 settled"});
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
  lane.Add({{.seq = 9, .event = 9, .call_key = 7, .is_replay = true, .newest_only = true}, now, now});
  AddNewest(8);
  EXPECT_EQ(Endings(), Words{"8 replaced"});
  Finish(Kind::kRetry);
  EXPECT_EQ(Endings(), Words{});
}

}  // namespace
}  // namespace hookswitch
