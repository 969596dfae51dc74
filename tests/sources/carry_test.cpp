#include "core/sources/carry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hookswitch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CallEvent Ended() {
  CallEvent event;
  event.source = "desk";
  event.call_id = "c-1";
  event.status = CallStatus::kCallDisconnected;
  event.stage = Stage::kEnded;
  event.agent_id = "a-1";
  event.duration = 27.5;
  event.transcript = {{Role::kAgent, "Hello"}, {Role::kUser, "one\ntwo \"three\""}};
  event.hangup_by = "Callee";
  event.hangup_code = 4000;
  event.direction = Direction::kInbound;
  event.voicemail = false;
  event.data = {{"score", DataValue("85", DataValue::Kind::kNumber)}, {"outcome", "early"}};
  event.meta = {{"batch", "b-1"}};
  event.error = "of the ended event";
  return event;
}

CallEvent Final() {
  CallEvent event;
  event.source = "desk";
  event.call_id = "c-1";
  event.status = CallStatus::kCompleted;
  event.stage = Stage::kFinal;
  event.summary = "All is well.";
  event.data = {{"outcome", "confirmed"}};
  return event;
}

TEST(Carry, AFinalEventGetsWhatItLacks) {
  CallEvent filled = Final();
  const std::string carried = CarryInto(filled, SaidSoFar(Ended(), ""));
  CallEvent event = Final();
  EXPECT_THAT(carried, Not(HasSubstr("\n")));
  AddCarried(event, carried);
  EXPECT_EQ(event.status, CallStatus::kCompleted);
  EXPECT_EQ(event.stage, Stage::kFinal);
  EXPECT_EQ(event.summary, "All is well.");
  EXPECT_EQ(event.agent_id, "a-1");
  EXPECT_EQ(event.duration, 27.5);
  EXPECT_EQ(event.transcript, Ended().transcript);
  EXPECT_EQ(event.hangup_by, "Callee");
  EXPECT_EQ(event.hangup_code, 4000);
  EXPECT_EQ(event.direction, Direction::kInbound);
  EXPECT_EQ(event.voicemail, false);
  EXPECT_EQ(event.data.at("outcome").text, "confirmed");
  EXPECT_EQ(event.data.at("score"), DataValue("85", DataValue::Kind::kNumber));
  EXPECT_EQ(event.meta.at("batch"), "b-1");
  EXPECT_EQ(event.error, "");
  EXPECT_EQ(ToJson(event), ToJson(filled)) << "it reads the same later";
}

TEST(Carry, OfSeveralEventsTheLatestCounts) {
  CallEvent first = Ended(), second = Ended();
  first.from = "+12025550188";
  second.duration = 30;
  CallEvent event = Final();
  CarryInto(event, SaidSoFar(second, SaidSoFar(first, "")));
  EXPECT_EQ(event.duration, 30);
  EXPECT_EQ(event.from, "+12025550188");
}

TEST(Carry, AnAgentIsOneOfTheTwo) {
  CallEvent first = Ended();
  first.agent_name = "billing-eu";
  first.agent_tags = {"billing"};
  const std::string said = SaidSoFar(first, "");
  CallEvent event = Final();
  CarryInto(event, said);
  EXPECT_EQ(event.agent_name, "billing-eu");
  EXPECT_EQ(event.agent_tags, first.agent_tags);
  CallEvent transferred = Final();
  transferred.agent_id = "a-2";
  CarryInto(transferred, said);
  EXPECT_EQ(transferred.agent_name, "");
  EXPECT_TRUE(transferred.agent_tags.empty());
}

TEST(Carry, WhatIsSaidIsBounded) {
  CallEvent event = Ended();
  event.transcript = {{Role::kUser, std::string(kMaxCarriedBytes, 'x')}};
  const std::string said = SaidSoFar(event, "");
  EXPECT_LT(said.size(), 2000u);
  EXPECT_THAT(said, HasSubstr("\"duration\""));
  for (int i = 0; i < 100; ++i) event.data["key" + std::to_string(i)] = std::string(4096, 'x');
  EXPECT_EQ(SaidSoFar(event, said), said) << "too much even without the transcript";
}

TEST(Carry, OnlyWhatIsLackingIsStored) {
  const std::string said = SaidSoFar(Ended(), "");
  const auto carried = [](CallEvent event, std::string_view before) { return CarryInto(event, before); };
  EXPECT_EQ(carried(Ended(), said), "");
  EXPECT_EQ(carried(Final(), ""), "");
  EXPECT_THAT(carried(Final(), said), Not(HasSubstr("early")));
  for (const char* never : {"c-1", "desk", "of the ended event", "call-disconnected"}) {
    EXPECT_THAT(said, Not(HasSubstr(never)));
  }
}

TEST(Carry, SaysWhichFieldsWereCarried) {
  CallEvent event = Final();
  FieldPaths paths;
  CallEvent filled = event;
  AddCarried(event, CarryInto(filled, SaidSoFar(Ended(), "")), &paths);
  for (const char* field : {"transcript", "duration", "data.score", "hangup.code"}) {
    EXPECT_EQ(paths.Of(field), "carried") << field;
  }
  for (const char* field : {"summary", "data.outcome", "status"}) EXPECT_EQ(paths.Of(field), "") << field;
}

TEST(Carry, ADamagedTextChangesNothing) {
  for (const char* text : {"", "{", "[]", "{\"duration\": \"long\"}", "{\"unknown\": 1}"}) {
    EXPECT_EQ(SaidSoFar(Final(), text), SaidSoFar(Final(), ""));
    CallEvent event = Final();
    AddCarried(event, text);
    EXPECT_EQ(ToJson(event), ToJson(Final())) << text;
  }
}

}  // namespace
}  // namespace hookswitch
