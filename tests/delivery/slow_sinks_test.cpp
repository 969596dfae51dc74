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

TEST_F(DispatcherTest, APluginThatKeepsHangingClosesItsLane) {
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
  for (int i = 0; i < 4; ++i) {
    Tick(6s);
    ASSERT_TRUE(bell.Await([&] {
      const auto records = journal.inner.Records();
      return std::count_if(records.begin(), records.end(), [](const auto& r) { return r.sink == "hangs"; }) > i;
    }));
    Settle();
  }
  EXPECT_EQ(StatusOf("hangs").state, State::kUnavailable);
  EXPECT_THAT(StatusOf("hangs").because, HasSubstr("never returned"));
  release->set_value();
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
  EXPECT_EQ(cut->outcome.code, "timeout");
  EXPECT_TRUE(cut->outcome.may_have_been_delivered);
  release = true;
  while (!saw_cancel) std::this_thread::yield();
  Settle();
  EXPECT_EQ(journal.inner.StateOf(first), DeliveryState::kPending) << "what comes late is ignored";
}

}  // namespace
}  // namespace hookswitch
