#include "core/admin/withheld.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hookswitch {
namespace {

using testing::UnorderedElementsAre;

json::object Masked(std::string_view answer, bool withhold = true) {
  json::object object = json::parse(answer).as_object();
  AddMasked(object, withhold);
  return object;
}

std::vector<std::string> Names(const json::object& answer) {
  std::vector<std::string> names;
  for (const auto& name : answer.at("masked").as_array()) names.emplace_back(name.as_string());
  return names;
}

constexpr char kEvent[] = R"({
  "id": "01JD", "call_id": "c-1", "agent": "billing-eu", "raw": "{secret}",
  "headers": [{"name": "x-id", "value": "7"}],
  "revisions": [{"number": 0, "raw": "{secret}"}, {"number": 1, "raw": null, "raw_base64": "secret"}],
  "normalized": {"id": "01JD", "status": "completed", "from": "+1secret", "to": "+2secret", "duration": 27.2,
    "transcript": [{"role": "user", "text": "secret"}], "summary": "secret", "recording_url": "https://secret",
    "hangup": {"by": "Callee"}, "data": {"General.Outcome": "secret"}, "meta": {"recipient_data.name": "secret"}},
  "fields": [{"field": "status", "value": "completed", "path": "status"},
    {"field": "to", "value": "+2secret", "path": "user_number"},
    {"field": "data.General.Outcome", "value": "secret", "path": "extracted_data.General.Outcome"}],
  "routing": {"rules": [
    {"name": "a", "why": "status is \"completed\"; data.General.Outcome is \"secret\"",
     "conditions": [{"text": "data.General.Outcome is \"secret\"", "holds": true},
                    {"text": "status is \"completed\"", "holds": true}]},
    {"name": "b", "why": "data.Other is absent; there is data.General.Outcome"},
    {"name": "c", "why": "hangup_by is \"Callee\", wanted Agent"}]},
  "routing_now": {"rules": [{"name": "a", "why": "data.General.Outcome is \"secret\""}]},
  "deliveries": [{"id": "d-1", "event": "01JD", "sink": "ops", "attempts": [
    {"number": 1, "request": "POST secret", "response": "secret", "reason": "no such channel"}]}]})";

TEST(Withheld, TheContentOfAnEventIsNullAndNamed) {
  const json::object shown = Masked(kEvent);
  EXPECT_EQ(json::serialize(shown).find("secret"), std::string::npos) << shown;
  EXPECT_THAT(
      Names(shown),
      UnorderedElementsAre("raw", "revisions.raw", "revisions.raw_base64", "normalized.from", "normalized.to",
                           "normalized.transcript", "normalized.summary", "normalized.recording_url", "normalized.data",
                           "normalized.meta", "fields.value", "routing.rules.why", "routing.rules.conditions.text",
                           "routing_now.rules.why", "deliveries.attempts.request", "deliveries.attempts.response"));
}

TEST(Withheld, WhatIsNotContentStays) {
  const json::object before = json::parse(kEvent).as_object(), shown = Masked(kEvent);
  EXPECT_EQ(shown.at("headers"), before.at("headers"));
  EXPECT_EQ(shown.at("normalized").at("duration"), 27.2);
  EXPECT_EQ(shown.at("normalized").at("hangup"), before.at("normalized").at("hangup"));
  EXPECT_EQ(shown.at("fields").at(0), before.at("fields").at(0));
  EXPECT_EQ(shown.at("fields").at(1).at("path"), "user_number");
  const auto& rules = shown.at("routing").at("rules");
  EXPECT_EQ(rules.at(0).at("conditions").at(1).at("text"), "status is \"completed\"");
  EXPECT_EQ(rules.at(1).at("why"), "data.Other is absent; there is data.General.Outcome");
  EXPECT_EQ(rules.at(2).at("why"), before.at("routing").at("rules").at(2).at("why"));
  EXPECT_EQ(shown.at("deliveries").at(0).at("event"), "01JD");
  EXPECT_EQ(shown.at("deliveries").at(0).at("attempts").at(0).at("reason"), "no such channel");
}

TEST(Withheld, WhatIsNotThereIsNotNamed) {
  EXPECT_THAT(Names(Masked(R"({"raw": null, "normalized": {"from": null, "data": {}}, "attempts": []})")),
              testing::IsEmpty());
  EXPECT_THAT(Names(Masked(R"({"normalized": null, "routing": null, "fields": null})")), testing::IsEmpty());
}

TEST(Withheld, NothingIsWithheldOfWhatIsShownWhole) {
  json::object whole = json::parse(kEvent).as_object();
  const json::object shown = Masked(kEvent, false);
  whole["masked"] = json::array();
  EXPECT_EQ(shown, whole);
}

TEST(Withheld, MessagesAndADeliverysAttemptsAreContent) {
  EXPECT_THAT(
      Names(Masked(R"({"id": "d-1", "message": {"url": "u"}, "attempts": [{"request": "r", "response": null}]})")),
      UnorderedElementsAre("message", "attempts.request"));
  const json::object explained =
      Masked(R"({"event": {"to": "+1"}, "rules": [{"why": "data.x is \"y\""}], "messages": [{"body": "b"}]})");
  EXPECT_THAT(Names(explained), UnorderedElementsAre("event.to", "rules.why", "messages"));
}

TEST(Withheld, MaskIsTrueOrFalse) {
  EXPECT_EQ(*ParseMask(""), false);
  EXPECT_EQ(*ParseMask("mask=true"), true);
  EXPECT_EQ(*ParseMask("mask=false"), false);
  for (const char* wrong : {"mask", "mask=1", "mask=", "limit=1", "mask=true&limit=1", "m%zz=1"}) {
    EXPECT_FALSE(ParseMask(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace hookswitch
