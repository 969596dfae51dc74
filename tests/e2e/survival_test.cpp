// What people see when a sink or a plugin is in trouble, and how one call makes one message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using Mode = SlackBehaviour::Mode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string StateOf(const Router& router, const std::string& sink) {
  const json::value answer = json::parse(router.Get("/api/v1/sinks").body);
  for (const json::value& entry : answer.at("sinks").as_array()) {
    if (entry.at("sink").as_string() == sink) return std::string(entry.at("state").as_string());
  }
  return "";
}

TEST(Survival, ACallMakesOneMessageWhetherItsRealEndComesOrNot) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.rules = "  - {name: ended, send: [ops], settle: 1500ms}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1), {{"status", "call-disconnected"}})).status, 200);
  ASSERT_EQ(router.Post(Call(CallId(2), {{"status", "call-disconnected"}})).status, 200);
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
  EXPECT_THAT(slack.Posted()[0].body, AllOf(HasSubstr(CallId(1)), HasSubstr("call ended: completed")));
  EXPECT_THAT(slack.Posted()[1].body, AllOf(HasSubstr(CallId(2)), HasSubstr("call ended: call-disconnected")));
  const auto line = router.WaitForEvent("delivery_canceled");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("\"code\":\"settled\""));
}

TEST(Survival, AFinalEventTakesThePlaceOfTheEndedOneThatWaitsForItAlsoAfterAReloadAndARestart) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.rules = "  - {name: one, when: {stage: final}, settle: 1h, send: [ops]}\n";
  const auto ended = [](std::size_t call) { return Call(CallId(call), {{"status", "call-disconnected"}}); };
  {
    Router router(config.Write());
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.Post(Call(CallId(1), {{"status", "in-progress"}})).status, 200);
    ASSERT_EQ(router.Post(ended(1)).status, 200);
    ASSERT_EQ(router.Post(ended(2)).status, 200);
    ASSERT_EQ(router.PostAdmin("/api/v1/reload").status, 200);
    ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
    ASSERT_TRUE(router.WaitForEvent("delivery_canceled"));
    ASSERT_TRUE(slack.WaitForPosted(1));
    EXPECT_EQ(router.Stop(), 0);
  }
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  const auto canceled = router.WaitForEvent("delivery_canceled");
  ASSERT_TRUE(canceled);
  EXPECT_THAT(*canceled, HasSubstr("\"code\":\"settled\""));
  ASSERT_TRUE(slack.WaitForPosted(2));
  EXPECT_EQ(router.Stop(), 0);
  ASSERT_EQ(slack.PostedCount(), 2U);
  for (const auto& request : slack.Posted()) EXPECT_THAT(request.body, HasSubstr("call ended: completed"));
}

TEST(Survival, AnEndedCallIsToldOfWhenNoFinalEventHasComeInTime) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.rules = "  - {name: one, when: {stage: final}, settle: 500ms, send: [ops]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1), {{"status", "call-disconnected"}})).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_EQ(router.Stop(), 0);
  ASSERT_EQ(slack.PostedCount(), 1U);
  EXPECT_THAT(slack.Posted()[0].body, HasSubstr("call ended: call-disconnected"));
}

TEST(Survival, ALaterStatusTakesThePlaceOfOneThatSlackDidNotTake) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.rules = "  - {name: steps, when: {status: any}, send: [ops], per_call: latest}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.PostAdmin("/api/v1/sinks/ops/pause").status, 200);
  for (const char* status : {"initiated", "ringing", "in-progress", "completed"}) {
    ASSERT_EQ(router.Post(Call(CallId(1), {{"status", status}})).status, 200);
  }
  ASSERT_TRUE(router.WaitForEvents("delivery_canceled", 3));
  ASSERT_EQ(router.PostAdmin("/api/v1/sinks/ops/resume").status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_EQ(router.Stop(), 0);
  ASSERT_EQ(slack.PostedCount(), 1U);
  EXPECT_THAT(slack.Posted()[0].body, HasSubstr("completed"));
}

