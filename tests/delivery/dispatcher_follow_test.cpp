// Deliveries that other routers have stored, and the moment when a router begins to deliver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using State = LaneStatus::State;

class DispatcherFollow : public DispatcherTest {
 protected:
  DispatcherFollow() {
    Lane("ops").config.concurrency = 1;
    Lane("barrier");
  }
  void Deliver() { ASSERT_TRUE(http.Answer("http://ops", Answered(200))); }
};

TEST_F(DispatcherFollow, WhatCameWithTheBacklogIsNotSentAgainWhenItIsTold) {
  const auto pending = Store("a", {"ops"});
  Use();
  dispatcher->Accept(nullptr, pending);  // it does not deliver yet: the backlog has it
  Start();
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Deliver();
  ASSERT_TRUE(AwaitState(pending[0].seq, DeliveryState::kDelivered));
  dispatcher->Follow({.opened = pending, .canceled = {}, .revised = {}, .ended_calls = {}, .lanes = {}});
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
}

TEST_F(DispatcherFollow, WhatLeftItsLaneAndComesBackIsSent) {
  const auto first = Store("a", {"ops"}), second = Store("b", {"ops"}), third = Store("c", {"ops"});
  Start();
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  // A purge that could not be stored, and a cancellation and a replay in the same moment elsewhere.
  ASSERT_EQ(dispatcher->Release({second[0].seq}).size(), 1u);
  dispatcher->Accept(nullptr, second);
  dispatcher->Follow({.opened = {}, .canceled = {third[0].seq}, .revised = {}, .ended_calls = {}, .lanes = {}});
  dispatcher->Follow({.opened = third, .canceled = {}, .revised = {}, .ended_calls = {}, .lanes = {}});
  for (std::size_t sent = 1; sent <= 3; ++sent) {
    ASSERT_TRUE(AwaitSent("http://ops", sent));
    Deliver();
  }
  for (const auto& one : {first, second, third}) EXPECT_TRUE(AwaitState(one[0].seq, DeliveryState::kDelivered));
}

TEST_F(DispatcherFollow, WhatOthersOpenCancelAndPauseIsDoneHere) {
  Start();
  const auto first = Store("a", {"ops"}), second = Store("b", {"ops"}), third = Store("c", {"ops"});
  std::vector<PendingDelivery> all{first[0], second[0], third[0]};
  dispatcher->Follow({.opened = all, .canceled = {}, .revised = {}, .ended_calls = {}, .lanes = {}});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  dispatcher->Follow({.opened = {},
                      .canceled = {second[0].seq},
                      .revised = {},
                      .ended_calls = {},
                      .lanes = {{.sink = "ops", .due = {}, .pause = Pause{.until = {}, .because = "maintenance"}}}});
  EXPECT_EQ(StatusOf("ops").state, State::kPaused);
  Deliver();
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
  dispatcher->Follow({.opened = {},
                      .canceled = {},
                      .revised = {},
                      .ended_calls = {},
                      .lanes = {{.sink = "ops", .due = {}, .pause = {}}}});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  Deliver();
  EXPECT_TRUE(AwaitState(third[0].seq, DeliveryState::kDelivered));
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 2u) << "the second was canceled";
}

TEST_F(DispatcherFollow, WhatIsUnderWayIsTriedAgainWhenItWasCanceledAndReplayedElsewhere) {
  Start();
  const auto pending = Store("a", {"ops"});
  dispatcher->Accept(nullptr, pending);
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  dispatcher->Follow({.opened = {}, .canceled = {pending[0].seq}, .revised = {}, .ended_calls = {}, .lanes = {}});
  auto replay = pending;
  replay[0].is_replay = true;
  replay[0].accepted_at = clock.Wall() + 1ms;
  dispatcher->Follow({.opened = replay, .canceled = {}, .revised = {}, .ended_calls = {}, .lanes = {}});
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 1u) << "one at a time";
  ASSERT_TRUE(http.Answer("http://ops", Answered(500)));
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  Deliver();
  EXPECT_TRUE(AwaitState(pending[0].seq, DeliveryState::kDelivered));
}

TEST_F(DispatcherFollow, WhatIsRenderedWhenTheLeaseIsOverIsNotSentBeforeItIsOursAgain) {
  auto sink = std::make_shared<FakeSink>();
  std::atomic<int> rendered{0};
  sink->render = [&](const SinkDelivery&) -> std::variant<HttpRequest, Outcome> {
    if (++rendered == 1) journal.owns = false;
    HttpRequest request;
    request.url = "http://late";
    return request;
  };
  Lane("late", sink);
  Start();
  const DeliverySeq seq = Accept("a", {"late"});
  ASSERT_TRUE(AwaitRecords(1));
  EXPECT_EQ(journal.inner.Records()[0].outcome.code, "lease_over");
  EXPECT_EQ(http.CountSent("http://late"), 0u);
  Tick(20s);
  ASSERT_TRUE(dispatcher->AwaitIdle(20s));
  EXPECT_EQ(rendered, 1) << "nothing is begun either";
  journal.owns = true;
  Tick(20s);
  ASSERT_TRUE(AwaitSent("http://late", 1));
  ASSERT_TRUE(http.Answer("http://late", Answered(200)));
  EXPECT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
}

}  // namespace
}  // namespace hookswitch
