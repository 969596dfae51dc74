#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using Mode = SlackBehaviour::Mode;
using testing::HasSubstr;

/// Every text in a JSON value, one a line.
void CollectTexts(const json::value& value, std::string& out) {
  if (value.is_string()) out.append(value.get_string()).append("\n");
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) CollectTexts(item, out);
  }
  if (value.is_object()) {
    for (const auto& member : value.get_object()) CollectTexts(member.value(), out);
  }
}

TEST(Delivery, ACompletedCallGivesTheMessageUsersKnow) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1), {{"conversation_duration", 73.2}, {"summary", nullptr}})).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));

  const json::object message = json::parse(slack.Posted()[0].body).as_object();
  EXPECT_FALSE(message.at("text").as_string().empty()) << "notifications show the top-level text";
  const json::array& blocks = message.at("blocks").as_array();
  ASSERT_GE(blocks.size(), 4U);
  EXPECT_EQ(blocks[0].at("type"), "header");
  EXPECT_EQ(blocks[0].at("text").at("text"), "Bolna call ended: completed");

  EXPECT_EQ(blocks[1].at("type"), "section");
  const json::array& fields = blocks[1].at("fields").as_array();
  ASSERT_EQ(fields.size(), 4U);
  const std::pair<std::string, std::string> expected[] = {{"Call ID", CallId(1)},
                                                          {"Agent ID", "9b1d2a60-7c3e-4a0e-8d5b-6f1a2c3d4e5f"},
                                                          {"Duration", "1m 13s"},
                                                          {"Status", "completed"}};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string text(fields[i].at("text").as_string());
    EXPECT_THAT(text, HasSubstr(expected[i].first));
    EXPECT_THAT(text, HasSubstr(expected[i].second));
  }
  EXPECT_EQ(blocks[2].at("type"), "divider");
  std::string texts;
  for (std::size_t i = 3; i < blocks.size(); ++i) CollectTexts(blocks[i], texts);
  EXPECT_THAT(texts, HasSubstr("Hello, this is Maya from Northwind Clinic."));
  EXPECT_THAT(texts, HasSubstr("yes friday is fine"));
}

TEST(Delivery, AnyTranscriptFitsSlack) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  std::string hindi;
  for (int i = 0; i < 9000; ++i) hindi += "\u0928";
  const json::array transcripts = {nullptr,
                                   "",
                                   std::string(2990, 'x'),
                                   std::string(9000, '&'),
                                   std::string(160'000, '<'),
                                   hindi,
                                   "user: ``` <!channel> *bold* \x01 \u202e\n"};
  std::size_t number = 0;
  for (const json::value& transcript : transcripts) {
    EXPECT_EQ(router.Post(Call(CallId(++number), {{"transcript", transcript}})).status, 200);
  }
  EXPECT_TRUE(slack.WaitForRequests(number));
  for (const auto& request : slack.Requests()) {
    EXPECT_EQ(request.problem, "");
    EXPECT_THAT(request.body, testing::Not(HasSubstr("<!channel>")));
  }
}

TEST(Delivery, ALongTranscriptIsCutAndSaysSo) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1), {{"transcript", "user: " + std::string(5000, 'x')}})).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_THAT(slack.Posted()[0].body, HasSubstr("... (truncated)"));
}

TEST(Delivery, A429IsHonouredAndOtherSinksAreNotHeld) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave(kOps, {.mode = Mode::kRateLimited, .retry_after = "2", .times = 1});
  Router router(RouterConfig(dir).Slack("ops", slack.Url(kOps)).Slack("oncall", slack.Url(kOncall)).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForRequests(2));
  ASSERT_TRUE(router.WaitForEvent("lane_throttled")) << "what starts before the answer is read cannot heed it";
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
  EXPECT_EQ(slack.Posted(kOps).size(), 0U) << "the other sink's messages come first";
  ASSERT_TRUE(slack.WaitForPosted(4));
  const auto requests = slack.Requests();
  const auto refused = std::find_if(requests.begin(), requests.end(), [](const auto& r) { return r.answered == 429; });
  ASSERT_NE(refused, requests.end());
  for (const auto& posted : slack.Posted(kOps)) {
    EXPECT_GE(posted.received_mono - refused->received_mono, milliseconds(1990));
  }
}

TEST(Delivery, A500IsTriedAgainUntilItIsDelivered) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave({.mode = Mode::kStatus, .status = 500, .word = "rollup_error", .times = 2});
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  ASSERT_TRUE(router.WaitForEvent("delivery_delivered"));
  EXPECT_EQ(slack.RequestCount(), 3U);
  EXPECT_TRUE(router.WaitForEvents("delivery_retry", 2));
}

TEST(Delivery, AMessageThatCanNeverWorkIsNotRepeated) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave({.mode = Mode::kStatus, .status = 400, .word = "invalid_payload", .times = 1});
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("delivery_dead"));
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_EQ(CallNumberIn(slack.Posted()[0].body), 2U);
}

TEST(Delivery, ABrokenWebhookPausesTheLaneAndLosesNothing) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave({.mode = Mode::kStatus, .status = 404, .word = "no_active_hooks"});
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  for (std::size_t i = 0; i < 5; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("lane_paused"));
  EXPECT_THAT(router.Get("/readyz").body, HasSubstr("ops"));
  EXPECT_EQ(router.Stop(), 0);
  slack.Behave({});
  Router again(config.Write());
  ASSERT_TRUE(slack.WaitForPosted(5));
}

