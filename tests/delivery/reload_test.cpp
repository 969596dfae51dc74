#include "core/delivery/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using State = LaneStatus::State;
using testing::HasSubstr;

TEST_F(DispatcherTest, PausedLanesStartNothingUntilResumed) {
  Lane("ops"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  Accept("call-1", {"ops"});
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 0u);
  EXPECT_EQ(StatusOf("ops").state, State::kPaused);
  EXPECT_EQ(StatusOf("ops").pending, 1u);
  dispatcher->Resume("ops");
  EXPECT_TRUE(AwaitSent("http://ops", 1));
}

TEST_F(DispatcherTest, AStatusTellsThePolicyInUseAndSinceWhenASinkIsGone) {
  Lane("ops");
  lanes["ops"].config.plugin = "slack";
  lanes["ops"].config.fallback = "mail";
  lanes["ops"].config.rate_limit = Rate{5, 1s, 10};
  lanes["ops"].config.concurrency = 3;
  Start();
  EXPECT_EQ(StatusOf("ops").plugin, "slack");
  EXPECT_EQ(StatusOf("ops").fallback, "mail");
  EXPECT_EQ(StatusOf("ops").rate, (Rate{5, 1s, 10}));
  EXPECT_EQ(StatusOf("ops").concurrency, 3);
  ASSERT_TRUE(dispatcher->Pause("ops"));
  Accept("call-1", {"ops"});
  ASSERT_TRUE(bell.Await([&] { return StatusOf("ops").pending == 1; }));
  clock.Advance(1min);
  const WallTime removed = clock.Wall();
  lanes.erase("ops");
  Use();
  clock.Advance(1min);
  Use();
  EXPECT_EQ(StatusOf("ops").state, State::kRemoved);
  EXPECT_EQ(StatusOf("ops").since, removed);
  EXPECT_EQ(StatusOf("ops").plugin, "");
  EXPECT_EQ(StatusOf("ops").concurrency, 0);
}

TEST_F(DispatcherTest, AReloadKeepsTheStateOfLanesThatStay) {
  Lane("ops"), Lane("barrier");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", Answered(401));
  ASSERT_TRUE(AwaitRecords(1));
  Lane("new");
  Use();
  Settle();
  EXPECT_EQ(StatusOf("ops").state, State::kMisconfigured);
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
}

TEST_F(DispatcherTest, AReloadWithANewSinkOpensAPausedLane) {
  Lane("ops");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", Answered(401));
  ASSERT_TRUE(AwaitRecords(1));
  Lane("ops");
  Use();
  EXPECT_TRUE(AwaitSent("http://ops", 2));
}

TEST_F(DispatcherTest, WhatIsInFlightFinishesOnTheOldSink) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  std::weak_ptr<Sink> old = lanes["ops"].sink;
  auto fresh = std::make_shared<FakeSink>();
  fresh->interpret = [](const auto&, const auto&) { return Outcome{}; };
  Lane("ops", fresh);
  Use();
  EXPECT_FALSE(old.expired());
  http.Answer("http://ops", Answered(200));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
}

TEST_F(DispatcherTest, ARemovedSinkKeepsItsDeliveriesAndTheyGoOnWhenItComesBack) {
  Lane("ops"), Lane("barrier");
  Start();
  const auto ops = lanes.extract("ops");
  Use();
  Accept("call-1", {"ops"});
  Settle();
  EXPECT_EQ(StatusOf("ops").state, State::kRemoved);
  EXPECT_EQ(StatusOf("ops").pending, 1u);
  Lane("ops");
  Use();
  EXPECT_TRUE(AwaitSent("http://ops", 1));
}

TEST_F(DispatcherTest, AnUnavailableSinkKeepsItsDeliveriesAndSaysWhy) {
  Lane("ops", nullptr).unavailable_reason = "slack.so: another ABI";
  Lane("barrier");
  Start();
  Accept("call-1", {"ops"});
  Settle();
  EXPECT_EQ(StatusOf("ops").state, State::kUnavailable);
  EXPECT_EQ(StatusOf("ops").because, "slack.so: another ABI");
}

TEST_F(DispatcherTest, ALaneThatEndedIsNotToldAsOpen) {
  Lane("ops"), Lane("barrier");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  clock.Advance(5s);
  EXPECT_TRUE(AwaitMetric("hookswitch_deliveries_oldest_seconds{sink=\"ops\"} 5"));
  http.Answer("http://ops", Answered(200));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  Settle();
  lanes.erase("ops");
  Use();
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_pending{sink=\"ops\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_oldest_seconds{sink=\"ops\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_lane_open{sink=\"ops\"} 0"));
}

}  // namespace
}  // namespace hookswitch
