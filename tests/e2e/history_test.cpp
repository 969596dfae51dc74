#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using Mode = SlackBehaviour::Mode;
using testing::HasSubstr;
using testing::Not;

// What Slack says to a message that can never be posted.
const SlackBehaviour kRefuses{.mode = Mode::kStatus, .status = 400, .word = "invalid_payload"};

/// A running router with two Slack sinks, of which `ops` refuses what it gets, and its operator's shell.
class History : public testing::Test {
 protected:
  History() {
    slack_.Behave(kOps, kRefuses);
    config_.Slack("ops", slack_.Url(kOps)).Slack("oncall", slack_.Url(kOncall));
    router_ = std::make_unique<Router>(config_.Write());
  }

  Finished Hookswitch(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), Program());
    arguments.insert(arguments.end(),
                     {"-c", config_.Path(), "--url", "http://127.0.0.1:" + std::to_string(router_->Admin())});
    return RunProgram(arguments);
  }
  /// The result of a command as JSON; it must end with 0.
  json::object Json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Finished finished = Hookswitch(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err << finished.out;
    json::error_code error;
    const json::value value = json::parse(finished.out, error);
    EXPECT_TRUE(!error && value.is_object()) << finished.out;
    return value.is_object() ? value.get_object() : json::object();
  }
  std::vector<std::string> Ids(const std::vector<std::string>& arguments) const {
    const json::object answer = Json(arguments);
    std::vector<std::string> ids;
    for (const auto& item : answer.at(arguments.front()).as_array())
      ids.emplace_back(item.at("id").as_string().c_str());
    return ids;
  }
  /// Posts `count` calls, which oncall gets and ops refuses.
  void PostCalls(std::size_t count) {
    for (std::size_t number = 1; number <= count; ++number) {
      ASSERT_EQ(router_->Post(Call(CallId(number), {{"user_number", "+12025550123"}})).status, 200);
    }
    ASSERT_TRUE(router_->WaitForEvents("delivery_dead", count));
    ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", count));
  }
  bool WaitForOps(std::size_t count) const { return slack_.WaitForPosted(count + slack_.Posted(kOncall).size()); }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
};

TEST_F(History, ADeadLetterIsFoundMendedAndReplayedById) {
  ASSERT_TRUE(router_->Ready());
  PostCalls(1);
  const auto dead = Ids({"deliveries", "--state", "dead"});
  ASSERT_EQ(dead.size(), 1u);
  const Finished list = Hookswitch({"deliveries", "--sink", "ops"});
  EXPECT_THAT(list.out, HasSubstr("DELIVERY"));
  EXPECT_THAT(list.out, HasSubstr("invalid_payload"));

  slack_.Behave(kOps, {});
  const Finished replayed = Hookswitch({"deliveries", "replay", dead[0]});
  EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
  ASSERT_TRUE(WaitForOps(1));
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 2));

  const json::object shown = Json({"deliveries", "show", dead[0]});
  EXPECT_EQ(shown.at("state"), "delivered");
  const json::array& attempts = shown.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].at("outcome"), "rejected");
  EXPECT_EQ(attempts[0].at("http_status"), 400);
  EXPECT_EQ(attempts[0].at("trigger"), "first");
  EXPECT_THAT(attempts[0].at("response").as_string().c_str(), HasSubstr("invalid_payload"));
  EXPECT_EQ(attempts[1].at("outcome"), "delivered");
  EXPECT_EQ(attempts[1].at("trigger"), "manual");
  EXPECT_THAT(attempts[1].at("request").as_string().c_str(), HasSubstr(CallId(1)));
  EXPECT_THAT(ToText(shown), Not(HasSubstr(kOps))) << "the webhook's path is its secret";
  EXPECT_THAT(Hookswitch({"deliveries", "show", dead[0]}).out, HasSubstr("attempt 2"));
}

