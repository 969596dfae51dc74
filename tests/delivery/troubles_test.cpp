// What goes wrong between us and the other side, and what becomes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/delivery/dispatcher.h"
#include "core/delivery/notice.h"
#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using State = LaneStatus::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct TroublesTest : DispatcherTest {
  /// Fails deliveries to "ops" until its lane is left alone.
  void MakeFail() {
    for (int i = 0; i < 5; ++i) {
      Accept("failed-" + std::to_string(i), {"ops"});
      ASSERT_TRUE(AwaitSent("http://ops", ++sent_to_ops));
      ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
      ASSERT_TRUE(AwaitRecords(sent_to_ops));
    }
    ASSERT_TRUE(bell.Await([&] { return StatusOf("ops").state == State::kFailing; }));
  }
  AttemptRecord LastRecordOf(DeliverySeq seq) {
    AttemptRecord last;
    for (const auto& record : journal.inner.Records()) {
      if (record.delivery == seq) last = record;
    }
    return last;
  }
  bool AwaitCode(DeliverySeq seq, const std::string& code) {
    return bell.Await([&] { return LastRecordOf(seq).outcome.code == code; });
  }
  std::size_t sent_to_ops = 0;
};

TEST_F(TroublesTest, TheLastHourCountsWhatBecameOfDeliveries) {
  Lane("ops"), Lane("barrier");
  Start();
  const DeliverySeq delivered = Accept("delivered", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  ASSERT_TRUE(AwaitState(delivered, DeliveryState::kDelivered));
  Accept("retried", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(503)));
  const DeliverySeq dead = Accept("dead", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  ASSERT_TRUE(http.Answer("http://ops", Answered(400)));
  ASSERT_TRUE(AwaitState(dead, DeliveryState::kDead));
  const HourCounts::Hour hour = StatusOf("ops").last_hour->At(clock.Wall());
  EXPECT_EQ(hour.delivered.back(), 1u);
  EXPECT_EQ(hour.retried.back(), 1u);
  EXPECT_EQ(hour.dead.back(), 1u);
}

TEST_F(TroublesTest, AStatusSaysSinceWhenTheSinkIsInTrouble) {
  Lane("ops"), Lane("barrier");
  Start();
  EXPECT_FALSE(StatusOf("ops").since);
  clock.Advance(1min);
  const WallTime failed = clock.Wall();
  MakeFail();
  Tick(1s);
  EXPECT_EQ(StatusOf("ops").since, failed);
  ASSERT_TRUE(dispatcher->Pause("ops"));
  EXPECT_EQ(StatusOf("ops").since, failed + 1s) << "of the pause";
}

TEST_F(TroublesTest, ASinkThatFailsIsLeftAloneButForProbesAndTheRestWaits) {
  Lane("ops"), Lane("barrier");
  Start();
  MakeFail();
  const DeliverySeq waits = Accept("waits", {"ops"});
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 5u);
  EXPECT_THAT(StatusOf("ops").because, HasSubstr("503"));
  EXPECT_TRUE(StatusOf("ops").until);
  Tick(2s);
  ASSERT_TRUE(AwaitSent("http://ops", 6));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  ASSERT_TRUE(AwaitState(waits, DeliveryState::kDelivered));
  for (DeliverySeq seq = 1; seq <= 5; ++seq) {
    ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered)) << "all of it is due once it works again";
  }
  EXPECT_EQ(StatusOf("ops").state, State::kOpen);
}

TEST_F(TroublesTest, WhateverASinkWaitsForItsNextTryIsKnown) {
  Lane("ops"), Lane("barrier");
  Start();
  Accept("first", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", ++sent_to_ops));
  EXPECT_FALSE(StatusOf("ops").until) << "nothing waits";
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  ASSERT_TRUE(AwaitRecords(sent_to_ops));
  Settle();
  EXPECT_EQ(StatusOf("ops").state, State::kOpen);
  EXPECT_GT(StatusOf("ops").until, clock.Wall()) << "the retry";
  for (int i = 1; i < 5; ++i) {
    Accept("failed-" + std::to_string(i), {"ops"});
    ASSERT_TRUE(AwaitSent("http://ops", ++sent_to_ops));
    ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(503)));
  }
  Settle();
  EXPECT_EQ(StatusOf("ops").state, State::kFailing);
  EXPECT_EQ(StatusOf("ops").until, clock.Wall() + 2s);
  Tick(2s);
  ASSERT_TRUE(AwaitSent("http://ops", ++sent_to_ops));
  EXPECT_EQ(StatusOf("ops").state, State::kProbing);
  EXPECT_EQ(StatusOf("ops").until, clock.Wall()) << "it is under way";
}

