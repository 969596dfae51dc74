#include "core/delivery/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using State = LaneStatus::State;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(DispatcherTest, GivenUpDeliveriesGoToTheFallbackAndNoFurther) {
  Lane("ops").config.fallback = "oncall";
  Lane("oncall").config.fallback = "ops";
  lanes["ops"].config.retry = {{1s}, 0ms};
  lanes["oncall"].config.retry = {{1s}, 0ms};
  Lane("barrier");
  Start();
  http.AnswerAll([](const HttpRequest& request) { return Answered(request.url == "http://barrier" ? 200 : 503); });
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kFellBack));
  ASSERT_TRUE(AwaitState(seq + 1, DeliveryState::kDead));
  EXPECT_THAT(http.Sent(), ElementsAre("http://ops call-1", "http://oncall call-1"));
  EXPECT_EQ(journal.inner.Records()[0].fallback_sink, "oncall");
  EXPECT_EQ(journal.inner.Records()[1].fallback_sink, "");
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"delivery_dead\""));
}

TEST_F(DispatcherTest, RejectedDeliveriesGoToTheFallbackAtOnce) {
  Lane("ops").config.fallback = "oncall";
  Lane("oncall");
  Start();
  http.AnswerAll([](const HttpRequest& request) { return Answered(request.url == "http://ops" ? 400 : 200); });
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitState(seq + 1, DeliveryState::kDelivered));
  EXPECT_EQ(journal.inner.StateOf(seq), DeliveryState::kFellBack);
}

TEST_F(DispatcherTest, AFallbackHasItsOwnTime) {
  Lane("ops").config.fallback = "oncall";
  lanes["ops"].config.retry = {{1s}, 0ms};
  Lane("oncall");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  clock.Advance(100h);
  http.Answer("http://ops", Answered(503));
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  http.Answer("http://oncall", Answered(503));
  ASSERT_TRUE(AwaitRecords(2));
  EXPECT_EQ(journal.inner.StateOf(seq + 1), DeliveryState::kPending);
}

TEST_F(DispatcherTest, AfterARestartAFallbackStillHasItsOwnTimeAndGoesNoFurther) {
  Lane("ops").config.fallback = "oncall";
  lanes["ops"].config.retry = {{1s}, 0ms};
  Lane("oncall").config.fallback = "ops";
  Start();
  const DeliverySeq fallback = Accept("call-1", {"ops"}) + 1;
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  clock.Advance(100h);
  http.Answer("http://ops", Answered(503));
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  Restart();
  ASSERT_TRUE(AwaitSent("http://oncall", 2));
  http.Answer("http://oncall", Answered(503));  // of the first life
  http.Answer("http://oncall", Answered(503));
  ASSERT_TRUE(AwaitRecords(2));
  EXPECT_EQ(journal.inner.StateOf(fallback), DeliveryState::kPending);
  Tick(2h);
  ASSERT_TRUE(AwaitSent("http://oncall", 3));
  http.Answer("http://oncall", Answered(503));
  ASSERT_TRUE(AwaitState(fallback, DeliveryState::kDead));
  EXPECT_EQ(journal.inner.Records().back().fallback_sink, "");
}

TEST_F(DispatcherTest, AReloadDoesNotRedirectAFallbackThatIsBeingStored) {
  Lane("ops").config.fallback = "oncall";
  lanes["ops"].config.retry = {{1s}, 0ms};
  Lane("oncall"), Lane("other"), Lane("barrier");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  journal.inner.SetUnwritable("disk full");
  http.Answer("http://ops", Answered(503));
  ASSERT_TRUE(bell.Await([&] { return Log().find("delivery_fell_back") != std::string::npos; }));
  lanes["ops"].config.fallback = "other";
  Use();
  journal.inner.SetUnwritable("");
  EXPECT_TRUE(AwaitSent("http://oncall", 1));
  EXPECT_EQ(http.CountSent("http://other"), 0u);
}

}  // namespace
}  // namespace hookswitch