TEST(Survival, ASinkThatFailsIsLeftAloneAndProbedUntilItWorks) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url(), {"breaker: {failures: 3, wait: 200ms, max_wait: 400ms}", "concurrency: 1"});
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  slack.Behave({.mode = Mode::kStatus, .status = 500});
  for (std::size_t i = 1; i <= 50; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("lane_failing"));
  EXPECT_THAT(router.Get("/readyz").body, HasSubstr("sink ops"));
  const std::string state = StateOf(router, "ops");
  EXPECT_TRUE(state == "failing" || state == "probing") << state;
  ASSERT_TRUE(slack.WaitForRequests(6)) << "it is probed";
  EXPECT_LT(slack.RequestCount(), 20U) << "and otherwise left alone";
  slack.Reset();
  ASSERT_TRUE(slack.WaitForPosted(50));
  EXPECT_EQ(StateOf(router, "ops"), "open");
}

TEST(Survival, ABrokenWebhookIsToldToAnotherChannelAndItsFallbackTellsWhy) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url(kOps), {"notify_problems_to: oncall"});
  config.Slack("oncall", slack.Url(kOncall));
  config.Slack("archive", slack.Url("/services/T0/B0/x3"), {"fallback: oncall", "classify: {404: rejected}"});
  config.rules = "  - {name: all, send: [ops, archive]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  slack.Behave(kOps, {.mode = Mode::kStatus, .status = 403, .word = "invalid_token"});
  slack.Behave("/services/T0/B0/x3", {.mode = Mode::kStatus, .status = 404, .word = "channel_not_found"});
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
  std::string told;
  for (const auto& request : slack.Posted(kOncall)) told += request.body + "\n";
  EXPECT_THAT(told, HasSubstr(R"(sink \"ops\" is broken)"));
  EXPECT_THAT(told, HasSubstr("Nothing is lost"));
  EXPECT_THAT(told, HasSubstr("Not delivered to archive after 1 attempt"));
  EXPECT_THAT(told, HasSubstr("as the sink's classify says"));
  EXPECT_THAT(told, HasSubstr("call ended: completed"));
  EXPECT_THAT(router.Log(), Not(HasSubstr("delivery_dead"))) << "somebody was told";
}

TEST(Survival, AnEventThatCrashesAPluginTwiceIsDeadAndTheRestRunsOn) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.plugin_paths = PluginFolder() + ", " HSW_UNRULY_FOLDER;
  config.Slack("ops", slack.Url());
  config.sinks += "  unruly:\n    plugin: unruly\n    retry: {schedule: [100ms]}\n";
  config.rules = "  - {name: all, send: [ops, {sink: unruly, template: wish}]}\n";
  config.more = "templates:\n  wish: {title: \"{{summary}}\"}\n";
  const std::string path = config.Write();
  for (int start = 1; start <= 2; ++start) {
    Router router(path);
    ASSERT_TRUE(router.Ready());
    if (start == 1) {
      // Its answer may be lost with the process.
      router.Post(Call(CallId(1), {{"summary", "crash"}}));
    }
    const auto ended = router.Process().WaitForExit(seconds(20));
    ASSERT_TRUE(ended) << "the plugin did not end the process at start " << start;
  }
  Router router(path);
  ASSERT_TRUE(router.Ready());
  const auto line = router.WaitForEvent("delivery_dead");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, AllOf(HasSubstr("\"code\":\"crashed_twice\""), HasSubstr("\"sink\":\"unruly\"")));
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  // The first call's other message may have been sent at each start.
  std::string posted;
  for (std::size_t count = 2; posted.find(CallId(2)) == std::string::npos; ++count) {
    ASSERT_TRUE(slack.WaitForPosted(count));
    for (const auto& request : slack.Posted()) posted += request.body;
  }
}

}  // namespace
}  // namespace hookswitch::e2e
