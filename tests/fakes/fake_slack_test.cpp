#include "tests/fakes/fake_slack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/raw_client.h"

namespace hookswitch::fakes {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view kHook = "/services/T0/B0/x1";
constexpr std::string_view kHello = R"({"text":"hello"})";

RawAnswer Post(const FakeSlack& slack, std::string_view path = kHook, std::string_view body = kHello) {
  return Fetch(slack.Port(), "POST", path, body, {{"X-Try", "1"}});
}

TEST(FakeSlack, PostsAndRemembersWhatItWasSent) {
  FakeSlack slack;
  const RawAnswer answer = Post(slack);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
  ASSERT_TRUE(slack.WaitForPosted(1));
  const auto posted = slack.Posted();
  EXPECT_EQ(posted[0].path, kHook);
  EXPECT_EQ(posted[0].body, kHello);
  EXPECT_THAT(posted[0].headers, testing::Contains(testing::Pair("X-Try", "1")));
}

TEST(FakeSlack, AnswersAWrongMessageWithSlacksBareWord) {
  FakeSlack slack;
  const RawAnswer answer = Post(slack, kHook, R"({"text":"x","blocks":[{"type":"nope"}]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "invalid_blocks");
  EXPECT_EQ(Post(slack, "/other").status, 404);
  EXPECT_EQ(slack.PostedCount(), 0U);
  EXPECT_THAT(slack.Requests()[0].problem, HasSubstr("blocks[0].type"));
}

TEST(FakeSlack, RateLimitsInJsonAsOftenAsTold) {
  FakeSlack slack;
  slack.Behave({.mode = SlackBehaviour::Mode::kRateLimited, .retry_after = "7", .times = 2});
  const RawAnswer first = Post(slack);
  EXPECT_EQ(first.status, 429);
  EXPECT_EQ(first.Header("Retry-After"), "7");
  EXPECT_THAT(first.body, HasSubstr("rate_limited"));
  EXPECT_EQ(Post(slack).status, 429);
  EXPECT_EQ(Post(slack).status, 200);
}

TEST(FakeSlack, BehavesPerPath) {
  FakeSlack slack;
  slack.Behave(kHook, {.mode = SlackBehaviour::Mode::kStatus, .status = 404, .word = "no_active_hooks"});
  EXPECT_EQ(Post(slack).body, "no_active_hooks");
  EXPECT_EQ(Post(slack, "/services/T0/B0/x2").status, 200);
}

TEST(FakeSlack, LetsThroughAsManyMessagesASecondAsTold) {
  FakeSlack slack;
  slack.Behave({.per_second = 0.001});
  EXPECT_EQ(Post(slack).status, 200);
  EXPECT_EQ(Post(slack).status, 429);
  EXPECT_EQ(Post(slack, "/services/T0/B0/x2").status, 200);
}

TEST(FakeSlack, DropLosesTheMessageAndDropAfterKeepsIt) {
  FakeSlack slack;
  slack.Behave({.mode = SlackBehaviour::Mode::kDrop, .times = 1});
  EXPECT_EQ(Post(slack).error, "reset");
  EXPECT_EQ(slack.PostedCount(), 0U);
  slack.Behave({.mode = SlackBehaviour::Mode::kDropAfter, .times = 1});
  EXPECT_EQ(Post(slack).error, "reset");
  EXPECT_EQ(slack.PostedCount(), 1U);
}

TEST(FakeSlack, AnAnswerWithoutEndGoesOnUntilItsReaderLeaves) {
  FakeSlack slack;
  slack.Behave({.mode = SlackBehaviour::Mode::kEndless, .delay = milliseconds(1), .word = "ok", .times = 1});
  {
    RawClient client(slack.Port(), milliseconds(100));
    ASSERT_TRUE(client.Send(RequestBytes("POST", kHook, kHello)));
    ASSERT_TRUE(slack.WaitForPosted(1));
    EXPECT_FALSE(client.SeesClose()) << "something comes instead";
    EXPECT_TRUE(client.IsOpen());
  }
  EXPECT_EQ(Post(slack).status, 200);
  EXPECT_EQ(slack.PostedCount(), 2U);
}

TEST(FakeSlack, RefusesWhatItIsToldToRefuse) {
  FakeSlack::Options options;
  options.refuses = [](const FakeSlack::Request& request) {
    return request.path.ends_with("x2") ? "invalid_blocks: not this one" : "";
  };
  const auto slack = FakeSlack::Start(std::move(options));
  ASSERT_TRUE(slack);
  EXPECT_EQ(Post(**slack).status, 200);
  const RawAnswer refused = Post(**slack, "/services/T0/B0/x2");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, "invalid_blocks");
  EXPECT_EQ((*slack)->PostedCount(), 1U);
}

TEST(FakeSlack, ASlowAnswerDoesNotHoldOthers) {
  FakeSlack slack;
  slack.Behave(kHook, {.mode = SlackBehaviour::Mode::kSlow, .delay = milliseconds(300)});
  slack.Behave("/services/T0/B0/x3", {.mode = SlackBehaviour::Mode::kHang});
  RawClient slow(slack.Port());
  RawClient hung(slack.Port(), milliseconds(50));
  ASSERT_TRUE(slow.Send(RequestBytes("POST", kHook, kHello)));
  ASSERT_TRUE(hung.Send(RequestBytes("POST", "/services/T0/B0/x3", kHello)));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Post(slack, "/services/T0/B0/x2").status, 200);
  EXPECT_EQ(hung.Receive().error, "timeout");
  EXPECT_EQ(slow.Receive().status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(250));
}

TEST(FakeSlack, RefusesConnectionsWhileDownAndKeepsItsPort) {
  FakeSlack slack;
  RawClient open(slack.Port());
  slack.GoDown();
  EXPECT_TRUE(open.SeesClose());
  EXPECT_EQ(Post(slack).error, "refused");
  slack.ComeBack();
  EXPECT_EQ(Post(slack).status, 200);
}

TEST(FakeSlack, IsControlledOverHttp) {
  FakeSlack slack;
  const auto control = [&](std::string_view body) { return Fetch(slack.Port(), "POST", "/_control", body); };
  EXPECT_EQ(control(R"({"mode":"status","status":503,"word":"later","times":1})").status, 200);
  EXPECT_EQ(Post(slack).body, "later");
  EXPECT_EQ(Post(slack).status, 200);
  EXPECT_EQ(control(R"({"mode":"stats"})").status, 400);
  EXPECT_EQ(control(R"({"mod":"ok"})").status, 400);

  const json::value messages = json::parse(Fetch(slack.Port(), "GET", "/_messages").body);
  ASSERT_EQ(messages.as_array().size(), 1U);
  EXPECT_EQ(messages.at(0).at("body"), json::string_view(kHello));
  EXPECT_EQ(json::parse(Fetch(slack.Port(), "GET", "/_stats").body).at("requests"), 2);
  EXPECT_EQ(Fetch(slack.Port(), "POST", "/_reset").status, 200);
  EXPECT_EQ(json::parse(Fetch(slack.Port(), "GET", "/_messages?all=1").body).as_array().size(), 0U);
}

TEST(FakeSlack, AnswersPipelinedRequestsInOrder) {
  FakeSlack slack;
  RawClient client(slack.Port());
  ASSERT_TRUE(client.Send(RequestBytes("POST", kHook, kHello) + RequestBytes("POST", "/nowhere", kHello)));
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 404);
}

}  // namespace
}  // namespace hookswitch::fakes
