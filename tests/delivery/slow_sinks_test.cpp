#include "core/delivery/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using State = LaneStatus::State;
using testing::HasSubstr;

TEST_F(DispatcherTest, ASlowSinkDoesNotDelayAnother) {
  Lane("slow"), Lane("barrier");
  Start();
  for (int i = 0; i < 50; ++i) Accept("call", {"slow"});
  ASSERT_TRUE(AwaitSent("http://slow", 8));
  Settle();
  EXPECT_EQ(http.CountSent("http://slow"), 8u) << "no more than its concurrency";
}

TEST_F(DispatcherTest, WhatWasRenderedAfterItWasGivenUpIsNotSent) {
  auto sink = std::make_shared<FakeSink>();
  const auto release = std::make_shared<std::promise<void>>();  // outlived by threads that are given up
  const auto calls = std::make_shared<std::atomic<int>>(0);
  sink->render = [released = release->get_future().share(), calls](const auto&) -> std::variant<HttpRequest, Outcome> {
    const int call = ++*calls;
    if (call == 1) released.wait();
    return HttpRequest{"POST", "http://hangs", {}, std::to_string(call)};
  };
  Lane("hangs", sink), Lane("barrier");
  Start();
  Settle();
  const long holders = sink.use_count();
  const DeliverySeq seq = Accept("call", {"hangs"});
  while (*calls == 0) std::this_thread::yield();
  Tick(6s);
  ASSERT_TRUE(AwaitRecords(2));
  EXPECT_EQ(journal.inner.Records()[1].outcome.code, "plugin_hung");
  EXPECT_FALSE(journal.inner.Records()[1].outcome.may_have_been_delivered);
  release->set_value();
  Tick(30s);
  ASSERT_TRUE(AwaitSent("http://hangs", 1));
  ASSERT_TRUE(http.Answer("http://hangs", Answered(200)));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  // The attempt that was given up is gone when nobody holds its sink any more.
  while (sink.use_count() > holders) std::this_thread::yield();
  EXPECT_EQ(http.Sent().back(), "http://hangs 2");
  EXPECT_EQ(http.CountSent("http://hangs"), 1u);
}

TEST_F(DispatcherTest, ASinkThatHangsInRenderDoesNotDelayAnother) {
  auto sink = std::make_shared<FakeSink>();
  const auto release = std::make_shared<std::promise<void>>();  // outlived by threads that are given up
  sink->render = [released = release->get_future().share()](const auto&) -> std::variant<HttpRequest, Outcome> {
    released.wait();
    return Outcome{};
  };
  Lane("hangs", sink), Lane("barrier");
  Start();
  for (int i = 0; i < 20; ++i) Accept("call", {"hangs"});
  Settle();
  Tick(6s);
  ASSERT_TRUE(AwaitRecords(2)) << "cut at the deadline";
  EXPECT_EQ(journal.inner.Records()[1].outcome.code, "plugin_hung");
  Settle();
  release->set_value();
}

/// A sink in whose Render every call with the id "poison" hangs until the test lets it go.
struct PoisonedSink : FakeSink {
  PoisonedSink() {
    render = [now = hanging, released = release->get_future().share()](
                 const SinkDelivery& delivery) -> std::variant<HttpRequest, Outcome> {
      if (delivery.event.call_id == "poison") ++*now, released.wait();
      return HttpRequest{"POST", "http://ops", {}, delivery.event.call_id};
    };
  }
  void AwaitHanging(int count) const {
    while (*hanging < count) std::this_thread::yield();
  }
  // Outlived by threads that are given up.
  const std::shared_ptr<std::promise<void>> release = std::make_shared<std::promise<void>>();
  const std::shared_ptr<std::atomic<int>> hanging = std::make_shared<std::atomic<int>>(0);
};

