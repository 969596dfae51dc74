// What the inspector asks a running router for: explanations, messages, tests of sinks; and what is withheld from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Inspector : public testing::Test {
 protected:
  Inspector() { config_.Slack("ops", slack_.Url(kOps)).Slack("oncall", slack_.Url(kOncall)); }
  void Start() { router_ = std::make_unique<Router>(config_.Write()); }
  Finished Hookswitch(std::vector<std::string> arguments, bool remote = false) const {
    arguments.insert(arguments.begin(), Program());
    arguments.insert(arguments.end(), {"-c", config_.Path()});
    if (remote) arguments.insert(arguments.end(), {"--url", "http://127.0.0.1:" + std::to_string(router_->Admin())});
    return RunProgram(arguments);
  }
  RawAnswer Post(const std::string& path, const json::object& body = {}) const {
    return fakes::Fetch(router_->Admin(), "POST", path, body.empty() ? "" : ToText(body));
  }
  /// The id of the newest event.
  std::string NewestEvent() const {
    return std::string(json::parse(router_->Get("/api/v1/events").body).at("events").at(0).at("id").as_string());
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
};

TEST_F(Inspector, WhatTheApiExplainsIsWhatRouteAndPreviewPrint) {
  config_.sinks += "  lines: {plugin: file, config: {path: " + (dir_ / "lines") + "}}\n";
  config_.rules =
      "  - {name: confirmed, when: {data.General.Outcome: confirmed}, send: [{sink: ops, template: brief}], stop: "
      "true}\n"
      "  - {name: mornings, when: {during: early}, send: [oncall]}\n"
      "  - {name: the-rest, when: {status: any}, send: [ops, lines]}\n";
  config_.more =
      "schedules: {early: [{days: mon-sun, hours: \"06:00-07:00\"}]}\n"
      "templates: {brief: {title: \"{{agent}}: {{status}}\", text: \"{{summary}}\"}}\n";
  Start();
  ASSERT_TRUE(router_->Ready());
  const std::string payloads = std::string(HSW_SOURCE_DIR) + "/tests/golden/sources/bolna/", file = dir_ / "event.json";
  for (const char* name : {"completed", "completed-legacy", "completed-voicemail", "busy", "balance-low",
                           "call-disconnected", "extraction-three-sources", "batch-summary"}) {
    SCOPED_TRACE(name);
    const std::string body = ReadFile(payloads + name + ".json");
    WriteFile(file, body);
    for (const bool now : {false, true}) {
      std::vector<std::string> options{"--event", file, "--format", "json", "--at", "2026-03-04T06:30:00Z"};
      if (now) options.emplace_back("--now");
      const auto printed = [&](const char* command) {
        std::vector<std::string> arguments{command};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return json::parse(Hookswitch(arguments).out);
      };
      const RawAnswer answer =
          Post("/api/v1/explain",
               {{"source", "bolna"}, {"body", body}, {"at", "2026-03-04T06:30:00Z"}, {"now", now}, {"messages", true}});
      const json::value route = printed("route");
      json::object explained = json::parse(answer.body).as_object();
      if (answer.status != 200) {
        EXPECT_EQ(answer.status, 422);
        for (const char* key : {"ok", "error", "detail"}) EXPECT_EQ(explained.at(key), route.at(key));
        continue;
      }
      for (const char* key : {"event", "rules", "deliveries"}) EXPECT_EQ(explained.at(key), route.at(key)) << key;
      for (auto& message : explained.at("messages").as_array()) message.as_object().erase("plugin");
      EXPECT_EQ(explained.at("messages"), printed("preview"));
    }
  }
}

TEST_F(Inspector, AStoredEventIsExplainedAndItsMessageIsTheRequestThatWasSent) {
  Start();
  ASSERT_TRUE(router_->Ready());
  const std::string call = Call(CallId(1), {{"transcript", "assistant: " + std::string(3000, 'x')}});
  ASSERT_EQ(router_->Post(call).status, 200);
  ASSERT_TRUE(slack_.WaitForPosted(2));
  const RawAnswer answer = Post("/api/v1/explain", {{"event", NewestEvent()}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body).at("event").at("call_id"), json::string_view(CallId(1)));
  for (const std::string_view path : {kOps, kOncall}) {
    const auto posted = slack_.Posted(path);
    ASSERT_EQ(posted.size(), 1u);
    bool found = false;
    for (const char* id : {"d-1", "d-2"}) {
      const json::value shown = json::parse(router_->Get("/api/v1/deliveries/" + std::string(id) + "/message").body);
      found = found || shown.at("message").at("body") == json::string_view(posted[0].body);
      EXPECT_THAT(std::string(shown.at("message").at("url").as_string()), HasSubstr("***"));
    }
    EXPECT_TRUE(found) << "whole, where the attempt keeps 2 KiB";
  }
}

