#include "core/delivery/test_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "tests/delivery/delivery_fakes.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct TestMessageTest : testing::Test {
  TestMessageTest() {
    lane.config.name = "ops";
    http.AnswerAll([this](const HttpRequest&) { return response; });
  }
  void Use(std::shared_ptr<FakeSink> used) { lane.sink = sink = std::move(used); }
  TestResult Send() { return SendTestMessage(lane, http, clock, nullptr); }
  static HttpResult Failed(std::string error) {
    HttpResult result;
    result.error = std::move(error);
    return result;
  }

  FakeClock clock;
  Bell bell;
  FakeHttp http{bell};
  HttpResult response = Answered(200);
  std::shared_ptr<FakeSink> sink = std::make_shared<FakeSink>();
  DeliveryPlan::Lane lane{.config = {}, .sink = sink};
};

TEST_F(TestMessageTest, IsRenderedSentAndRead) {
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "http://ops/hunter2";
    request.body = delivery.message.title;
    return request;
  };
  response.response->body = "ok hunter2";
  const TestResult result = Send();
  EXPECT_EQ(result.outcome.kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(result.outcome.http_status, 200);
  EXPECT_EQ(result.outcome.action, "");
  EXPECT_THAT(http.Sent(), testing::ElementsAre("http://ops/hunter2 Test from hookswitch"));
  EXPECT_EQ(result.request, "POST http://ops/***\n\nTest from hookswitch");
  EXPECT_EQ(result.response, "HTTP 200\n\nok ***");
}

TEST_F(TestMessageTest, SaysThatItIsOneWhateverASinkReads) {
  std::string title, text, event, raw, rule, id;
  sink->render = [&](const SinkDelivery& delivery) {
    title = delivery.message.title;
    text = delivery.message.text;
    event = ToJson(delivery.event);
    raw = delivery.raw_body().value();
    rule = delivery.rule;
    id = delivery.id;
    return HttpRequest{};
  };
  Send();
  EXPECT_EQ(title, "Test from hookswitch");
  EXPECT_THAT(text, HasSubstr("There was no call"));
  const json::value read = json::parse(event);
  EXPECT_EQ(read.at("source"), "hookswitch");
  EXPECT_EQ(read.at("meta").at("test"), "true");
  EXPECT_EQ(read.at("call_id"), "hookswitch-test");
  EXPECT_EQ(json::parse(raw), read) << "for sinks that pass on what the platform posted";
  EXPECT_EQ(rule, "test");
  EXPECT_EQ(id, "test");
}

TEST_F(TestMessageTest, GoesThroughEveryStep) {
  int answers = 0;
  http.AnswerAll([&](const HttpRequest&) { return Answered(++answers < 3 ? 202 : 200); });
  EXPECT_EQ(Send().outcome.kind, Outcome::Kind::kDelivered);
  EXPECT_THAT(http.Sent(),
              testing::ElementsAre("http://ops hookswitch-test", "http://ops hookswitch-test step 1 left-by-0",
                                   "http://ops hookswitch-test step 2 left-by-1"));
}