TEST_F(DispatcherTest, AMessageThatHangsTwiceIsDeadAndTheOthersGetThrough) {
  const auto sink = std::make_shared<PoisonedSink>();
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  Lane("ops", sink);
  Start();
  const DeliverySeq bad = Accept("poison", {"ops"});
  sink->AwaitHanging(1);
  std::vector<DeliverySeq> good;
  for (int i = 0; i < 30; ++i) good.push_back(Accept("good", {"ops"}));
  Tick(6s);
  for (const DeliverySeq seq : good) ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  Tick(13s);
  sink->AwaitHanging(2);
  Tick(6s);
  ASSERT_TRUE(AwaitState(bad, DeliveryState::kDead));
  std::vector<std::string> codes;
  for (const auto& record : journal.inner.Records()) {
    if (record.delivery == bad) codes.push_back(record.outcome.code);
  }
  EXPECT_THAT(codes, testing::ElementsAre("plugin_hung", "hung_twice"));
  EXPECT_EQ(StatusOf("ops").state, State::kOpen);
  EXPECT_THAT(sink->given_up, testing::SizeIs(2)) << "each time the sink is told";
  sink->release->set_value();
}

TEST_F(DispatcherTest, ThatAMessageHungIsKnownAfterARestart) {
  const auto sink = std::make_shared<PoisonedSink>();
  Lane("ops", sink);
  Start();
  const DeliverySeq bad = Accept("poison", {"ops"});
  sink->AwaitHanging(1);
  Tick(6s);
  ASSERT_TRUE(AwaitRecords(1));
  Restart();
  Tick(13s);
  sink->AwaitHanging(2);
  Tick(6s);
  ASSERT_TRUE(AwaitState(bad, DeliveryState::kDead));
  EXPECT_EQ(journal.inner.Records().back().outcome.code, "hung_twice");
  sink->release->set_value();
}

TEST_F(DispatcherTest, WhoWaitsForItsTurnInThePluginIsNotBlamed) {
  const auto sink = std::make_shared<FakeSink>();
  const auto release = std::make_shared<std::promise<void>>();
  const auto waits = std::make_shared<std::atomic<bool>>(false), entered = std::make_shared<std::atomic<bool>>(true);
  std::promise<void> over;
  sink->render = [released = release->get_future().share(), waits, entered, &over](const auto& delivery) {
    delivery.call->StepOut();
    *waits = true;
    released.wait();
    *entered = delivery.call->Enter(2);
    over.set_value();
    return std::variant<HttpRequest, Outcome>(Outcome{});
  };
  Lane("ops", sink);
  Start();
  const DeliverySeq seq = Accept("good", {"ops"});
  while (!*waits) std::this_thread::yield();
  Tick(6s);
  ASSERT_TRUE(AwaitRecords(1));
  EXPECT_EQ(journal.inner.Records()[0].outcome.code, "given_up");
  EXPECT_EQ(journal.inner.StateOf(seq), DeliveryState::kPending);
  EXPECT_THAT(Log(), testing::Not(HasSubstr("plugin_stuck")));
  EXPECT_THAT(sink->given_up, testing::IsEmpty());
  release->set_value();
  over.get_future().wait();
  EXPECT_FALSE(*entered) << "nobody waits for it any more";
}

TEST_F(DispatcherTest, AThreadThatIsLeftBehindInAPluginReadsNothingFromAJournalThatIsGone) {
  const auto sink = std::make_shared<FakeSink>();
  const auto release = std::make_shared<std::promise<void>>();
  const auto inside = std::make_shared<std::atomic<bool>>(false), read = std::make_shared<std::atomic<bool>>(true);
  std::promise<void> over;
  sink->render = [released = release->get_future().share(), inside, read, &over](const auto& delivery) {
    *inside = true;
    released.wait();
    *read = delivery.raw_body().has_value();
    over.set_value();
    return std::variant<HttpRequest, Outcome>(Outcome{});
  };
  Lane("ops", sink);
  Start();
  Accept("good", {"ops"});
  while (!*inside) std::this_thread::yield();
  Tick(6s);
  ASSERT_TRUE(AwaitRecords(1));
  dispatcher.reset();
  const int loads = journal.loads;
  release->set_value();
  over.get_future().wait();
  EXPECT_FALSE(*read);
  EXPECT_EQ(journal.loads, loads);
}

TEST_F(DispatcherTest, APluginOfWhichNothingReturnsClosesItsLaneUntilItDoes) {
  const auto sink = std::make_shared<PoisonedSink>();
  Lane("ops", sink).config.retry.give_up_after = std::chrono::hours(100);
  Lane("barrier");
  Start();
  for (int i = 0; i < 40; ++i) Accept("poison", {"ops"});
  // All threads have had their turn before the clock goes on, or it would run away from a machine that is busy.
  const auto tick = [this] { Tick(1s), Settle(); };
  while (StatusOf("ops").state != State::kUnavailable && !HasFailure()) tick();
  EXPECT_THAT(StatusOf("ops").because, HasSubstr("never returned"));
  EXPECT_LE(*sink->hanging, 40);
  sink->release->set_value();
  while (StatusOf("ops").state == State::kUnavailable && !HasFailure()) tick();
}