TEST_F(Inspector, ATestReachesASinkThatIsPausedAndIsNoEvent) {
  Start();
  ASSERT_TRUE(router_->Ready());
  ASSERT_EQ(Post("/api/v1/sinks/ops/pause").status, 200);
  const RawAnswer answer = Post("/api/v1/sinks/ops/test");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::value test = json::parse(answer.body);
  EXPECT_EQ(test.at("ok"), true);
  EXPECT_EQ(test.at("http_status"), 200);
  EXPECT_THAT(std::string(test.at("request").as_string()), HasSubstr("Test from hookswitch"));
  EXPECT_THAT(answer.body, Not(HasSubstr(kOps))) << "the webhook's path is its secret";
  ASSERT_EQ(slack_.Posted(kOps).size(), 1u);
  EXPECT_THAT(slack_.Posted(kOps)[0].body, HasSubstr("Test from hookswitch"));
  EXPECT_EQ(json::parse(router_->Get("/api/v1/events").body).at("events"), json::array());
  EXPECT_EQ(json::parse(router_->Get("/api/v1/deliveries").body).at("deliveries"), json::array());
  EXPECT_THAT(router_->Get("/api/v1/sinks").body, HasSubstr("paused by the operator")) << "it stays paused";
  EXPECT_TRUE(router_->WaitForEvent("operator_request"));
}

TEST_F(Inspector, AFailedTestSaysWhyAndWhatToDo) {
  Start();
  ASSERT_TRUE(router_->Ready());
  slack_.Behave(kOps, {.mode = SlackBehaviour::Mode::kStatus, .status = 404, .word = "no_service"});
  const json::value test = json::parse(Post("/api/v1/sinks/ops/test").body);
  EXPECT_EQ(test.at("ok"), false);
  EXPECT_EQ(test.at("outcome"), "misconfigured");
  EXPECT_EQ(test.at("http_status"), 404);
  EXPECT_THAT(std::string(test.at("reason").as_string()), HasSubstr("no_service"));
  EXPECT_FALSE(test.at("action").as_string().empty());
  EXPECT_THAT(router_->Get("/api/v1/sinks").body, HasSubstr("\"sink\":\"ops\",\"state\":\"open\""))
      << "the lane is not judged by it";
}

TEST_F(Inspector, SendTestNeedsNoRouterAndSaysTheSame) {
  config_.Write();
  const Finished sent = Hookswitch({"send-test", "--sink", "ops"});
  EXPECT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_THAT(sent.out, ContainsRegex("^ops: delivered \\(HTTP 200, [0-9]+ ms\\)\n$"));
  ASSERT_EQ(slack_.Posted(kOps).size(), 1u);
  EXPECT_THAT(slack_.Posted(kOps)[0].body, HasSubstr("Test from hookswitch"));

  slack_.GoDown();
  const Finished failed = Hookswitch({"send-test", "--sink", "oncall"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.out, testing::AllOf(HasSubstr("oncall: not delivered: retry ("), HasSubstr("connect_failed"),
                                         HasSubstr("to do      check host and port"), HasSubstr("Test from hookswitch"),
                                         Not(HasSubstr(kOncall))));
  const Finished as_json = Hookswitch({"send-test", "--sink", "oncall", "--format", "json"});
  EXPECT_EQ(as_json.exit_code, 1);
  EXPECT_EQ(json::parse(as_json.out).at("code"), "connect_failed");

  const Finished unknown = Hookswitch({"send-test", "--sink", "opps"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"ops\"?"));
  EXPECT_EQ(Hookswitch({"send-test"}).exit_code, 2);
}

TEST_F(Inspector, AReloadWithholdsBodiesAndUnmaskingIsLogged) {
  Start();
  ASSERT_TRUE(router_->Ready());
  ASSERT_EQ(router_->Post(Call(CallId(1), {{"user_number", "+12025550199"}})).status, 200);
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 2));
  const std::string id = NewestEvent(), secret = "+12025550199";
  const auto shown = [&](std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"events", "show", id};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Hookswitch(arguments, /*remote=*/true);
  };
  EXPECT_THAT(shown().out, HasSubstr(secret));
  config_.more = "inspector: {bodies: masked}\n";
  config_.Write();
  ASSERT_EQ(Hookswitch({"reload"}, true).exit_code, 0);
  EXPECT_EQ(json::parse(router_->Get("/api/v1/status").body).at("bodies"), "masked");
  for (const std::string& path :
       {"/api/v1/events/" + id, std::string("/api/v1/events"), std::string("/api/v1/deliveries"),
        std::string("/api/v1/deliveries/d-1"), std::string("/api/v1/deliveries/d-1/message")}) {
    EXPECT_THAT(router_->Get(path).body, Not(HasSubstr(secret))) << path;
  }
  EXPECT_THAT(shown().out,
              testing::AllOf(HasSubstr("withheld   raw, "), HasSubstr("--unmask"), Not(HasSubstr(secret))));
  const Finished unmasked = shown({"--unmask"});
  EXPECT_EQ(unmasked.exit_code, 0) << unmasked.err;
  EXPECT_THAT(unmasked.out, HasSubstr(secret));
  EXPECT_TRUE(router_->Process().WaitForLine("/unmask", seconds(20))) << "who asked is logged";
  EXPECT_THAT(Post("/api/v1/deliveries/d-1/unmask").body, HasSubstr("\"message\":{"));
  EXPECT_EQ(Post("/api/v1/explain", {{"event", id}}).body.find(secret), std::string::npos);

  config_.more = "inspector: {bodies: off}\n";
  config_.Write();
  ASSERT_EQ(Hookswitch({"reload"}, true).exit_code, 0);
  const Finished refused = shown({"--unmask"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("inspector.bodies: off"));
  EXPECT_EQ(router_->Get("/api/v1/events?q=12025550199").status, 403);
}

}  // namespace
}  // namespace hookswitch::e2e
