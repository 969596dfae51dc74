#include "core/event/call_event.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/base/time_text.h"
#include "core/event/event_from_json.h"

namespace hookswitch {
namespace {

StatusSet SetOf(std::initializer_list<CallStatus> statuses) {
  StatusSet set = 0;
  for (const CallStatus status : statuses) set |= Bit(status);
  return set;
}

TEST(CallStatus, EveryStatusIsReadBackFromItsName) {
  for (std::size_t i = 0; i < kCallStatusCount; ++i) {
    const auto status = static_cast<CallStatus>(i);
    EXPECT_EQ(ParseStatus(ToString(status)), status) << ToString(status);
  }
}

TEST(CallStatus, NamesAreThoseOfTheContract) {
  std::string names;
  for (std::size_t i = 0; i < kCallStatusCount; ++i) {
    names += ToString(static_cast<CallStatus>(i));
    names += ' ';
  }
  EXPECT_EQ(names,
            "scheduled queued rescheduled initiated ringing in-progress call-disconnected completed balance-low busy "
            "no-answer canceled failed stopped error unknown ");
}

TEST(CallStatus, OnlyExactNamesAreRead) {
  for (const std::string_view name : {"", "Completed", "no_answer", "cancelled", "ended", "completed "}) {
    EXPECT_EQ(ParseStatus(name), std::nullopt) << name;
  }
}

TEST(CallStatus, AStageSaysHowMuchOfTheStoryIsTold) {
  for (std::size_t i = 0; i < kCallStatusCount; ++i) {
    const auto status = static_cast<CallStatus>(i);
    const bool is_final = (TerminalStatuses() & Bit(status)) != 0;
    EXPECT_EQ(ToString(StageOf(status)), is_final                                  ? "final"
                                         : status == CallStatus::kCallDisconnected ? "ended"
                                                                                   : "live");
  }
  EXPECT_EQ(StageOf(CallStatus::kCompleted), Stage::kFinal);
}

TEST(CallStatus, AStageIsReadBackFromItsName) {
  for (const Stage stage : {Stage::kLive, Stage::kEnded, Stage::kFinal}) EXPECT_EQ(ParseStage(ToString(stage)), stage);
  for (const std::string_view name : {"", "Final", "over"}) EXPECT_EQ(ParseStage(name), std::nullopt) << name;
}

TEST(CallStatus, GroupsHoldWhatTheContractSays) {
  using enum CallStatus;
  const StatusSet unsuccessful = SetOf({kBalanceLow, kBusy, kNoAnswer, kCanceled, kFailed, kStopped, kError});
  EXPECT_EQ(ParseStatusGroup("ended"),
            SetOf({kCompleted, kCallDisconnected, kFailed, kNoAnswer, kBusy, kCanceled, kStopped, kError}));
  EXPECT_EQ(ParseStatusGroup("terminal"), unsuccessful | Bit(kCompleted));
  EXPECT_EQ(ParseStatusGroup("unsuccessful"), unsuccessful);
  EXPECT_EQ(EndedStatuses(), ParseStatusGroup("ended"));
  EXPECT_EQ(UnsuccessfulStatuses(), ParseStatusGroup("unsuccessful"));
  EXPECT_EQ(ParseStatusGroup("completed"), std::nullopt);
}

TEST(CallStatus, AnyHoldsUnknownToo) {
  for (std::size_t i = 0; i < kCallStatusCount; ++i) {
    EXPECT_TRUE(*ParseStatusGroup("any") & Bit(static_cast<CallStatus>(i))) << i;
  }
}

TEST(CallStatus, SuggestionsNameEveryStatusAndGroup) {
  EXPECT_EQ(StatusNames().size(), kCallStatusCount + 4);
  for (const std::string& name : StatusNames()) EXPECT_TRUE(ParseStatus(name) || ParseStatusGroup(name)) << name;
}

CallEvent FullEvent() {
  CallEvent event;
  event.id = "01JD0000000000000000000000";
  event.source = "bolna";
  event.source_title = "Bolna";
  event.call_id = "3f0c7c4e";
  event.received_at = *ParseTime("2026-03-04T09:02:03.114Z");
  event.agent_id = "9b1d2a60";
  event.agent_name = "billing-eu";
  event.agent_tags = {"billing"};
  event.status = CallStatus::kCompleted;
  event.raw_status = "completed";
  event.direction = Direction::kOutbound;
  event.from = "+12025550188";
  event.to = "+12025550123";
  event.started_at = *ParseTime("2026-03-04T08:48:27.190Z");
  event.ended_at = *ParseTime("2026-03-04T09:02:02Z");
  event.duration = 27.2;
  event.transcript = {{Role::kAgent, "Hello, this is \"Maya\"."}, {Role::kUser, "yes\nI am"}};
  event.cost = Money{0.0394, "USD"};
  event.hangup_by = "Callee";
  event.hangup_reason = "Call recipient hungup";
  event.hangup_code = 4000;
  event.voicemail = false;
  event.data = {{"General.Outcome", "confirmed"}};
  event.meta = {{"provider", "plivo"}, {"batch_id", "b1"}};
  event.stage = Stage::kFinal;
  return event;
}

TEST(CallEvent, AFullEventIsTheContractsJson) {
  CallEvent event = FullEvent();
  event.sentiment = "positive";
  event.success = true;
  EXPECT_EQ(
      ToJson(event),
      R"({"id":"01JD0000000000000000000000","source":"bolna","call_id":"3f0c7c4e","received_at":"2026-03-04T09:02:03.114Z",)"
      R"("agent":{"id":"9b1d2a60","name":"billing-eu","tags":["billing"]},)"
      R"("status":"completed","raw_status":"completed","direction":"outbound","from":"+12025550188","to":"+12025550123",)"
      R"("started_at":"2026-03-04T08:48:27.190Z","ended_at":"2026-03-04T09:02:02Z","duration":27.2,)"
      R"("transcript":[{"role":"agent","text":"Hello, this is \"Maya\"."},{"role":"user","text":"yes\nI am"}],)"
      R"("summary":null,"cost":{"amount":0.0394,"currency":"USD"},"recording_url":null,)"
      R"("hangup":{"by":"Callee","reason":"Call recipient hungup","code":4000},"voicemail":false,"error":null,)"
      R"("stage":"final","sentiment":"positive","success":true,)"
      R"("data":{"General.Outcome":"confirmed"},"meta":{"batch_id":"b1","provider":"plivo"}})");
}

