#include "core/admin/actions.h"

#include <gtest/gtest.h>

#include "core/admin/answers.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

class ActionsTest : public testing::Test {
 protected:
  std::optional<OperatorAction> Of(std::string_view path, std::string_view body, const Answer& answer,
                                   std::string_view method = "POST") {
    const std::vector<std::pair<std::string, std::string>> headers;
    const ServedRequest request{method, path, {}, body, "192.0.2.7", headers};
    Caller caller;
    caller.who = "ana";
    return ActionOf(request, caller, answer, clock_.Wall());
  }
  /// "pause sinks/ops"
  std::string Kind(std::string_view path) {
    const auto action = Of(path, {}, JsonAnswer(200, json::object{{"ok", true}}));
    return action ? action->action + ' ' + action->target : "none";
  }

  FakeClock clock_;
};

TEST_F(ActionsTest, APathNamesWhatWasDoneToWhat) {
  EXPECT_EQ(Kind("/api/v1/sinks/ops/pause"), "pause sinks/ops");
  EXPECT_EQ(Kind("/api/v1/sinks/ops/test"), "test sinks/ops");
  EXPECT_EQ(Kind("/api/v1/reload"), "reload config");
  EXPECT_EQ(Kind("/api/v1/events/01JD/replay"), "replay events/01JD");
  EXPECT_EQ(Kind("/api/v1/events/01JD/unmask"), "unmask events/01JD");
  EXPECT_EQ(Kind("/api/v1/events/replay"), "replay events");
  EXPECT_EQ(Kind("/api/v1/deliveries/d-7f/replay"), "replay deliveries/d-7f");
  EXPECT_EQ(Kind("/api/v1/deliveries/purge"), "purge deliveries");
}

TEST_F(ActionsTest, ADryRunIsNone) {
  EXPECT_FALSE(Of("/api/v1/deliveries/purge", R"({"all":true,"dry_run":true})",
                  JsonAnswer(200, json::object{{"ok", true}, {"dry_run", true}, {"matched", 3}})));
  EXPECT_TRUE(Of("/api/v1/deliveries/purge", R"({"all":true})",
                 JsonAnswer(200, json::object{{"ok", true}, {"dry_run", false}, {"matched", 3}})));
}

TEST_F(ActionsTest, ARejectedRequestIsNoneAndAFailedOneIs) {
  EXPECT_FALSE(Of("/api/v1/sinks/opps/pause", {}, Refused(404, "not_found", "there is no sink")));
  const auto failed = Of("/api/v1/sinks/ops/pause", {}, Refused(503, "not_stored", "the sink is paused, but …"));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->http_status, 503);
  EXPECT_EQ(ToObject(*failed).at("result").at("error"), "not_stored");
}

TEST_F(ActionsTest, AnActionTellsWhoSentWhatAndWhatCameOfIt) {
  const auto action = Of("/api/v1/deliveries/replay", R"({"sink":"ops","since":"2h"})",
                         JsonAnswer(200, json::parse(R"({"ok":true,"dry_run":false,"matched":3,"changed":2,
                                                         "deliveries":["d-1","d-2"]})")));
  ASSERT_TRUE(action);
  EXPECT_EQ(ToObject(*action), json::parse(R"({"at":"2026-03-04T09:02:03.114Z","who":"ana","peer":"192.0.2.7",
      "action":"replay","target":"deliveries","detail":{"sink":"ops","since":"2h"},"http_status":200,
      "result":{"ok":true,"matched":3,"changed":2,"deliveries":["d-1","d-2"]}})"));
}

TEST_F(ActionsTest, WhatCallersSaidAndLongListsAreNotKept) {
  json::array many;
  for (int i = 0; i < 21; ++i) many.emplace_back("d-" + std::to_string(i));
  const auto replay = Of("/api/v1/deliveries/replay", std::string(5000, ' ') + "{}",
                         JsonAnswer(200, json::object{{"ok", true}, {"deliveries", many}}));
  EXPECT_EQ(replay->detail, R"({"bytes":5002})");
  EXPECT_EQ(replay->result, R"({"ok":true})");
  const auto unmask = Of("/api/v1/events/01JD/unmask", {}, JsonAnswer(200, json::parse(R"({"id":"01JD",
      "raw":"secret","normalized":{"transcript":"secret"},"deliveries":[{"id":"d-1","attempts":[{"request":"secret"}]}]})")));
  EXPECT_EQ(unmask->result, R"({"id":"01JD"})");
}

TEST_F(ActionsTest, ASignalIsOneWithoutARequest) {
  ReloadReport report;
  report.applied = true;
  report.generation = 4;
  const json::object shown = ToObject(ReloadAction(report, "SIGHUP", clock_.Wall()));
  EXPECT_EQ(shown.at("who"), "SIGHUP");
  EXPECT_TRUE(shown.at("peer").is_null());
  EXPECT_TRUE(shown.at("http_status").is_null());
  EXPECT_TRUE(shown.at("detail").is_null());
  EXPECT_EQ(shown.at("action"), "reload");
  EXPECT_EQ(shown.at("result").at("generation"), 4);
}

}  // namespace
}  // namespace hookswitch