TEST_F(TroublesTest, ACertificateOrAProxyThatRefusesIsAMisconfigurationOfTheSink) {
  Lane("ops"), Lane("barrier");
  Start();
  Accept("call", {"ops"});
  for (const char* error : {"certificate_problem", "proxy_refused"}) {
    SCOPED_TRACE(error);
    ASSERT_TRUE(AwaitSent("http://ops", ++sent_to_ops));
    ASSERT_TRUE(AnswerAndAwait("http://ops", HttpResult{{}, error, "in OpenSSL's words", false}));
    const Outcome outcome = journal.inner.Records().back().outcome;
    EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured);
    EXPECT_EQ(outcome.scope, Outcome::Scope::kSink);
    EXPECT_EQ(outcome.code, error);
    EXPECT_THAT(outcome.reason, HasSubstr("in OpenSSL's words"));
    EXPECT_THAT(outcome.action, Not(IsEmpty()));
    Settle();
    EXPECT_EQ(StatusOf("ops").state, State::kMisconfigured);
    Tick(10min);
  }
}

TEST_F(TroublesTest, OthersGoOnWhileOneIsDownForAnHour) {
  Lane("ops").config.retry.give_up_after = 24h;
  Lane("barrier");
  for (const char* name : {"a", "b", "c"}) Lane(name);
  Start();
  MakeFail();
  for (int minute = 0; minute < 60; ++minute) {
    std::vector<DeliverySeq> seqs;
    const DeliverySeq first = Accept("call-" + std::to_string(minute), {"ops", "a", "b", "c"});
    for (const char* name : {"a", "b", "c"}) {
      const std::string url = std::string("http://") + name;
      ASSERT_TRUE(AwaitSent(url, static_cast<std::size_t>(minute) + 1));
      ASSERT_TRUE(http.Answer(url, Answered(200)));
    }
    for (DeliverySeq seq = first + 1; seq <= first + 3; ++seq) {
      ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
      EXPECT_EQ(LastRecordOf(seq).latency, 0ms) << "the clock stands still while they are delivered";
    }
    Tick(60s);
    Settle();
    if (StatusOf("ops").in_flight > 0) {
      ASSERT_TRUE(AwaitSent("http://ops", ++sent_to_ops));
      ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(503)));
    }
  }
  EXPECT_EQ(StatusOf("ops").pending, 65u);
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  if (!http.Answer("http://ops", Answered(200))) Tick(60s);
  EXPECT_TRUE(bell.Await([&] { return journal.inner.Stats().pending == 0; }));
}

TEST_F(TroublesTest, ADeliveryThatIsTooOldIsDeadWithItsReason) {
  Lane("ops").config.max_age = 1h;
  Lane("barrier");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(429, {{"Retry-After", "7200"}})));
  ASSERT_TRUE(AwaitRecords(1));
  Settle();
  Tick(1h);
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDead));
  EXPECT_EQ(LastRecordOf(seq).number, 0u) << "no attempt was made";
  EXPECT_EQ(LastRecordOf(seq).outcome.code, "too_old");
  EXPECT_THAT(Log(), HasSubstr("\"code\":\"too_old\""));
  Settle();
  EXPECT_EQ(StatusOf("ops").pending, 0u);
}

TEST_F(TroublesTest, AFallbackTellsTheStoryOfTheFailure) {
  Lane("ops").config.fallback = "oncall";
  lanes["ops"].config.retry = {{1s}, 0ms};
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "http://oncall";
    request.body = delivery.message.text;
    return request;
  };
  Lane("oncall", sink);
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  EXPECT_THAT(http.Sent().back(), HasSubstr("Not delivered to ops after 1 attempt: the answer was 503 with ***"));
  EXPECT_THAT(Log(), HasSubstr("\"event\":\"delivery_fell_back\""));
  EXPECT_THAT(Log(), Not(HasSubstr("delivery_dead")));
  Restart();
  ASSERT_TRUE(AwaitSent("http://oncall", 2));
  EXPECT_EQ(http.Sent().front().substr(0, 10), "http://ops");
  EXPECT_EQ(http.Sent()[1], http.Sent()[2]) << "the story survives a restart";
}

TEST_F(TroublesTest, WhatWaitedForASinkThatFailedForAllOfGiveUpAfterFallsBack) {
  Lane("ops").config.fallback = "oncall";
  Lane("oncall"), Lane("barrier");
  Start();
  MakeFail();
  const DeliverySeq waits = Accept("waits", {"ops"});
  Settle();
  http.AnswerAll([](const HttpRequest& request) { return Answered(request.url == "http://ops" ? 503 : 200); });
  Tick(1h);
  ASSERT_TRUE(AwaitState(waits, DeliveryState::kFellBack));
  EXPECT_EQ(LastRecordOf(waits).outcome.code, "gave_up");
  EXPECT_THAT(LastRecordOf(waits).outcome.reason, HasSubstr("the answer was 503"));
  ASSERT_TRUE(bell.Await([&] { return http.CountSent("http://oncall") == 6; }));
}

