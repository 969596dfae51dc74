#include "core/admin/explain.h"

#include <gtest/gtest.h>

#include "core/base/time_text.h"

namespace hookswitch {
namespace {

/// The explanation of `body` by one rule that sends what comes in office hours to "ops".
std::variant<Explained, Refusal> Explain(std::string_view body, JudgedBy judged_by = JudgedBy::kOwnTime) {
  static const auto routes = [] {
    config::Config config;
    config::Schedule& office = config.schedules.emplace_back();
    office.name = "office";
    office.timezone = "UTC";
    office.windows = {{0x7f, 9 * 60, 18 * 60}};
    config::Condition during;
    during.kind = config::Condition::Kind::kDuring;
    during.patterns.emplace_back().text = "office";
    config::Rule& rule = config.rules.emplace_back();
    rule.name = "in-hours";
    rule.when.children = {during};
    rule.send.emplace_back().sink = "ops";
    config::Problems problems;
    return RouteTable::Compile(config, problems);
  }();
  static const auto source = [] {
    config::Source config;
    config.name = config.type = "bolna";
    auto agents = std::make_shared<AgentMap>();
    (*agents)["a-1"] = {"billing-eu", {"billing"}};
    return MakeSource(config, agents);
  }();
  return ExplainPayload(*source, {body, {}, *ParseTime("2026-03-04T10:00:00Z")}, *routes, judged_by);
}

TEST(Explain, APayloadIsReadAndRouted) {
  const auto result = Explain(R"({"id": "c-1", "agent_id": "a-1", "status": "completed"})");
  const auto* explained = std::get_if<Explained>(&result);
  ASSERT_TRUE(explained);
  const json::object shown = ToObject(*explained);
  EXPECT_EQ(shown.at("event").at("call_id"), "c-1");
  EXPECT_EQ(shown.at("rules").at(0).at("matched"), true);
  EXPECT_EQ(shown.at("deliveries"), json::parse(R"([{"sink": "ops", "rule": "in-hours"}])"));
}

TEST(Explain, SchedulesAreJudgedByTheEventsOwnTimeOrByItsArrival) {
  const char* const at_night =
      R"({"id": "c-1", "status": "completed", "updated_at": "2026-03-04T03:00:00Z", "agent_id": "a-1"})";
  EXPECT_TRUE(std::get<Explained>(Explain(at_night)).explanation.routes.empty());
  EXPECT_EQ(std::get<Explained>(Explain(at_night, JudgedBy::kArrival)).explanation.routes.size(), 1u);
}

TEST(Explain, WhatIsNoEventSaysWhyAndWhere) {
  const auto broken = Explain("{\n  \"id\" 7}");
  const auto* refusal = std::get_if<Refusal>(&broken);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error, "invalid_json");
  EXPECT_EQ(refusal->line, 2u);
  EXPECT_EQ(refusal->column, 8u);
  const auto batch = Explain(R"({"batch_id": "b", "execution_status": {}})");
  ASSERT_TRUE(std::get_if<Refusal>(&batch));
  EXPECT_EQ(std::get<Refusal>(batch).error, "not_a_call");
  EXPECT_EQ(std::get<Refusal>(batch).detail, "bolna batch webhook");
}

TEST(Explain, EachFieldHasItsValueAndWhereItIsFrom) {
  const auto result = Explain(R"({"id": "c-1", "agent_id": "a-1", "status": "completed", "conversation_duration": 27.2,
    "total_cost": 3.94, "extracted_data": {"General": {"Outcome": {"objective": "confirmed"}}}})");
  const auto* explained = std::get_if<Explained>(&result);
  ASSERT_TRUE(explained);
  EXPECT_EQ(json::value(FieldsOf(*explained->event, explained->paths)), json::parse(R"([
    {"field": "source", "value": "bolna", "path": null},
    {"field": "call_id", "value": "c-1", "path": "id"},
    {"field": "received_at", "value": "2026-03-04T10:00:00Z", "path": null},
    {"field": "agent.id", "value": "a-1", "path": "agent_id"},
    {"field": "agent.name", "value": "billing-eu", "path": null},
    {"field": "agent.tags", "value": ["billing"], "path": null},
    {"field": "status", "value": "completed", "path": "status"},
    {"field": "raw_status", "value": "completed", "path": "status"},
    {"field": "duration", "value": 27.2, "path": "conversation_duration"},
    {"field": "cost.amount", "value": 0.0394, "path": "total_cost"},
    {"field": "cost.currency", "value": "USD", "path": null},
    {"field": "stage", "value": "final", "path": "status"},
    {"field": "data.General.Outcome", "value": "confirmed", "path": "extracted_data.General.Outcome.objective"}])"));
}

}  // namespace
}  // namespace hookswitch