TEST(HistoryOfAPacedSink, ADeliveryTellsWhatItWaitedForAndHowLongTheAnswerTook) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave(kOps, {.mode = Mode::kSlow, .delay = milliseconds(200)});
  RouterConfig config(dir);
  config.Slack("ops", slack.Url(kOps), {"rate_limit: {max: 1, per: 2s, burst: 1}"});
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(router.WaitForEvents("delivery_delivered", 2));
  const json::value first = json::parse(router.GetWith(R"("state":"delivered")", "/api/v1/deliveries/d-1"));
  const json::value& sent_at_once = first.at("attempts").at(0);
  EXPECT_EQ(sent_at_once.at("waits"), json::array());
  EXPECT_TRUE(sent_at_once.at("connect_ms").is_int64());
  EXPECT_GE(sent_at_once.at("first_byte_ms").as_int64(), 200);
  const json::value second = json::parse(router.GetWith(R"("state":"delivered")", "/api/v1/deliveries/d-2"));
  const json::value& paced = second.at("attempts").at(0);
  ASSERT_EQ(paced.at("waits").as_array().size(), 1u) << ToText(paced);
  EXPECT_EQ(paced.at("waits").at(0).at("for"), "pace");
  const auto waited =
      *ParseTime(paced.at("started_at").as_string().c_str()) - *ParseTime(second.at("accepted_at").as_string().c_str());
  EXPECT_GT(paced.at("waits").at(0).at("ms").as_int64(), 0);
  EXPECT_LE(milliseconds(paced.at("waits").at(0).at("ms").as_int64()), waited);
  const Finished shown = RunProgram({Program(), "deliveries", "show", "d-2", "-c", config.Path(), "--url",
                                     "http://127.0.0.1:" + std::to_string(router.Admin())});
  EXPECT_THAT(shown.out, HasSubstr("  waited: pace "));
  EXPECT_THAT(shown.out, HasSubstr("first byte after "));
}

TEST_F(History, DeadLettersAreReplayedByFilterAfterADryRun) {
  ASSERT_TRUE(router_->Ready());
  PostCalls(5);
  slack_.Behave(kOps, {});
  const json::object dry = Json({"deliveries", "replay", "--sink", "ops", "--since", "1h", "--dry-run"});
  EXPECT_EQ(dry.at("matched"), 5);
  EXPECT_EQ(dry.at("changed"), 0);
  EXPECT_EQ(Ids({"deliveries", "--state", "dead"}).size(), 5u) << "a dry run changes nothing";

  const Finished replayed = Hookswitch({"deliveries", "replay", "--sink", "ops", "--since", "1h"});
  EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
  EXPECT_THAT(replayed.out, HasSubstr("5 of 5 are tried again"));
  EXPECT_TRUE(WaitForOps(5));
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 10));
  EXPECT_EQ(slack_.Posted(kOncall).size(), 5u) << "what was delivered is not sent again";
  EXPECT_EQ(Ids({"deliveries", "--state", "dead"}).size(), 0u);
}

TEST_F(History, PurgedDeadLettersAreGoneForGoodAndTheRestStays) {
  ASSERT_TRUE(router_->Ready());
  PostCalls(3);
  EXPECT_EQ(Json({"deliveries", "purge", "--sink", "oncall"}).at("matched"), 0) << "nothing of it is dead";
  const Finished purged = Hookswitch({"deliveries", "purge", "--sink", "ops"});
  EXPECT_EQ(purged.exit_code, 0) << purged.err;
  EXPECT_THAT(purged.out, HasSubstr("3 of 3 purged"));
  EXPECT_EQ(Ids({"deliveries", "--state", "canceled"}).size(), 3u);
  EXPECT_EQ(Ids({"deliveries", "--state", "delivered"}).size(), 3u);
  EXPECT_THAT(Hookswitch({"deliveries"}).out, HasSubstr("purged by the operator"));
  EXPECT_EQ(Json({"deliveries", "replay", "--sink", "ops"}).at("matched"), 0);
}

