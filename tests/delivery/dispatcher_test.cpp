#include "core/delivery/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using State = LaneStatus::State;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(DispatcherTest, DeliversAndRecords) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  clock.Advance(40ms);
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  const auto records = journal.inner.Records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].number, 1u);
  EXPECT_EQ(records[0].sink, "ops");
  EXPECT_EQ(records[0].latency, 40ms);
  EXPECT_EQ(records[0].outcome.http_status, 200);
  EXPECT_THAT(http.Sent(), ElementsAre("http://ops call-1"));
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"delivery_delivered\""));
}

TEST_F(DispatcherTest, IsIdleOnceNothingIsInFlightAndSaysWhenALaneLooksNext) {
  Lane("ops");
  Start();
  Accept("call-1", {"ops"}, 1);
  EXPECT_FALSE(dispatcher->AwaitIdle(10ms)) << "a request is under way";
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(200)));
  const auto idle = dispatcher->AwaitIdle(20s);
  ASSERT_TRUE(idle);
  EXPECT_GE(*idle, MonoTime::max());
  how.hold = 30s;
  const DeliverySeq held = Accept("call-2", {"ops"}, 2);
  const auto due = dispatcher->AwaitIdle(20s);
  ASSERT_TRUE(due);
  EXPECT_EQ(*due, clock.Mono() + 30s);
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  clock.Advance(30s);
  ASSERT_TRUE(dispatcher->AwaitIdle(20s));
  EXPECT_EQ(journal.inner.StateOf(held), DeliveryState::kDelivered);
}

TEST_F(DispatcherTest, TheEventHandedOverIsNotReadAgain) {
  Lane("ops");
  Start();
  auto event = std::make_shared<CallEvent>();
  event->call_id = "from-memory";
  dispatcher->Accept(event, Store("from-disk", {"ops"}));
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  EXPECT_EQ(journal.loads, 0);
  EXPECT_THAT(http.Sent(), ElementsAre("http://ops from-memory"));
}

TEST_F(DispatcherTest, WhatWaitsCarriesARevisionAndWhatNobodyWantsAnyMoreIsNotSent) {
  Lane("ops");
  Lane("crm");
  Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  ASSERT_TRUE(dispatcher->Pause("crm"));
  const auto named = [](const char* call) {
    auto event = std::make_shared<CallEvent>();
    event->call_id = call;
    return event;
  };
  const auto pending = Store("call-1", {"ops", "crm"});
  dispatcher->Accept(named("first"), pending);
  Accepted::Revised changes;
  changes.canceled = {pending[1].seq};
  changes.added = Store("call-1", {"late"});
  Lane("late");
  Use();
  dispatcher->Revise(named("second"), pending[0].event, changes);
  ASSERT_TRUE(AwaitSent("http://late", 1));
  dispatcher->Resume("ops");
  dispatcher->Resume("crm");
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Settle();
  EXPECT_THAT(http.Sent(), ElementsAre("http://late second", "http://ops second", "http://barrier barrier"));
}

TEST_F(DispatcherTest, WhatIsCanceledWhileItIsUnderWayIsNotTriedAgain) {
  Lane("ops");
  Lane("barrier");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Accepted::Revised changes;
  changes.canceled = {seq};
  dispatcher->Revise(std::make_shared<CallEvent>(), 1, changes);
  Settle();
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(503)));
  Settle();
  Tick(1min);
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
  EXPECT_EQ(StatusOf("ops").pending, 0u);
}

TEST_F(DispatcherTest, WhatIsAcceptedWithinOneMillisecondGoesOutInThatOrder) {
  Lane("ops").config.concurrency = 1;
  Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  clock.Advance(900us);
  Accept("first", {"ops"});
  Settle();
  clock.Advance(50us);
  auto second = Store("second", {"ops"});
  clock.SetWall(clock.Wall() + 1ms);
  dispatcher->Accept(nullptr, std::move(second));
  Settle();
  dispatcher->Resume("ops");
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  EXPECT_EQ(http.Sent().back(), "http://ops first");
}