TEST(Delivery, NothingIsLostWhileSlackIsDown) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  slack.GoDown();
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(router.Post(Call(CallId(i))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("delivery_retry"));
  slack.ComeBack();
  ASSERT_TRUE(slack.WaitForPosted(20));
  ASSERT_EQ(router.Stop(), 0);
  EXPECT_EQ(slack.PostedCount(), 20U);
}

TEST(Delivery, ASinkThatGivesUpHandsOverToItsFallback) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave(kOps, {.mode = Mode::kStatus, .status = 500});
  RouterConfig config(dir);
  config.Slack("ops", slack.Url(kOps), {"retry: {schedule: [50ms], give_up_after: 1s}", "fallback: oncall"});
  config.Slack("oncall", slack.Url(kOncall));
  config.rules = "  - {name: all, send: [ops]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_EQ(slack.Posted(kOncall).size(), 1U);
}

TEST(Delivery, EventsOfOneCallArriveInOrder) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.rules = "  - {name: all, when: {status: any}, send: [ops]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  slack.Behave({.mode = Mode::kStatus, .status = 503, .word = "busy", .times = 7});
  const std::vector<std::string> statuses = {"initiated", "ringing", "in-progress", "call-disconnected", "completed"};
  for (const std::string& status : statuses) {
    for (std::size_t call = 0; call < 5; ++call) {
      const json::object changes{{"status", status}, {"transcript", nullptr}, {"summary", nullptr}};
      ASSERT_EQ(router.Post(Call(CallId(call), changes)).status, 200);
    }
  }
  ASSERT_TRUE(slack.WaitForPosted(25));
  std::map<std::size_t, std::vector<std::string>> arrived;
  for (const auto& posted : slack.Posted()) {
    const std::string header(json::parse(posted.body).at("blocks").at(0).at("text").at("text").as_string());
    const auto status =
        std::find_if(statuses.begin(), statuses.end(), [&](const std::string& s) { return header.ends_with(s); });
    ASSERT_NE(status, statuses.end()) << header;
    arrived[CallNumberIn(posted.body).value_or(99)].push_back(*status);
  }
  for (std::size_t call = 0; call < 5; ++call) EXPECT_EQ(arrived[call], statuses) << "call " << call;
}

TEST(Delivery, SigtermFinishesWhatIsInFlightAndExitsWithZero) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  slack.Behave({.mode = Mode::kSlow, .delay = milliseconds(500)});
  {
    Router router(config.Write());
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
    ASSERT_TRUE(slack.WaitForRequests(1));
    EXPECT_EQ(router.Stop(), 0);
  }
  slack.Behave({});
  Router again(config.Write());
  ASSERT_TRUE(again.Ready());
  ASSERT_EQ(again.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
  EXPECT_EQ(again.Stop(), 0);
  EXPECT_EQ(slack.PostedCount(), 2U) << "what was delivered while draining is not sent again";
}

TEST(Delivery, WhatIsTooSlowForTheDrainIsLeftToTheNextStart) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave({.mode = Mode::kHang});
  RouterConfig config(dir);
  config.server = "{listen: \"127.0.0.1:0\", drain_timeout: 1s}";
  config.Slack("ops", slack.Url(), {"concurrency: 1"});
  {
    Router router(config.Write());
    ASSERT_TRUE(router.Ready());
    for (std::size_t i = 0; i < 5; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    ASSERT_TRUE(slack.WaitForRequests(1));
    router.Process().Signal(SIGTERM);
    ASSERT_TRUE(router.WaitForEvent("draining"));
    const RawAnswer late = router.Post(Call(CallId(9)));
    EXPECT_EQ(late.status, 503) << late.error;
    EXPECT_FALSE(late.Header("Retry-After").empty());
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(router.Process().WaitForExit(seconds(20)), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(5));
    EXPECT_TRUE(router.WaitForEvent("stopped"));
  }
  EXPECT_EQ(slack.RequestCount(), 1U) << "nothing new is begun while draining";
  slack.Behave({});
  Router again(config.Path());
  ASSERT_TRUE(slack.WaitForPosted(5));
  EXPECT_EQ(again.Stop(), 0);
  EXPECT_EQ(slack.PostedCount(), 5U);
}

TEST(Delivery, ASecondSignalEndsTheDrainAtOnce) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave({.mode = Mode::kHang});
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForRequests(1));
  router.Process().Signal(SIGTERM);
  ASSERT_TRUE(router.WaitForEvent("draining"));
  router.Process().Signal(SIGTERM);
  EXPECT_TRUE(router.Process().WaitForExit(seconds(5)).has_value());
}

TEST(Delivery, ARestartDeliversTheBacklogOnce) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  slack.GoDown();
  {
    Router router(config.Write());
    ASSERT_TRUE(router.Ready());
    for (std::size_t i = 0; i < 200; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    EXPECT_EQ(router.Stop(), 0);
  }
  slack.ComeBack();
  Router again(config.Write());
  ASSERT_TRUE(slack.WaitForPosted(200));
  EXPECT_EQ(again.Stop(), 0);
  EXPECT_EQ(slack.PostedCount(), 200U);
}

}  // namespace
}  // namespace hookswitch::e2e