TEST_F(History, AnEventIsShownWithItsBodyItsRoutingAndWhatBecameOfIt) {
  ASSERT_TRUE(router_->Ready());
  PostCalls(2);
  const auto events = Ids({"events", "--call-id", CallId(2)});
  ASSERT_EQ(events.size(), 1u);
  const json::object shown = Json({"events", "show", events[0]});
  EXPECT_THAT(shown.at("raw").as_string().c_str(), HasSubstr(CallId(2)));
  EXPECT_EQ(shown.at("normalized").at("status"), "completed");
  EXPECT_EQ(shown.at("routing").at("deliveries").as_array().size(), 2u);
  ASSERT_EQ(shown.at("deliveries").as_array().size(), 2u);
  EXPECT_EQ(shown.at("deliveries").at(0).at("attempts").as_array().size(), 1u);
  const Finished text = Hookswitch({"events", "show", events[0]});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* part : {"raw:", "routing by the rules at its acceptance (config ",
                           ", the current one):", "-> ops (everything)", "attempt 1"}) {
    EXPECT_THAT(text.out, HasSubstr(part));
  }
  EXPECT_THAT(Hookswitch({"events", "--search", CallId(1)}).out, HasSubstr(CallId(1)));
  EXPECT_THAT(Hookswitch({"events", "--search", CallId(1)}).out, Not(HasSubstr(CallId(2))));
}

TEST_F(History, AnEventIsReplayedByTheRulesOfNow) {
  ASSERT_TRUE(router_->Ready());
  PostCalls(1);
  config_.rules = "  - name: only-oncall\n    send: [oncall]\n";
  config_.Write();
  ASSERT_EQ(Hookswitch({"reload"}).exit_code, 0);
  const auto events = Ids({"events"});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(Json({"events", "replay", events[0]}).at("deliveries").as_array().size(), 1u);
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 2));
  EXPECT_EQ(slack_.Posted(kOncall).size(), 2u);
  const json::object shown = Json({"events", "show", events[0]});
  ASSERT_EQ(shown.at("deliveries").as_array().size(), 3u);
  EXPECT_EQ(shown.at("deliveries").at(2).at("rule"), "only-oncall");
  EXPECT_EQ(shown.at("deliveries").at(2).at("is_replay"), true);
  EXPECT_EQ(shown.at("routing").at("deliveries").as_array().size(), 2u) << "by the rules at its acceptance";
  EXPECT_EQ(shown.at("routing_now").at("deliveries"), json::parse(R"([{"sink":"oncall","rule":"only-oncall"}])"));
  const Finished text = Hookswitch({"events", "show", events[0]});
  EXPECT_THAT(text.out, HasSubstr("routing by the current rules (generation 2):"));
  EXPECT_THAT(text.out, HasSubstr("-> ops (everything)"));

  config_.rules = "  - name: nobody\n    when: {agent: somebody-else}\n    send: [oncall, ops]\n";
  config_.Write();
  ASSERT_EQ(Hookswitch({"reload"}).exit_code, 0);
  const Finished refused = Hookswitch({"events", "replay", events[0]});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("no_rule"));
}

TEST_F(History, WhatAPausedSinkHoldsIsShown) {
  ASSERT_TRUE(router_->Ready());
  ASSERT_EQ(Hookswitch({"sinks", "pause", "ops"}).exit_code, 0);
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router_->WaitForEvent("delivery_delivered"));
  const json::object held = Json({"deliveries", "--state", "held"});
  ASSERT_EQ(held.at("deliveries").as_array().size(), 1u);
  EXPECT_EQ(held.at("deliveries").at(0).at("sink"), "ops");
  EXPECT_THAT(held.at("deliveries").at(0).at("because").as_string().c_str(), HasSubstr("paused by the operator"));
}

TEST_F(History, WhatAPausedSinkHoldsCanBePurged) {
  ASSERT_TRUE(router_->Ready());
  slack_.Behave(kOps, {});
  ASSERT_EQ(Hookswitch({"sinks", "pause", "ops"}).exit_code, 0);
  for (std::size_t number = 1; number <= 3; ++number) ASSERT_EQ(router_->Post(Call(CallId(number))).status, 200);
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 3));
  EXPECT_EQ(Json({"deliveries", "purge", "--state", "held", "--sink", "ops"}).at("changed"), 3);
  ASSERT_EQ(Hookswitch({"sinks", "resume", "ops"}).exit_code, 0);
  ASSERT_EQ(router_->Post(Call(CallId(4))).status, 200);
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 5));
  ASSERT_EQ(slack_.Posted(kOps).size(), 1u);
  EXPECT_THAT(slack_.Posted(kOps)[0].body, HasSubstr(CallId(4)));
}