TEST_F(DispatcherTest, ATimeOfAcceptanceThatIsInTheFutureMakesNoLaterDeliveryYounger) {
  Lane("ops"), Lane("crm"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  ASSERT_TRUE(dispatcher->Pause("crm"));
  auto future = Store("future", {"ops"});
  future[0].accepted_at += 24h;
  auto old = Store("old", {"crm"});
  old[0].accepted_at -= 1h;
  dispatcher->Accept(nullptr, std::move(future));
  dispatcher->Accept(nullptr, std::move(old));
  Settle();
  EXPECT_EQ(StatusOf("crm").oldest, clock.Wall() - 1h);
}

TEST_F(DispatcherTest, WhatTheJournalHoldsIsDeliveredAfterAStart) {
  Lane("ops");
  for (int i = 1; i <= 3; ++i) Store("call-" + std::to_string(i), {"ops"});
  http.AnswerAll([](const auto&) { return Answered(200); });
  Start();
  ASSERT_TRUE(AwaitState(3, DeliveryState::kDelivered));
  ASSERT_TRUE(AwaitRecords(3));
  EXPECT_EQ(http.CountSent("http://ops"), 3u);
}

TEST_F(DispatcherTest, WhatWasAcceptedBeforeTheStartIsSentOnce) {
  Lane("ops");
  Accept("call-1", {"ops"});
  Start();
  Accept("call-2", {"ops"});  // goes out behind whatever went before
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  EXPECT_THAT(http.Sent(), ElementsAre("http://ops call-1", "http://ops call-2"));
}

TEST_F(DispatcherTest, AFailureIsTriedAgainWhenItsTimeComes) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  ASSERT_TRUE(AwaitRecords(1));
  const auto record = journal.inner.Records()[0];
  EXPECT_EQ(record.state, DeliveryState::kPending);
  EXPECT_GE(record.due, clock.Wall() + 8s);
  EXPECT_LE(record.due, clock.Wall() + 12s);
  EXPECT_EQ(record.outcome.reason, "the answer was 503 with ***");
  Tick(12s);
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  EXPECT_EQ(journal.inner.Records()[1].number, 2u);
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"delivery_retry\""));
  EXPECT_THAT(Log(), testing::Not(HasSubstr("hunter2")));
}

TEST_F(DispatcherTest, ABrokenCredentialPausesTheLaneUntilAProbeSucceeds) {
  Lane("ops").config.concurrency = 1;
  Lane("barrier");
  Start();
  std::vector<DeliverySeq> all;
  for (int i = 1; i <= 3; ++i) all.push_back(Accept("call-" + std::to_string(i), {"ops"}));
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AwaitSent("http://ops", 2)) << "it may be about the first one alone";
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 2u);
  EXPECT_EQ(StatusOf("ops").state, State::kMisconfigured);
  EXPECT_THAT(StatusOf("ops").because, HasSubstr("make a new key"));
  EXPECT_EQ(StatusOf("ops").until, clock.Wall() + 250ms);
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"lane_paused\""));
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"delivery_refused\""));
  Tick(250ms);
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  EXPECT_EQ(http.Sent().back(), "http://ops call-3") << "one that was not tried";
  EXPECT_EQ(StatusOf("ops").state, State::kProbing);
  http.Answer("http://ops", Answered(200));
  for (std::size_t sent = 4; sent <= 5; ++sent) {
    ASSERT_TRUE(AwaitSent("http://ops", sent));
    http.Answer("http://ops", Answered(200));
  }
  for (const DeliverySeq seq : all) ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"lane_resumed\""));
}

TEST_F(DispatcherTest, ARequestThatTheHttpClientNeverAnswersIsNotWaitedFor) {
  Lane("ops").config.timeout = 10s;
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Tick(14s);
  EXPECT_TRUE(journal.inner.Records().empty());
  Tick(2s);
  ASSERT_TRUE(AwaitRecords(1));
  EXPECT_EQ(journal.inner.Records()[0].delivery, seq);
  EXPECT_EQ(journal.inner.Records()[0].outcome.code, "timeout");
  EXPECT_TRUE(journal.inner.Records()[0].outcome.may_have_been_delivered);
  EXPECT_THAT(Log(), HasSubstr("request_unanswered"));
  http.Answer("http://ops", Answered(200));  // too late
  Tick(2h);
  EXPECT_TRUE(AwaitSent("http://ops", 2));
}