TEST_F(TroublesTest, ABrokenSinkIsToldOnceToAnother) {
  Lane("ops").config.notify_problems_to = "oncall";
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "http://oncall";
    request.body = delivery.message.title + "|" + delivery.message.text + "|" + delivery.event.source;
    return request;
  };
  Lane("oncall", sink), Lane("barrier");
  Start();
  Accept("call-1", {"ops"}), Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  ASSERT_TRUE(AnswerAndAwait("http://oncall", Answered(200)));
  EXPECT_THAT(http.Sent().back(),
              HasSubstr("hookswitch: sink \"ops\" is broken|the answer was 401 with ***; make a new "
                        "key\nNothing is lost"));
  EXPECT_THAT(http.Sent().back(), HasSubstr("|hookswitch"));
  Tick(30s);
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  Settle();
  EXPECT_EQ(http.CountSent("http://oncall"), 1u) << "once";
  Tick(60s);
  ASSERT_TRUE(AwaitSent("http://ops", 4));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  ASSERT_TRUE(AwaitSent("http://oncall", 2));
  EXPECT_THAT(http.Sent(), testing::Contains(HasSubstr("hookswitch: sink \"ops\" works again")));
}

TEST_F(TroublesTest, ANoticeThatIsTriedAgainSaysTheSame) {
  Lane("ops").config.notify_problems_to = "oncall";
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "http://oncall";
    request.body = delivery.message.title;
    return request;
  };
  Lane("oncall", sink), Lane("barrier");
  Start();
  Accept("call-1", {"ops"}), Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  ASSERT_TRUE(AnswerAndAwait("http://oncall", Answered(503)));
  Settle();
  Tick(12s);
  ASSERT_TRUE(AwaitSent("http://oncall", 2));
  EXPECT_THAT(http.Sent(), testing::Contains("http://oncall hookswitch: sink \"ops\" is broken").Times(2));
}

TEST_F(TroublesTest, ANoticeSurvivesARestart) {
  Lane("ops").config.notify_problems_to = "oncall";
  Lane("oncall"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("oncall"));
  Accept("call-1", {"ops"}), Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(bell.Await([&] { return StatusOf("oncall").pending == 1 || (Settle(), false); }));
  Restart();
  dispatcher->Resume("oncall");
  EXPECT_TRUE(AwaitSent("http://oncall", 1));
}

TEST_F(TroublesTest, ASinkThatKeepsFailingIsToldAfterAWhile) {
  Lane("ops").config.notify_problems_to = "oncall";
  Lane("oncall"), Lane("barrier");
  Start();
  MakeFail();
  Tick(2s);
  ASSERT_TRUE(AwaitSent("http://ops", 6));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(503)));
  Settle();
  EXPECT_EQ(http.CountSent("http://oncall"), 0u) << "it may mend itself";
  Tick(5min);
  ASSERT_TRUE(AwaitSent("http://ops", 7));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  EXPECT_TRUE(AwaitSent("http://oncall", 1));
}

TEST_F(TroublesTest, OneThatStaysRefusedAloneIsToldAfterAWhile) {
  Lane("ops").config.notify_problems_to = "oncall";
  Lane("oncall"), Lane("barrier");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  Settle();
  EXPECT_EQ(http.CountSent("http://oncall"), 0u) << "it may be that message";
  Tick(15s);
  EXPECT_TRUE(AwaitSent("http://oncall", 1));
}

TEST_F(TroublesTest, DeadLettersAreToldTogether) {
  Lane("ops").config.notify_problems_to = "oncall";
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "http://oncall";
    request.body = delivery.message.title + "|" + delivery.message.text;
    return request;
  };
  Lane("oncall", sink), Lane("barrier");
  Start();
  for (int i = 1; i <= 3; ++i) {
    Accept("call-" + std::to_string(i), {"ops"});
    ASSERT_TRUE(AwaitSent("http://ops", static_cast<std::size_t>(i)));
    ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(400)));
  }
  Settle();
  EXPECT_EQ(http.CountSent("http://oncall"), 0u);
  Tick(10s);
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  EXPECT_THAT(http.Sent().back(), HasSubstr("has 3 dead letters|3x "));
  ASSERT_TRUE(AnswerAndAwait("http://oncall", Answered(400))) << "a notice that dies causes none";
  Tick(1h);
  Settle();
  EXPECT_EQ(http.CountSent("http://oncall"), 1u);
}

TEST_F(TroublesTest, ThatANewSinkWorksIsToldToo) {
  Lane("ops").config.notify_problems_to = "oncall";
  Lane("oncall"), Lane("barrier");
  Start();
  Accept("call-1", {"ops"}), Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  ASSERT_TRUE(AwaitSent("http://oncall", 1));
  lanes["ops"].sink = std::make_shared<FakeSink>();
  Use();
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  EXPECT_TRUE(AwaitSent("http://oncall", 2));
  EXPECT_THAT(Log(), HasSubstr("lane_resumed"));
}

TEST_F(TroublesTest, ResumeSaysHowItWent) {
  using How = Dispatcher::Resumed::How;
  Lane("ops"), Lane("barrier");
  Start();
  EXPECT_EQ(dispatcher->Resume("ops", 20s).how, How::kNothingToTry);
  ASSERT_TRUE(dispatcher->Pause("ops", {{}, "maintenance"}));
  EXPECT_THAT(StatusOf("ops").because, HasSubstr("paused by the operator: maintenance"));
  Accept("call-1", {"ops"});
  Settle();
  EXPECT_EQ(dispatcher->Resume("ops").how, How::kNotKnownYet);
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(401)));
  http.AnswerAll([](const HttpRequest&) { return Answered(401); });
  const auto fails = dispatcher->Resume("ops", 20s);
  EXPECT_EQ(fails.how, How::kFails);
  EXPECT_THAT(fails.because, HasSubstr("make a new key"));
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  EXPECT_EQ(dispatcher->Resume("ops", 20s).how, How::kWorks);
}