TEST_F(TestMessageTest, WaitsForNoPaceAndNoOrder) {
  sink->render = [](const SinkDelivery&) {
    HttpRequest request;
    request.pace = Pace{"C1", 1, 1h, 1};
    request.order = "incident";
    return request;
  };
  EXPECT_EQ(Send().outcome.kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(Send().outcome.kind, Outcome::Kind::kDelivered);
}

TEST_F(TestMessageTest, AFailureSaysWhatToDo) {
  response = Answered(401);
  EXPECT_EQ(Send().outcome.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(Send().outcome.action, "make a new key") << "what the plugin says";
  EXPECT_THAT(Send().outcome.reason, HasSubstr("with ***"));
  response = Answered(503);
  EXPECT_THAT(Send().outcome.action, HasSubstr("trouble of its own"));
  const std::pair<const char*, const char*> transports[] = {{"dns_failed", "look names up"},
                                                            {"connect_failed", "host and port"},
                                                            {"timeout", "raise the sink's timeout"},
                                                            {"bad_url", "correct the URL"}};
  for (const auto& [error, advice] : transports) {
    response = Failed(error);
    const TestResult result = Send();
    EXPECT_EQ(result.outcome.code, error);
    EXPECT_NE(result.outcome.reason, "");
    EXPECT_THAT(result.outcome.action, HasSubstr(advice)) << error;
    EXPECT_EQ(result.response, "");
  }
}

TEST_F(TestMessageTest, TheSinksClassifyCounts) {
  lane.config.classify["400"] = Outcome::Kind::kDelivered;
  response = Answered(400);
  EXPECT_EQ(Send().outcome.kind, Outcome::Kind::kDelivered);
}

TEST_F(TestMessageTest, ASinkThatTakesOnlyCallsThatWentWrongGetsOneOfThose) {
  std::vector<std::string> statuses;
  const auto wants = [&](CallStatus wanted) {
    statuses.clear();
    sink->render = [&statuses, wanted](const SinkDelivery& delivery) -> std::variant<HttpRequest, Outcome> {
      statuses.emplace_back(ToString(delivery.event.status));
      if (delivery.event.status == wanted) return HttpRequest{};
      Outcome outcome;
      outcome.kind = Outcome::Kind::kRejected;
      outcome.code = "not_wanted";
      return outcome;
    };
    return Send().outcome;
  };
  EXPECT_EQ(wants(CallStatus::kCompleted).kind, Outcome::Kind::kDelivered);
  EXPECT_THAT(statuses, testing::ElementsAre("completed")) << "nobody is told of a failure where that is not needed";
  EXPECT_EQ(wants(CallStatus::kFailed).kind, Outcome::Kind::kDelivered);
  EXPECT_THAT(statuses, testing::ElementsAre("completed", "failed"));
  EXPECT_EQ(wants(CallStatus::kBusy).code, "not_wanted");
}

TEST_F(TestMessageTest, WhatWasSentAndRejectedIsNotSentAgain) {
  response = Answered(400);
  EXPECT_EQ(Send().outcome.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(http.CountSent("http://ops"), 1u);
}

TEST_F(TestMessageTest, ACallSinkDelivers) {
  Use(std::make_shared<FakeSink>(Sink::Kind::kCall));
  lane.config.timeout = 3s;
  std::chrono::milliseconds given{};
  sink->deliver = [&](const SinkDelivery& delivery, std::chrono::milliseconds timeout, const auto&) {
    given = timeout;
    clock.Advance(84ms);
    Outcome outcome;
    outcome.kind = Outcome::Kind::kRejected;
    outcome.reason = delivery.message.title + " hunter2";
    return outcome;
  };
  const TestResult result = Send();
  EXPECT_EQ(given, 3s);
  EXPECT_EQ(result.latency, 84ms);
  EXPECT_EQ(result.outcome.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(result.outcome.reason, "Test from hookswitch ***");
  EXPECT_EQ(result.outcome.http_status, 0);
}

TEST_F(TestMessageTest, APluginThatHangsIsGivenUp) {
  std::promise<void> ended;
  const auto hangs = std::make_shared<std::promise<void>>();
  sink->render = [this, hangs, end = ended.get_future().share()](const SinkDelivery& delivery) {
    delivery.call->Enter(7);
    clock.Advance(6s);
    hangs->set_value();
    // From here on it uses nothing of the test, which may be over.
    end.wait();
    return HttpRequest{};
  };
  const TestResult result = Send();
  EXPECT_EQ(result.outcome.code, "plugin_hung");
  EXPECT_EQ(sink->given_up, std::vector<std::uint64_t>{7}) << "the sink goes on with another instance";
  EXPECT_THAT(result.outcome.action, HasSubstr("the plugin is at fault"));
  EXPECT_THAT(http.Sent(), testing::IsEmpty());
  hangs->get_future().wait();
  ended.set_value();
}

TEST_F(TestMessageTest, ARequestThatIsNeverReportedEndsWithItsDeadline) {
  struct Silent final : HttpClient {
    explicit Silent(FakeClock& the_clock) : clock(the_clock) {}
    void Send(HttpRequest, std::chrono::milliseconds timeout, Done) override { clock.Advance(timeout + 6s); }
    std::uint64_t Passes() override { return 0; }
    FakeClock& clock;
  } silent(clock);
  const TestResult result = SendTestMessage(lane, silent, clock, nullptr);
  EXPECT_EQ(result.outcome.code, "timeout");
  EXPECT_TRUE(result.outcome.may_have_been_delivered);
}

}  // namespace
}  // namespace hookswitch