TEST_F(DispatcherTest, RetryAfterHoldsTheWholeLaneEvenIfThePluginForgetsIt) {
  Lane("ops").config.concurrency = 1;
  Lane("barrier");
  Start();
  Accept("call-1", {"ops"}), Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", Answered(429, {{"retry-after", "30"}}));
  ASSERT_TRUE(AwaitRecords(1));
  Tick(29s);
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
  EXPECT_EQ(StatusOf("ops").state, State::kThrottled);
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"lane_throttled\""));
  Tick(2s);
  EXPECT_TRUE(AwaitSent("http://ops", 2));
}

TEST_F(DispatcherTest, AfterARestartAThrottledLaneStillWaits) {
  Lane("ops").config.concurrency = 1;
  Lane("barrier");
  Start();
  Accept("call-1", {"ops"}), Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", Answered(429, {{"retry-after", "30"}}));
  ASSERT_TRUE(AwaitRecords(1));
  Restart();
  Tick(29s);
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 1u) << "nor does a delivery that was never tried go";
  EXPECT_EQ(StatusOf("ops").state, State::kThrottled);
  Tick(2s);
  EXPECT_TRUE(AwaitSent("http://ops", 2));
}

TEST_F(DispatcherTest, StepsCarryTheirState) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", Answered(202));
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  http.Answer("http://ops", Answered(503));
  ASSERT_TRUE(AwaitRecords(2));
  Tick(12s);
  ASSERT_TRUE(AwaitSent("http://ops", 3)) << "only the step that failed is done again";
  http.Answer("http://ops", Answered(200));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  EXPECT_THAT(http.Sent(), ElementsAre("http://ops call-1", "http://ops call-1 step 1 left-by-0",
                                       "http://ops call-1 step 1 left-by-0"));
}

TEST_F(DispatcherTest, ASinkThatIsDownDoesNotFloodTheLog) {
  Lane("ops").config.concurrency = 500;
  Lane("barrier");
  Start();
  for (int i = 0; i < 500; ++i) Accept("call", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 500));
  while (http.Answer("http://ops", Answered(503))) continue;
  // A burst in flight fails before the breaker opens; here all of it is.
  ASSERT_TRUE(AwaitRecords(500));
  std::size_t lines = 0;
  const std::string all = Log();
  for (auto at = all.find("delivery_retry"); at != std::string::npos; at = all.find("delivery_retry", at + 1)) ++lines;
  EXPECT_EQ(lines, 20u);
}

TEST_F(DispatcherTest, EventsOfOneCallReachASinkInOrder) {
  Lane("ops"), Lane("barrier");
  Start();
  Accept("a-1", {"ops"}, 7), Accept("a-2", {"ops"}, 7), Accept("b-1", {"ops"}, 8);
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  Settle();
  EXPECT_THAT(http.Sent(), testing::Contains("http://ops b-1"));
  EXPECT_THAT(http.Sent(), testing::Not(testing::Contains("http://ops a-2")));
  http.Answer("http://ops", Answered(200));
  ASSERT_TRUE(AwaitSent("http://ops", 3));
}

TEST_F(DispatcherTest, AnEventThatCannotBeReadIsDeadWithItsReason) {
  Lane("ops").config.fallback = "oncall";
  Lane("oncall");
  auto damaged = Store("call-1", {"ops"});
  journal.inner.Damage(damaged[0].event);
  auto gone = Store("call-2", {"ops"});
  journal.inner.Forget(gone[0].event);
  Store("bad", {"ops"});
  Store("summary", {"ops"});
  Start();
  ASSERT_TRUE(AwaitRecords(4));
  std::map<DeliverySeq, std::string> codes;
  for (const auto& record : journal.inner.Records()) {
    EXPECT_EQ(record.state, DeliveryState::kDead);
    EXPECT_EQ(record.fallback_sink, "") << "no other sink could read it either";
    codes[record.delivery] = record.outcome.code;
  }
  EXPECT_EQ(codes[1], "event_damaged");
  EXPECT_EQ(codes[2], "event_gone");
  EXPECT_EQ(codes[3], "event_unreadable");
  EXPECT_EQ(codes[4], "event_unreadable");
}