TEST_F(TroublesTest, APauseEndsAtItsTime) {
  Lane("ops");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops", {clock.Wall() + 1h, ""}));
  Accept("call-1", {"ops"});
  Restart();
  Tick(59min);
  EXPECT_EQ(StatusOf("ops").state, State::kPaused);
  EXPECT_EQ(http.CountSent("http://ops"), 0u);
  Tick(1min);
  EXPECT_TRUE(AwaitSent("http://ops", 1));
  EXPECT_EQ(StatusOf("ops").state, State::kOpen);
  EXPECT_TRUE(bell.Await([&] { return !journal.inner.LoadLanes()->front().pause; })) << "nor is it one after a restart";
}

TEST_F(TroublesTest, AStatusMeansWhatTheOperatorSays) {
  Lane("ops").config.classify = {{"400", Outcome::Kind::kRetry}, {"5xx", Outcome::Kind::kRejected}};
  Start();
  const DeliverySeq retried = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(400)));
  ASSERT_TRUE(AwaitRecords(1));
  EXPECT_EQ(journal.inner.StateOf(retried), DeliveryState::kPending);
  EXPECT_THAT(LastRecordOf(retried).outcome.reason, HasSubstr("(as the sink's classify says)"));
  const DeliverySeq rejected = Accept("call-2", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  EXPECT_TRUE(AwaitState(rejected, DeliveryState::kDead));
}

TEST_F(TroublesTest, AnAttemptKeepsWhatWasSentAndAnsweredMaskedAndCut) {
  keep_bodies = 60;
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("hunter2 " + std::string(200, 'x'), {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  HttpResult answer = Answered(200, {{"X-Key", "hunter2"}});
  answer.response->body = "ok";
  ASSERT_TRUE(http.Answer("http://ops", answer));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  const auto record = LastRecordOf(seq);
  EXPECT_EQ(record.request, "POST http://ops\n\n*** " + std::string(39, 'x') + "... (cut)");
  EXPECT_EQ(record.response, "HTTP 200\nX-Key: ***\n\nok");
}

/// A sink whose first step asks for a place to upload to, and whose second uploads there.
std::shared_ptr<FakeSink> Uploader() {
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    const auto tab = delivery.state.find('\t');
    request.url = tab == std::string_view::npos ? "http://ops" : std::string(delivery.state.substr(tab + 1));
    return request;
  };
  sink->interpret = [](const SinkDelivery& delivery, const HttpResponse& response) {
    Outcome outcome;
    if (response.status != 200) {
      outcome.code = "http_" + std::to_string(response.status);
      outcome.reason = "no: " + response.body;
    } else if (delivery.step == 0) {
      outcome.kind = Outcome::Kind::kNext;
      outcome.reason = "got " + response.body;
      outcome.state = "F1\thttps://files.test/upload/v1/s3cr3t-upload-url";
    } else {
      outcome.kind = Outcome::Kind::kDelivered;
    }
    return outcome;
  };
  return sink;
}

TEST_F(TroublesTest, ACredentialThatAnAnswerBringsIsNeitherStoredNorShown) {
  keep_bodies = 2048;
  Lane("ops", Uploader());
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  const std::string url = "https://files.test/upload/v1/s3cr3t-upload-url";
  HttpResult place = Answered(200, {{"Set-Cookie", "sid=s3cr3t-cookie; Path=/"}});
  place.response->body = R"({"upload_url":"https:\/\/files.test\/upload\/v1\/s3cr3t-upload-url","id":"F1"})";
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", place));
  ASSERT_TRUE(AwaitSent(url, 1));
  HttpResult refused = Answered(500);
  refused.response->body = "no upload at /upload/v1/s3cr3t-upload-url now";
  ASSERT_TRUE(http.Answer(url, refused));
  ASSERT_TRUE(AwaitRecords(2));
  Tick(12s);
  ASSERT_TRUE(AwaitSent(url, 2));
  HttpResult lost;
  lost.error = "reset";
  lost.detail = "connection to " + url + " was reset";
  ASSERT_TRUE(http.Answer(url, lost));
  ASSERT_TRUE(AwaitRecords(3));
  for (const auto& record : journal.inner.Records()) {
    for (const std::string* text : {&record.request, &record.response, &record.outcome.reason, &record.outcome.state}) {
      EXPECT_THAT(*text, Not(HasSubstr("s3cr3t")));
    }
  }
  EXPECT_THAT(Log(), Not(HasSubstr("s3cr3t")));
  const auto records = journal.inner.Records();
  EXPECT_THAT(records[0].response, HasSubstr(R"("upload_url":"***")"));
  EXPECT_THAT(records[0].response, HasSubstr("Set-Cookie: ***\n"));
  EXPECT_THAT(records[1].request, HasSubstr("POST https://files.test/upload/v1/***\n"));
  EXPECT_THAT(records[1].outcome.reason, HasSubstr("no upload at /upload/v1/*** now"));

  Restart();
  Tick(80s);
  ASSERT_TRUE(AwaitSent("http://ops", 2)) << "the step that got it is made again";
  ASSERT_TRUE(http.Answer("http://ops", place));
  ASSERT_TRUE(AwaitSent(url, 3));
  ASSERT_TRUE(http.Answer(url, Answered(200)));
  EXPECT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
}

TEST_F(TroublesTest, ATokenThatOneStepGetsIsHiddenInTheNext) {
  keep_bodies = 2048;
  auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "http://ops";
    request.body = std::string(delivery.state);
    return request;
  };
  sink->interpret = [](const SinkDelivery& delivery, const HttpResponse&) {
    Outcome outcome;
    outcome.kind = delivery.step < 2 ? Outcome::Kind::kNext : Outcome::Kind::kDelivered;
    outcome.state = delivery.step == 0 ? "with s3cr3t-token-1" : "without";
    return outcome;
  };
  Lane("ops", sink);
  http.AnswerAll([](const HttpRequest&) {
    HttpResult answer = Answered(200);
    answer.response->body = R"({"access_token":"s3cr3t-token-1","token_type":"bearer"})";
    return answer;
  });
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  const auto records = journal.inner.Records();
  ASSERT_THAT(records, testing::SizeIs(3));
  EXPECT_EQ(records[0].step, 0u) << "and no state: the credential is in it";
  EXPECT_EQ(records[0].outcome.state, "");
  EXPECT_THAT(records[1].request, testing::EndsWith("with ***"));
  EXPECT_EQ(records[1].step, 2u);
  EXPECT_EQ(records[1].outcome.state, "without");
  for (const auto& record : records) EXPECT_THAT(record.response, Not(HasSubstr("s3cr3t")));
}