TEST_F(DispatcherTest, DrainGivesUpWaitingInTime) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  dispatcher->Drain(1ms);
  dispatcher.reset();
  http.Answer("http://ops", Answered(200));
  EXPECT_EQ(journal.inner.StateOf(seq), DeliveryState::kPending);
}

TEST_F(DispatcherTest, CallSinksDeliverOnThreadsOfTheirOwn) {
  auto sink = std::make_shared<FakeSink>(Sink::Kind::kCall, SinkAdvice{.concurrency = 2});
  std::atomic<int> running{0}, most{0}, done{0};
  sink->deliver = [&](const SinkDelivery&, std::chrono::milliseconds timeout, const auto&) {
    EXPECT_EQ(timeout, 10s);
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    while (most < 2) std::this_thread::yield();
    --running;
    ++done;
    Outcome outcome;
    outcome.kind = Outcome::Kind::kDelivered;
    return outcome;
  };
  Lane("mail", sink);
  Start();
  DeliverySeq last = 0;
  for (int i = 0; i < 20; ++i) last = Accept("call", {"mail"});
  ASSERT_TRUE(AwaitRecords(20));
  EXPECT_EQ(journal.inner.StateOf(last), DeliveryState::kDelivered);
  EXPECT_EQ(most, 2);
}

TEST_F(DispatcherTest, ACallThatNeverReturnsIsCutAlsoIfItsSinkIsGone) {
  auto sink = std::make_shared<FakeSink>(Sink::Kind::kCall, SinkAdvice{.concurrency = 1});
  std::atomic<bool> inside{false};
  sink->deliver = [&](const auto&, auto, const std::function<bool()>& canceled) {
    inside = true;
    bell.Ring();
    while (!canceled()) std::this_thread::yield();
    return Outcome{};
  };
  Lane("mail", sink), Lane("barrier");
  Start();
  const DeliverySeq seq = Accept("call-1", {"mail"});
  ASSERT_TRUE(bell.Await([&] { return inside.load(); }));
  lanes.erase("mail");
  Use();
  Tick(13s);
  ASSERT_TRUE(AwaitRecords(1));
  const AttemptRecord record = journal.inner.Records()[0];
  EXPECT_EQ(record.delivery, seq);
  EXPECT_EQ(record.outcome.reason, "the plugin did not return in time");
  EXPECT_TRUE(record.outcome.may_have_been_delivered);
}

TEST_F(DispatcherTest, ACallThatNeverReturnsIsCutAndItsThreadReplaced) {
  auto sink = std::make_shared<FakeSink>(Sink::Kind::kCall, SinkAdvice{.concurrency = 1});
  std::atomic<int> calls{0};
  std::atomic<bool> release{false}, saw_cancel{false};
  sink->deliver = [&](const SinkDelivery&, std::chrono::milliseconds, const std::function<bool()>& canceled) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::kDelivered;
    if (++calls > 1) return outcome;
    bell.Ring();
    while (!release) std::this_thread::yield();
    saw_cancel = canceled();
    return outcome;
  };
  Lane("mail", sink), Lane("barrier");
  Start();
  const DeliverySeq first = Accept("call-1", {"mail"});
  const DeliverySeq second = Accept("call-2", {"mail"});
  ASSERT_TRUE(bell.Await([&] { return calls == 1; }));
  Settle();
  Tick(13s);
  ASSERT_TRUE(AwaitState(second, DeliveryState::kDelivered));
  std::optional<AttemptRecord> cut;
  for (const auto& record : journal.inner.Records()) {
    if (record.delivery == first) cut = record;
  }
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->outcome.code, "plugin_hung");
  EXPECT_TRUE(cut->outcome.may_have_been_delivered);
  release = true;
  while (!saw_cancel) std::this_thread::yield();
  Settle();
  EXPECT_EQ(journal.inner.StateOf(first), DeliveryState::kPending) << "what comes late is ignored";
}

}  // namespace
}  // namespace hookswitch