TEST_F(DispatcherTest, TransportFailuresBecomeOutcomes) {
  Lane("ops");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", HttpResult{{}, "timeout", "no answer within 10 s", true});
  ASSERT_TRUE(AwaitRecords(1));
  const auto outcome = journal.inner.Records()[0].outcome;
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.code, "timeout");
  EXPECT_TRUE(outcome.may_have_been_delivered);
  EXPECT_THAT(outcome.reason, HasSubstr("no answer within 10 s"));
}

TEST_F(DispatcherTest, OnlyConcurrencyManyCanBeSentTwiceAfterACrash) {
  Lane("ops").config.concurrency = 3;
  Lane("barrier");
  Start();
  journal.inner.SetUnwritable("disk full");
  http.AnswerAll([](const auto&) { return Answered(200); });
  std::vector<PendingDelivery> deliveries;
  for (int i = 0; i < 20; ++i) {
    deliveries.push_back({{.seq = 1000 + i, .event = 1}, {.sink = "ops"}});
  }
  dispatcher->Accept(nullptr, std::move(deliveries));
  ASSERT_TRUE(bell.Await([&] { return StatusOf("ops").pending == 20; }));
  EXPECT_LE(http.CountSent("http://ops"), 3u);
}

TEST_F(DispatcherTest, ARecordThatIsSetAsideFreesItsSlotAndItsDeliveryIsNotTriedAgain) {
  Lane("ops").config.concurrency = 1;
  Lane("barrier");
  Start();
  const auto deliveries = Store("call-1", {"ops"}, 7);
  journal.inner.DamageDelivery(deliveries.front().seq);
  dispatcher->Accept(nullptr, deliveries);
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  const DeliverySeq next = Accept("call-2", {"ops"}, 7);
  http.Answer("http://ops", Answered(503));
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  http.Answer("http://ops", Answered(200));
  ASSERT_TRUE(AwaitState(next, DeliveryState::kDelivered));
  Tick(1h);
  Settle();
  EXPECT_THAT(http.Sent(), testing::Contains("http://ops call-1").Times(1));
  EXPECT_EQ(StatusOf("ops").pending, 0u);
}

TEST_F(DispatcherTest, DrainWaitsForWhatIsInFlightAndStartsNothing) {
  Lane("ops").config.concurrency = 1;
  Start();
  const DeliverySeq first = Accept("call-1", {"ops"});
  const DeliverySeq second = Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  dispatcher->Drain(0ms);  // from here on nothing starts
  std::thread drain([&] { dispatcher->Drain(20s); });
  http.Answer("http://ops", Answered(200));
  drain.join();
  EXPECT_EQ(journal.inner.StateOf(first), DeliveryState::kDelivered);
  EXPECT_EQ(journal.inner.StateOf(second), DeliveryState::kPending);
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
}

TEST_F(DispatcherTest, AThrottleThatIsOverIsShownAsOverAlsoIfNothingWaits) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  http.Answer("http://ops", Answered(429, {{"retry-after", "0.1"}}));
  ASSERT_TRUE(bell.Await([&] { return dispatcher->Release({seq}).size() == 1; }));
  const auto shows = [&](State state) {
    const auto recent = dispatcher->RecentLanes();
    return recent->front().state == state && recent->front().pending == 0;
  };
  Tick(30ms);
  ASSERT_TRUE(bell.Await([&] { return shows(State::kThrottled); }));
  clock.Advance(1s);  // and nothing wakes the scheduler
  EXPECT_TRUE(bell.Await([&] { return shows(State::kOpen); }));
}

TEST_F(DispatcherTest, MetricsTellWhatHappened) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  clock.Advance(5s);
  EXPECT_TRUE(AwaitMetric("hookswitch_deliveries_pending{sink=\"ops\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_oldest_seconds{sink=\"ops\"} 5"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_lane_open{sink=\"ops\"} 1"));
  http.Answer("http://ops", Answered(200));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_total{outcome=\"delivered\",sink=\"ops\"} 1"));
  dispatcher.reset();
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_total"));
}

}  // namespace
}  // namespace hookswitch
