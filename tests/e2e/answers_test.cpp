#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

/// A router with one Slack sink that takes ended calls.
class Answers : public testing::Test {
 protected:
  void Start() {
    config_.Slack("ops", slack_.Url());
    router_.emplace(config_.Write());
    ASSERT_TRUE(router_->Ready());
  }
  static json::object Json(const RawAnswer& answer) {
    json::error_code error;
    const json::value value = json::parse(answer.body, error);
    EXPECT_TRUE(!error && value.is_object()) << answer.status << " " << answer.error << " " << answer.body;
    return value.is_object() ? value.get_object() : json::object{};
  }
  void ExpectRefused(const RawAnswer& answer, int status, std::string_view error) {
    EXPECT_EQ(answer.status, status) << answer.error << answer.body;
    const json::object object = Json(answer);
    EXPECT_EQ(object.contains("ok") ? object.at("ok") : json::value(), false) << answer.body;
    EXPECT_EQ(object.contains("error") ? object.at("error") : json::value(), json::string_view(error)) << answer.body;
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::optional<Router> router_;
};

TEST_F(Answers, AnAcceptedCallIsAnsweredWithItsIdAndDeliveries) {
  Start();
  const RawAnswer answer = router_->Post(Call(CallId(1)));
  EXPECT_EQ(answer.status, 200);
  const json::object object = Json(answer);
  EXPECT_EQ(object.at("ok"), true);
  EXPECT_EQ(object.at("deliveries"), 1);
  EXPECT_EQ(object.at("id").as_string().size(), 26U);
}

TEST_F(Answers, ARepeatedEventIsADuplicateAndIsNotSentAgain) {
  Start();
  const json::object first = Json(router_->Post(Call(CallId(1))));
  const json::object second = Json(router_->Post(Call(CallId(1))));
  EXPECT_EQ(second.at("duplicate"), true);
  EXPECT_EQ(second.at("id"), first.at("id"));
  Json(router_->Post(Call(CallId(2))));
  ASSERT_TRUE(slack_.WaitForPosted(2));
  EXPECT_EQ(router_->Stop(), 0);
  EXPECT_EQ(slack_.PostedCount(), 2U);
}

TEST_F(Answers, AnEventThatNoRuleWantsIsSkipped) {
  Start();
  const json::object object = Json(router_->Post(Call(CallId(1), {{"status", "ringing"}})));
  EXPECT_EQ(object.at("ok"), true);
  EXPECT_EQ(object.at("skipped"), true);
  EXPECT_EQ(router_->Stop(), 0);
  EXPECT_EQ(slack_.RequestCount(), 0U);
}

TEST_F(Answers, ContentTypeIsNotInsistedOn) {
  Start();
  EXPECT_EQ(router_->Post(Call(CallId(1)), {{"Content-Type", "text/plain"}}).status, 200);
  EXPECT_EQ(router_->Post(Call(CallId(2)), {{"Content-Type", "application/x-www-form-urlencoded"}}).status, 200);
}

TEST_F(Answers, AWrongOrMissingSecretIs401) {
  WriteFile(dir_ / "secret", "s3cret-of-the-sender");
  config_.source =
      "{type: bolna, path: /bolna/webhook, auth: {header: X-Webhook-Secret, secret: {file: " + (dir_ / "secret") +
      "}}}";
  Start();
  ExpectRefused(router_->Post(Call(CallId(1))), 401, "unauthorized");
  ExpectRefused(router_->Post(Call(CallId(1)), {{"X-Webhook-Secret", "guess"}}), 401, "unauthorized");
  EXPECT_EQ(router_->Post(Call(CallId(1)), {{"x-webhook-secret", "s3cret-of-the-sender"}}).status, 200);
}

TEST_F(Answers, AnAddressThatIsNotAllowedIs403) {
  config_.source = "{type: bolna, path: /bolna/webhook, allow_ips: [203.0.113.7]}";
  Start();
  ExpectRefused(router_->Post(Call(CallId(1))), 403, "forbidden");
}

TEST_F(Answers, AnUnknownPathIs404AndAWrongMethodIs405) {
  Start();
  EXPECT_EQ(router_->Post(Call(CallId(1)), {}, "/elsewhere").status, 404);
  const RawAnswer answer = fakes::Fetch(router_->Ingress(), "GET", "/bolna/webhook");
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(answer.Header("Allow"), HasSubstr("POST"));
}

TEST_F(Answers, ARequestWithoutLengthIs411) {
  Start();
  RawClient client(router_->Ingress());
  ASSERT_TRUE(client.Send("POST /bolna/webhook HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 411);
}

TEST_F(Answers, ABodyOverTheLimitIs413BeforeItIsSent) {
  config_.server = "{listen: \"127.0.0.1:0\", max_body: 64KiB}";
  Start();
  RawClient client(router_->Ingress());
  ASSERT_TRUE(client.Send("POST /bolna/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_EQ(router_->Post(Call(CallId(1), {{"summary", std::string(60'000, 'x')}})).status, 200);
}

TEST_F(Answers, WhatIsNotJsonIs400) {
  Start();
  ExpectRefused(router_->Post("{\"id\": "), 400, "invalid_json");
  ExpectRefused(router_->Post("id=1&status=completed"), 400, "invalid_json");
  ExpectRefused(router_->Post(""), 400, "invalid_json");
}

TEST_F(Answers, ABodyCutShortIsNeverAccepted) {
  Start();
  const std::string request = fakes::RequestBytes("POST", "/bolna/webhook", Call(CallId(1)));
  RawClient client(router_->Ingress());
  ASSERT_TRUE(client.Send(request.substr(0, request.size() - 10)));
  client.FinishSending();
  const RawAnswer answer = client.Receive();
  EXPECT_NE(answer.status, 200);
  EXPECT_EQ(router_->Stop(), 0);
  EXPECT_EQ(slack_.RequestCount(), 0U);
}

TEST_F(Answers, JsonThatIsNoCallIs422AndNamesTheField) {
  Start();
  const RawAnswer answer = router_->Post(R"({"status": "completed", "transcript": null})");
  EXPECT_EQ(answer.status, 422);
  const json::object object = Json(answer);
  EXPECT_EQ(object.at("error"), "missing_field");
  EXPECT_THAT(std::string(object.at("detail").as_string()), HasSubstr("id"));
  EXPECT_EQ(router_->Post("[]").status, 422);
}

TEST_F(Answers, OverTheSourcesRateLimitIs429WithRetryAfter) {
  config_.source = "{type: bolna, path: /bolna/webhook, rate_limit: {max: 1, per: 1h, burst: 2}}";
  Start();
  EXPECT_EQ(router_->Post(Call(CallId(1))).status, 200);
  EXPECT_EQ(router_->Post(Call(CallId(2))).status, 200);
  const RawAnswer answer = router_->Post(Call(CallId(3)));
  EXPECT_EQ(answer.status, 429);
  EXPECT_GT(std::atoi(answer.Header("Retry-After").c_str()), 0);
}

}  // namespace
}  // namespace hookswitch::e2e