TEST_F(TroublesTest, LogLinesHoldNothingOfWhatTheOtherSideSaid) {
  keep_bodies = 2048;
  auto sink = std::make_shared<FakeSink>();
  sink->interpret = [](const SinkDelivery&, const HttpResponse& response) {
    Outcome outcome;
    outcome.code = "http_" + std::to_string(response.status);
    outcome.reason = "it said \"" + response.body + "\"";
    if (response.status == 400) outcome.kind = Outcome::Kind::kRejected;
    if (response.status == 401) outcome.kind = Outcome::Kind::kMisconfigured;
    return outcome;
  };
  Lane("ops", sink).config.fallback = "oncall";
  Lane("oncall", sink), Lane("revoked", sink), Lane("barrier");
  lanes["ops"].config.retry.give_up_after = 30s;
  Start();
  const std::string said =
      "Agent: hello\xC2\x9B"
      "31m, is this +12025550123? \xE2\x80\xAE"
      "User: yes";
  http.AnswerAll([said](const HttpRequest& request) {
    if (request.url == "http://barrier") return Answered(200);
    const int status = request.body == "rejected"  ? 400
                       : request.body == "paused"  ? 401
                       : request.body == "limited" ? 429
                                                   : 503;
    HttpResult answer = Answered(status, {{"Retry-After", status == 429 ? "5" : "junk"}});
    answer.response->body = said;
    return answer;
  });
  const auto await_line = [&](const std::string& part) {
    for (int i = 0; i < 200 && Log().find(part) == std::string::npos; ++i) {
      Tick(6s);
      if (!AwaitState(Accept("barrier", {"barrier"}), DeliveryState::kDelivered)) return false;
    }
    return Log().find(part) != std::string::npos;
  };
  Accept("limited", {"ops"});
  ASSERT_TRUE(await_line("lane_throttled"));
  Accept("rejected", {"ops"});
  ASSERT_TRUE(await_line("delivery_fell_back"));
  for (int i = 0; i < 6; ++i) Accept("failing", {"ops"});
  ASSERT_TRUE(await_line("lane_failing"));
  ASSERT_TRUE(await_line(R"("code":"gave_up")"));
  Accept("paused", {"revoked"});
  ASSERT_TRUE(await_line("lane_paused"));
  const std::string log = Log();
  for (const char* event :
       {"delivery_retry", "delivery_fell_back", "delivery_dead", "lane_throttled", "lane_failing"}) {
    EXPECT_THAT(log, HasSubstr(std::string("\"event\":\"") + event + "\""));
  }
  for (const char* word : {"hello", "2025550123", "User", "it said", "\xC2\x9B", "\xE2\x80\xAE", "u009b"}) {
    EXPECT_THAT(log, Not(HasSubstr(word)));
  }
  EXPECT_THAT(log,
              HasSubstr("\"code\":\"http_503\",\"http_status\":503,\"answer_bytes\":" + std::to_string(said.size())));
  EXPECT_THAT(journal.inner.Records(),
              testing::Contains(testing::ResultOf([](const AttemptRecord& record) { return record.outcome.reason; },
                                                  HasSubstr("is this +12025550123?"))))
      << "the record has it";
}