TEST_F(History, WhatCameFromOutsideCannotSteerTheTerminal) {
  ASSERT_TRUE(router_->Ready());
  ASSERT_EQ(router_->Post(Call("a\x1b[2Jb\u009b1m", {{"agent_id", "a\nb"}})).status, 200);
  ASSERT_TRUE(router_->WaitForEvent("delivery_delivered"));
  const auto events = Ids({"events"});
  ASSERT_EQ(events.size(), 1u);
  std::string shown = Hookswitch({"events"}).out + Hookswitch({"deliveries"}).out;
  EXPECT_EQ(std::ranges::count(shown, '\n'), 2 + 3) << "a line each, and two headings: " << shown;
  shown += Hookswitch({"events", "show", events[0]}).out;
  EXPECT_THAT(shown, HasSubstr("\\x9b1m")) << "in the raw body";
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown, Not(HasSubstr("\u009b")));
}

TEST_F(History, AListIsFollowedToItsLimit) {
  ASSERT_TRUE(router_->Ready());
  PostCalls(12);
  EXPECT_EQ(Ids({"events", "--limit", "5"}).size(), 5u);
  EXPECT_EQ(Ids({"events"}).size(), 12u);
  const Finished cut = Hookswitch({"events", "--limit", "5"});
  EXPECT_THAT(cut.err, HasSubstr("there are more"));
  const auto calls = Ids({"deliveries", "--limit", "1000"});
  EXPECT_EQ(calls.size(), 24u);
  EXPECT_EQ(std::set(calls.begin(), calls.end()).size(), 24u);
}

TEST_F(History, WrongUsageIsTwoAndWhatIsNotThereIsOne) {
  ASSERT_TRUE(router_->Ready());
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"events", "--since", "yesterday"},
                                                {"events", "--limit", "0"},
                                                {"events", "show"},
                                                {"deliveries", "--state", "gone"},
                                                {"deliveries", "replay"},
                                                {"deliveries", "purge", "--state", "dead"},
                                                {"deliveries", "replay", "d-1", "--sink", "ops"},
                                                {"deliveries", "--limit", "1", "purge", "--all"},
                                                {"events", "--refused", "show", "01JD"}}) {
    const Finished finished = Hookswitch(wrong);
    EXPECT_EQ(finished.exit_code, 2) << wrong.back() << finished.out;
    EXPECT_NE(finished.err, "");
  }
  for (const std::vector<std::string>& missing : {std::vector<std::string>{"events", "show", "01JD"},
                                                  {"deliveries", "show", "d-999"},
                                                  {"deliveries", "replay", "d-999"}}) {
    const Finished finished = Hookswitch(missing);
    EXPECT_EQ(finished.exit_code, 1) << missing.back();
    EXPECT_THAT(finished.err, HasSubstr("not_found"));
  }
  for (const std::vector<std::string>& unknown : {std::vector<std::string>{"events", "--status", "complete"},
                                                  {"events", "--source", "bolan"},
                                                  {"events", "--refused", "--source", "bolan"},
                                                  {"deliveries", "--sink", "opps"},
                                                  {"deliveries", "--rule", "nobodys"},
                                                  {"deliveries", "replay", "--sink", "opps"},
                                                  {"deliveries", "purge", "--rule", "nobodys"}}) {
    const Finished finished = Hookswitch(unknown);
    EXPECT_EQ(finished.exit_code, 1) << unknown.back();
    EXPECT_THAT(finished.err, HasSubstr("\"" + unknown.back() + "\"")) << "with what there is instead";
    std::vector<std::string> as_json = unknown;
    as_json.insert(as_json.end(), {"--format", "json"});
    EXPECT_EQ(Hookswitch(as_json).exit_code, 1) << unknown.back();
  }
  EXPECT_EQ(Hookswitch({"events", "--agent", "nobody"}).exit_code, 0) << "nothing to show is no problem";
}

}  // namespace
}  // namespace hookswitch::e2e