TEST(CallEvent, AbsentIsNullAndNeverMadeUp) {
  CallEvent event;
  event.source = "bolna";
  EXPECT_EQ(ToJson(event),
            R"({"id":null,"source":"bolna","call_id":null,"received_at":"1970-01-01T00:00:00Z",)"
            R"("agent":{"id":null,"name":null,"tags":[]},"status":"unknown","raw_status":null,"direction":null,)"
            R"("from":null,"to":null,"started_at":null,"ended_at":null,"duration":null,"transcript":null,)"
            R"("summary":null,"cost":null,"recording_url":null,"hangup":null,"voicemail":null,"error":null,)"
            R"("stage":"live","sentiment":null,"success":null,)"
            R"("data":{},"meta":{}})");
}

TEST(CallEvent, AnExtractedValueHasTheTypeThatItHad) {
  using Kind = DataValue::Kind;
  CallEvent event;
  event.data["a"] = {"85", Kind::kNumber};
  event.data["b"] = "85";
  event.data["c"] = {"true", Kind::kBoolean};
  event.data["d"] = {"27.2", Kind::kNumber};
  event.data["e"] = {"18446744073709551615", Kind::kNumber};
  event.data["f"] = {"-9007199254740993", Kind::kNumber};
  event.data["g"] = {"0.00001", Kind::kNumber};
  EXPECT_NE(
      ToJson(event).find(
          R"("data":{"a":85,"b":"85","c":true,"d":27.2,"e":18446744073709551615,"f":-9007199254740993,"g":0.00001})"),
      std::string::npos)
      << ToJson(event);
}