TEST_F(TroublesTest, APauseOfAnyLengthIsKeptToWhatTheConfigAllows) {
  Lane("ops").config.retry.max_retry_after = 10min;
  Lane("barrier");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(429, {{"Retry-After", "604800"}})));
  ASSERT_TRUE(AwaitRecords(1));
  Settle();
  const auto status = StatusOf("ops");
  EXPECT_EQ(status.state, State::kThrottled);
  EXPECT_THAT(status.because, testing::EndsWith("; asked by the other side: 7d, kept to 10m"));
  EXPECT_THAT(Log(), HasSubstr("\"asked_ms\":604800000"));
  Restart();
  Tick(10min + 1s);
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(http.Answer("http://ops", Answered(429, {{"Retry-After", "30"}})));
  ASSERT_TRUE(AwaitRecords(3));
  Settle();
  EXPECT_THAT(StatusOf("ops").because, testing::EndsWith("; asked by the other side: 30s"));
  EXPECT_EQ(journal.inner.StateOf(seq), DeliveryState::kPending);
}

TEST_F(TroublesTest, AWaitThatIsPlainlyInMillisecondsFollowsTheHeaderThatDisagrees) {
  struct Case {
    std::chrono::milliseconds of_sink;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string asked_ms;
  };
  const std::vector<Case> cases = {
      {0ms, {{"Retry-After", "90000"}, {"X-RateLimit-Reset-After", "90"}}, "90000"},
      {0ms, {{"RateLimit-Reset", "65"}, {"Retry-After", "100000"}}, "65000"},
      {0ms, {{"Retry-After", "90000"}}, "90000000"},
      {25h, {{"Retry-After", "90"}}, "90000"},
      {25h, {}, "90000000"},
      {23h, {{"Retry-After", "90"}}, "82800000"},
  };
  Lane("barrier");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    auto sink = std::make_shared<FakeSink>();
    sink->interpret = [asked = cases[i].of_sink](const SinkDelivery&, const HttpResponse&) {
      Outcome outcome;
      outcome.code = "limited";
      if (asked > 0ms) outcome.retry_after = asked;
      return outcome;
    };
    Lane("sink-" + std::to_string(i), sink);
  }
  Start();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string name = "sink-" + std::to_string(i);
    Accept("call", {name});
    ASSERT_TRUE(AwaitSent("http://" + name, 1));
    ASSERT_TRUE(http.Answer("http://" + name, Answered(429, cases[i].headers)));
    Settle();
    ASSERT_TRUE(bell.Await([&] { return StatusOf(name).state == State::kThrottled; }));
    EXPECT_THAT(Log(), HasSubstr("\"sink\":\"" + name + "\",\"code\":\"limited\",\"http_status\":429,\"asked_ms\":" +
                                 cases[i].asked_ms + ","));
  }
}

TEST_F(TroublesTest, KeepingNoBodiesKeepsNone) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  EXPECT_EQ(LastRecordOf(seq).request, "");
  EXPECT_EQ(LastRecordOf(seq).response, "");
}

TEST_F(TroublesTest, ALaterStatusCancelsAnUndeliveredEarlierOneAlsoAfterARestart) {
  Lane("ops"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  how.newest_only = true;
  const DeliverySeq first = Accept("ringing", {"ops"}, 7);
  Settle();
  Restart();
  const DeliverySeq last = Accept("completed", {"ops"}, 7);
  ASSERT_TRUE(AwaitState(first, DeliveryState::kCanceled));
  EXPECT_EQ(LastRecordOf(first).outcome.code, "replaced");
  dispatcher->Resume("ops");
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  EXPECT_THAT(http.Sent(), testing::Contains("http://ops completed"));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  EXPECT_TRUE(AwaitState(last, DeliveryState::kDelivered));
}

TEST_F(TroublesTest, AFinalEventThatNoRuleWantsEndsWhatIsHeldForIt) {
  Lane("ops").settle = 5min;
  Lane("barrier");
  Start();
  how.hold = 5min;
  const DeliverySeq soft = Accept("call-disconnected", {"ops"}, 7);
  const DeliverySeq other = Accept("another call", {"ops"}, 8);
  how.hold = 0ms;
  Settle();
  dispatcher->Accept(nullptr, {}, 7);
  ASSERT_TRUE(AwaitState(soft, DeliveryState::kCanceled));
  EXPECT_EQ(LastRecordOf(soft).outcome.code, "settled");
  EXPECT_EQ(journal.inner.StateOf(other), DeliveryState::kHeld);
}

TEST_F(TroublesTest, ASoftEndWaitsForTheRealOneAlsoAfterARestart) {
  Lane("ops").settle = 5min;
  Lane("barrier");
  Start();
  how.hold = 5min;
  const DeliverySeq soft = Accept("call-disconnected", {"ops"}, 7);
  const DeliverySeq alone = Accept("alone", {"ops"}, 8);
  how.hold = 0ms;
  Settle();
  Restart();
  how.ends_call = true;
  Accept("completed", {"ops"}, 7);
  ASSERT_TRUE(AwaitState(soft, DeliveryState::kCanceled));
  EXPECT_EQ(LastRecordOf(soft).outcome.code, "settled");
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(200)));
  how.ends_call = false;
  Settle();
  EXPECT_EQ(journal.inner.StateOf(alone), DeliveryState::kHeld);
  Tick(5min);
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  EXPECT_EQ(http.Sent().back(), "http://ops alone");
}

