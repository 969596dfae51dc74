// What the record of an attempt says of the time before it, and of its HTTP exchange.
#include <gtest/gtest.h>

#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

struct DispatcherWaits : DispatcherTest {
  DispatcherWaits() {
    Lane("ops");
    Lane("barrier");
  }
  /// The record of an attempt, once there is one.
  AttemptRecord RecordOf(DeliverySeq seq, std::uint32_t number = 1) {
    AttemptRecord found;
    EXPECT_TRUE(bell.Await([&] {
      for (const AttemptRecord& record : journal.inner.Records()) {
        if (record.delivery == seq && record.number == number) return found = record, true;
      }
      return false;
    })) << "no attempt "
        << number << " of " << seq;
    return found;
  }
  std::string WaitsOf(DeliverySeq seq, std::uint32_t number = 1) { return ToText(RecordOf(seq, number).waits); }
  /// Answers the oldest request to ops, and returns when its slot is free.
  void Answer(int status, std::vector<std::pair<std::string, std::string>> headers = {}) {
    ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(status, std::move(headers))));
    Settle();
  }
  /// Moves the clock, and returns when the next request to ops is sent.
  void PassUntilSent(std::chrono::milliseconds time, std::size_t count) {
    Tick(time);
    ASSERT_TRUE(AwaitSent("http://ops", count));
  }
};

TEST_F(DispatcherWaits, NothingForOneThatIsSentAtOnce) {
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  clock.Advance(5s);
  Answer(200);
  EXPECT_EQ(WaitsOf(seq), "");
}

TEST_F(DispatcherWaits, ThePaceOfTheSink) {
  lanes["ops"].config.rate_limit = config::Rate{1, 1s, 1};
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops", "ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Settle();
  PassUntilSent(1s, 2);
  Answer(200), Answer(200);
  EXPECT_EQ(WaitsOf(seq), "");
  EXPECT_EQ(WaitsOf(seq + 1), "pace 1000");
}

TEST_F(DispatcherWaits, ThePauseThatTheOtherSideAskedFor) {
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Answer(429, {{"Retry-After", "30"}});
  PassUntilSent(32s, 2);
  Answer(200);
  const Waits waits = RecordOf(seq, 2).waits;
  ASSERT_EQ(waits.size(), 1u) << ToText(waits);
  EXPECT_EQ(waits[0].kind, WaitKind::kThrottle);
  EXPECT_LE(waits[0].time, 32s);
  EXPECT_GE(waits[0].time, 32s - 3ms);
}

TEST_F(DispatcherWaits, ThePauseOfTheOperator) {
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  const DeliverySeq seq = Accept("call-1", {"ops"});
  Settle();
  Tick(1h);
  dispatcher->Resume("ops");
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Answer(200);
  EXPECT_EQ(WaitsOf(seq), "paused 3600000");
}

TEST_F(DispatcherWaits, ASinkThatIsFailing) {
  lanes["ops"].config.breaker = {.failures = 1, .rate = 100, .window = 60s, .wait = 2s, .max_wait = 60s};
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Answer(503);
  const DeliverySeq seq = Accept("call-2", {"ops"});
  Settle();
  PassUntilSent(2s, 2);
  Answer(200);
  EXPECT_EQ(WaitsOf(seq), "trouble 2000");
}

TEST_F(DispatcherWaits, TheRetryOfAnEarlierDeliveryOfItsCall) {
  Start();
  const DeliverySeq first = Accept("call-1", {"ops"}, 7), second = Accept("call-1", {"ops"}, 7);
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Answer(503);
  PassUntilSent(15s, 2);
  Answer(200);
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  Answer(200);
  const Waits retry = RecordOf(first, 2).waits;
  ASSERT_FALSE(retry.empty());
  EXPECT_EQ(retry[0].kind, WaitKind::kRetry);
  EXPECT_GE(retry[0].time, 8s - 3ms) << "10 s, more or less";
  EXPECT_LE(retry[0].time, 12s);
  EXPECT_EQ(WaitsOf(second), "order 15000");
}

TEST_F(DispatcherWaits, AFreeSlot) {
  lanes["ops"].config.concurrency = 1;
  Start();
  Accept("call-1", {"ops"});
  const DeliverySeq second = Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Settle();
  Tick(3s);
  Answer(200);
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  Answer(200);
  EXPECT_EQ(WaitsOf(second), "slot 3000");
}

TEST_F(DispatcherWaits, TheEndOfItsCallAlsoAcrossARestart) {
  Start();
  how.hold = 60s;
  const DeliverySeq seq = Accept("call-1", {"ops"}, 7);
  how.hold = 0s;
  Settle();
  Tick(20s);
  dispatcher.reset();
  clock.Advance(20s);
  Restart();
  PassUntilSent(20s, 1);
  Answer(200);
  EXPECT_EQ(WaitsOf(seq), "settle 60000");
}

TEST_F(DispatcherWaits, NothingOfWhichItKnowsOnlyByAnEarlierProcess) {
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Answer(503);
  dispatcher.reset();
  clock.Advance(5s);
  Restart();
  PassUntilSent(10s, 2);
  Answer(200);
  const Waits waits = RecordOf(seq, 2).waits;
  ASSERT_EQ(waits.size(), 1u) << ToText(waits);
  EXPECT_EQ(waits[0].kind, WaitKind::kRetry);
  EXPECT_LE(waits[0].time, 7s) << "since the start; at most 12 s were left, 5 s before it";
}

TEST_F(DispatcherWaits, ThePaceOfAPlaceAndTheTimeUntilItWasRendered) {
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) -> std::variant<HttpRequest, Outcome> {
    HttpRequest request;
    request.url = "http://ops";
    request.body = delivery.event.call_id;
    request.pace = Pace{.key = "#calls", .max = 1, .per = 1s, .burst = 1};
    return request;
  };
  Lane("ops", sink);
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops", "ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Answer(200);
  Settle();
  PassUntilSent(1s, 2);
  Answer(200);
  EXPECT_EQ(WaitsOf(seq + 1), "pace 1000");
}

TEST_F(DispatcherWaits, AndHowLongConnectingAndTheFirstByteTook) {
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  HttpResult result = Answered(503);
  result.connect = 12ms;
  result.first_byte = 80ms;
  ASSERT_TRUE(AnswerAndAwait("http://ops", result));
  Settle();
  PassUntilSent(15s, 2);
  HttpResult lost{{}, "timeout", "no answer", true};
  lost.connect = 15ms;
  ASSERT_TRUE(AnswerAndAwait("http://ops", lost));
  EXPECT_EQ(RecordOf(seq).connect, 12ms);
  EXPECT_EQ(RecordOf(seq).first_byte, 80ms);
  EXPECT_EQ(RecordOf(seq, 2).connect, 15ms);
  EXPECT_EQ(RecordOf(seq, 2).first_byte, std::nullopt);
}

}  // namespace
}  // namespace hookswitch