TEST(CallEvent, AValueThatIsNotWhatItSaysIsText) {
  using Kind = DataValue::Kind;
  for (const char* text : {"8/10", "1e999", "nan", "inf", "", "0x10", " 1"}) {
    EXPECT_EQ(ToValue({text, Kind::kNumber}), json::value(text));
    EXPECT_EQ(ToValue({text, Kind::kBoolean}), json::value(text));
  }
}

TEST(ContentSum, IsTheStoredOneForEventsOfEveryVersion) {
  EXPECT_EQ(ContentSum(FullEvent()), 6406988435133664293u);
  EXPECT_EQ(ContentSum(FullEvent(), /*with_ended_at=*/false), 10113270561519913504u);
}

TEST(ContentSum, TheTypeOfAValueSaysNothing) {
  CallEvent event = FullEvent(), other = FullEvent();
  event.data["score"] = "85";
  other.data["score"] = {"85", DataValue::Kind::kNumber};
  EXPECT_EQ(ContentSum(event), ContentSum(other));
}

TEST(ContentSum, WhatOnlySomePlatformsSayCountsWhereTheySayIt) {
  std::set<std::uint64_t> sums{ContentSum(FullEvent())};
  for (const Stage stage : {Stage::kLive, Stage::kEnded}) {
    CallEvent event = FullEvent();
    event.stage = stage;
    EXPECT_TRUE(sums.insert(ContentSum(event)).second) << ToString(stage);
  }
  for (const bool success : {true, false}) {
    CallEvent event = FullEvent();
    event.success = success;
    EXPECT_TRUE(sums.insert(ContentSum(event)).second) << success;
  }
  CallEvent event = FullEvent();
  event.sentiment = "positive";
  EXPECT_TRUE(sums.insert(ContentSum(event)).second);
}

TEST(EventFromJson, ReadsBackWhatIsWritten) {
  CallEvent event = FullEvent();
  event.stage = Stage::kEnded;
  event.sentiment = "negative";
  event.success = false;
  event.data["score"] = {"85", DataValue::Kind::kNumber};
  event.data["vip"] = {"true", DataValue::Kind::kBoolean};
  const auto read = EventFromJson(ToObject(event));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(ToJson(*read), ToJson(event));
}

TEST(EventFromJson, WithoutAStageTheStatusTells) {
  EXPECT_EQ(EventFromJson(json::object{{"status", "completed"}})->stage, Stage::kFinal);
  EXPECT_EQ(EventFromJson(json::object{{"status", "completed"}, {"stage", "ended"}})->stage, Stage::kEnded);
  EXPECT_FALSE(EventFromJson(json::object{{"stage", "over"}}));
}

TEST(CallEvent, HangupShowsWhatIsKnownOfIt) {
  CallEvent event;
  event.hangup_code = 0;
  EXPECT_NE(ToJson(event).find(R"("hangup":{"by":null,"reason":null,"code":0})"), std::string::npos);
}

TEST(CallEvent, DirectionsAndRolesHaveTheContractsNames) {
  EXPECT_EQ(ToString(Direction::kInbound), "inbound");
  EXPECT_EQ(ToString(Direction::kOutbound), "outbound");
  EXPECT_EQ(ToString(Direction::kWeb), "web");
  EXPECT_EQ(ToString(Role::kAgent), "agent");
  EXPECT_EQ(ToString(Role::kUser), "user");
  EXPECT_EQ(ToString(Role::kSystem), "system");
  EXPECT_EQ(ToString(Role::kTool), "tool");
}

TEST(CallEvent, AnAgentIsCalledByNameElseById) {
  CallEvent event;
  EXPECT_EQ(event.AgentLabel(), "");
  event.agent_id = "9b1d2a60";
  EXPECT_EQ(event.AgentLabel(), "9b1d2a60");
  event.agent_name = "billing-eu";
  EXPECT_EQ(event.AgentLabel(), "billing-eu");
}

}  // namespace
}  // namespace hookswitch