TEST_F(TroublesTest, APauseByTheOperatorSurvivesARestart) {
  Lane("ops"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  Accept("call-1", {"ops"});
  Settle();
  Restart();
  Settle();
  EXPECT_EQ(StatusOf("ops").state, State::kPaused);
  EXPECT_EQ(http.CountSent("http://ops"), 0u);
  dispatcher->Resume("ops");
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  Restart();
  EXPECT_EQ(StatusOf("ops").state, State::kOpen);
}

TEST_F(TroublesTest, APausedSinkThatComesBackIntoTheConfigIsStillPaused) {
  Lane("ops"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  const auto kept = lanes.at("ops");
  lanes.erase("ops");
  Use();
  lanes.emplace("ops", kept);
  Use();
  EXPECT_EQ(StatusOf("ops").state, State::kPaused) << "as after a restart";
}

TEST_F(TroublesTest, AThrottleThatTheOperatorLiftedStaysLiftedAfterARestart) {
  Lane("ops"), Lane("barrier");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(429, {{"Retry-After", "3600"}})));
  ASSERT_TRUE(AwaitRecords(1));
  dispatcher->Resume("ops");
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  Restart();
  EXPECT_EQ(StatusOf("ops").state, State::kOpen);
}

TEST_F(TroublesTest, AStatusThatMeansRetryKeepsItsRetryAfter) {
  Lane("ops").config.classify = {{"400", Outcome::Kind::kRetry}};
  Lane("barrier");
  Start();
  Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(400, {{"Retry-After", "60"}})));
  ASSERT_TRUE(AwaitRecords(1));
  EXPECT_EQ(StatusOf("ops").state, State::kThrottled);
}

TEST_F(TroublesTest, ReleasedDeliveriesAreNotStartedUntilTheyAreTakenBack) {
  Lane("ops"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  auto pending = Store("call-1", {"ops"});
  const DeliverySeq seq = pending.front().seq;
  dispatcher->Accept(nullptr, pending);
  Settle();
  EXPECT_THAT(dispatcher->Release({seq, 99}), ElementsAre(seq));
  EXPECT_THAT(dispatcher->Release({seq}), IsEmpty());
  dispatcher->Resume("ops");
  Settle();
  EXPECT_EQ(http.CountSent("http://ops"), 0u);
  dispatcher->Accept(nullptr, pending);
  EXPECT_TRUE(AwaitSent("http://ops", 1));
}

TEST_F(TroublesTest, AReplayIsTriedAtOnceAndItsScheduleBeginsAnew) {
  Lane("ops");
  Start();
  const DeliverySeq seq = Accept("call-1", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  ASSERT_TRUE(http.Answer("http://ops", Answered(400)));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDead));
  auto revived = journal.inner.Revive(std::vector<DeliverySeq>{seq}, clock.Wall());
  ASSERT_TRUE(revived);
  dispatcher->Accept(nullptr, std::move(*revived));
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  ASSERT_TRUE(AwaitRecords(2));
  EXPECT_EQ(LastRecordOf(seq).trigger, Trigger::kManual);
  EXPECT_EQ(LastRecordOf(seq).number, 2u);
  Tick(13s);
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  ASSERT_TRUE(http.Answer("http://ops", Answered(200)));
  ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  EXPECT_EQ(LastRecordOf(seq).trigger, Trigger::kAutomatic);
}

/// Ends "the process" while a delivery is inside the plugin.
struct QuarantineTest : TroublesTest {
  QuarantineTest() {
    marks_path = testing::TempDir() + "hsw_quarantine_" + std::to_string(getpid());
    std::filesystem::remove(marks_path);
    dispatcher = std::make_unique<Dispatcher>(journal, journal.inner, http, clock, metrics, Marks());
  }
  ~QuarantineTest() override {
    dispatcher.reset();
    std::filesystem::remove(marks_path);
  }
  enum class End { kCrash, kKill };
  void EndInside(DeliverySeq seq, End end, PluginCall call = PluginCall::kRender) {
    dispatcher.reset();
    const std::string while_inside = marks_path + "_inside";
    std::filesystem::copy_file(marks_path, while_inside);
    {
      auto marks = CrashMarks::Open(while_inside);
      ASSERT_TRUE(marks);
      const CrashMarks::Inside inside(marks->get(), {.call = call, .delivery = seq});
      if (end == End::kCrash) (*marks)->Blame();
      std::filesystem::copy_file(while_inside, marks_path, std::filesystem::copy_options::overwrite_existing);
    }
    std::filesystem::remove(while_inside);
    dispatcher = std::make_unique<Dispatcher>(journal, journal.inner, http, clock, metrics, Marks());
    Start();
  }
  void CrashInside(DeliverySeq seq) { EndInside(seq, End::kCrash); }
};

TEST_F(QuarantineTest, ADeliveryThatWasInsideTwoCrashesIsDeadAndTheRestRunsOn) {
  Lane("ops"), Lane("barrier");
  Start();
  ASSERT_TRUE(dispatcher->Pause("ops"));
  const DeliverySeq bad = Accept("poison", {"ops"}), good = Accept("good", {"ops"});
  Settle();
  dispatcher->Resume("ops");
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  CrashInside(bad);
  ASSERT_TRUE(AwaitCode(bad, "crashed"));
  EXPECT_EQ(journal.inner.StateOf(bad), DeliveryState::kPending);
  Tick(12s);
  ASSERT_TRUE(bell.Await([&] { return http.CountSent("http://ops") >= 4; }));
  CrashInside(bad);
  ASSERT_TRUE(AwaitState(bad, DeliveryState::kDead));
  EXPECT_EQ(LastRecordOf(bad).outcome.code, "crashed_twice");
  while (http.Answer("http://ops", Answered(200))) continue;
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  EXPECT_TRUE(AwaitState(good, DeliveryState::kDelivered));
}

TEST_F(QuarantineTest, BeingKilledFromOutsideIsNotHeldAgainstADelivery) {
  Lane("ops"), Lane("barrier");
  Start();
  const DeliverySeq slow = Accept("slow", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  for (std::size_t kill = 1; kill <= 3; ++kill) {
    EndInside(slow, End::kKill, PluginCall::kDeliver);
    ASSERT_TRUE(AwaitRecords(kill));
    EXPECT_EQ(LastRecordOf(slow).outcome.code, "killed");
    EXPECT_TRUE(LastRecordOf(slow).outcome.may_have_been_delivered);
    EXPECT_EQ(journal.inner.StateOf(slow), DeliveryState::kPending);
    Tick(80s);
    ASSERT_TRUE(AwaitSent("http://ops", kill + 1));
  }
  http.AnswerAll([](const HttpRequest&) { return Answered(200); });
  while (http.Answer("http://ops", Answered(200))) continue;
  EXPECT_TRUE(AwaitState(slow, DeliveryState::kDelivered));
}

TEST_F(QuarantineTest, ADeliveryInWhichTheProcessIsKilledTimeAndAgainEnds) {
  Lane("ops"), Lane("barrier");
  Start();
  const DeliverySeq bad = Accept("eats all memory", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  for (std::size_t kill = 1; kill <= 10; ++kill) {
    EndInside(bad, End::kKill);
    Tick(80s);
    ASSERT_TRUE(AwaitRecords(kill));
  }
  ASSERT_TRUE(AwaitState(bad, DeliveryState::kDead));
  EXPECT_EQ(LastRecordOf(bad).outcome.code, "killed_ten_times");
}

TEST_F(QuarantineTest, AKillBetweenTwoCrashesDoesNotCount) {
  Lane("ops"), Lane("barrier");
  Start();
  const DeliverySeq bad = Accept("poison", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  std::size_t records = 0;
  for (const auto& [end, code] :
       {std::pair(End::kCrash, "crashed"), {End::kKill, "killed"}, {End::kCrash, "crashed_twice"}}) {
    EndInside(bad, end);
    Tick(80s);
    ASSERT_TRUE(AwaitRecords(++records));
    EXPECT_EQ(LastRecordOf(bad).outcome.code, code);
  }
  EXPECT_TRUE(AwaitState(bad, DeliveryState::kDead));
}

TEST_F(QuarantineTest, AReplayForgivesEarlierCrashes) {
  Lane("ops"), Lane("barrier");
  Start();
  const DeliverySeq bad = Accept("poison", {"ops"});
  ASSERT_TRUE(AwaitSent("http://ops", 1));
  CrashInside(bad);
  ASSERT_TRUE(AwaitCode(bad, "crashed"));
  CrashInside(bad);
  Tick(12s);
  ASSERT_TRUE(AwaitState(bad, DeliveryState::kDead));
  auto revived = journal.inner.Revive(std::vector<DeliverySeq>{bad}, clock.Wall());
  ASSERT_TRUE(revived);
  dispatcher->Accept(nullptr, std::move(*revived));
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  ASSERT_TRUE(http.Answer("http://ops", Answered(503)));
  ASSERT_TRUE(AwaitRecords(3));
  CrashInside(bad);
  Tick(20s);
  EXPECT_TRUE(AwaitCode(bad, "crashed")) << "the first since the replay";
}

TEST(Notice, IsReadAsItWasWritten) {
  const Message notice = BrokenNotice("ops \"x\"", "invalid_auth; make a new key", 7);
  const auto read = ReadNotice(NoticeBody(notice));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->title, notice.title);
  EXPECT_EQ(read->text, notice.text);
  EXPECT_EQ(read->severity, Severity::kError);
  ASSERT_EQ(read->fields.size(), 2u);
  EXPECT_EQ(read->fields[1].name, "Waiting");
  EXPECT_EQ(read->fields[1].value, "7");
  for (const char* bad : {"", "[]", "{", "{\"title\":1}", "{\"title\":\"\"}"}) EXPECT_FALSE(ReadNotice(bad)) << bad;
}

}  // namespace
}  // namespace hookswitch
