#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/base/time_text.h"
#include "core/sources/source.h"

namespace hookswitch {
namespace {

std::shared_ptr<const Source> Bolna() {
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  return MakeSource(config, nullptr);
}

std::variant<Normalized, Refusal> Read(std::string_view body) {
  return Bolna()->Normalize({body, {}, WallTime{}});
}

CallEvent Event(std::string_view body) {
  auto result = Read(body);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    ADD_FAILURE() << refusal->error << " " << refusal->detail;
    return {};
  }
  return std::get<CallEvent>(std::get<Normalized>(result).what);
}

std::string Key(std::string_view body) {
  return std::get<Normalized>(Read(body)).dedup_key;
}

TEST(Sources, UnknownTypeMakesNoSource) {
  config::Source config;
  config.type = "belna";
  EXPECT_EQ(MakeSource(config, nullptr), nullptr);
}

TEST(Sources, EveryListedTypeCanBeMade) {
  for (const std::string_view type : SourceTypes()) {
    config::Source config;
    config.type = type;
    EXPECT_NE(MakeSource(config, nullptr), nullptr) << type;
  }
}

TEST(Bolna, WhatIsNotJsonHasAPlace) {
  const auto result = Read("{\"id\": \"caf\u00e9\",\n  \"\u00e9\" 7}");
  const auto* refusal = std::get_if<Refusal>(&result);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->line, 2u);
  EXPECT_EQ(refusal->column, 7u);
  EXPECT_TRUE(refusal->detail.starts_with("line 2, column 7: ")) << refusal->detail;
  const auto missing = Read("{}");
  ASSERT_FALSE(std::get_if<Refusal>(&missing));
  const auto no_status = Read(R"({"id": "c-1", "agent_id": "a"})");
  EXPECT_EQ(std::get<Refusal>(no_status).line, 0u) << "a field that is missing is nowhere";
}

TEST(Bolna, ReadsEverySpellingOfEveryStatus) {
  const std::pair<std::string_view, CallStatus> spellings[] = {{"prepared", CallStatus::kScheduled},
                                                               {"scheduled", CallStatus::kScheduled},
                                                               {"queued", CallStatus::kQueued},
                                                               {"rescheduled", CallStatus::kRescheduled},
                                                               {"initiated", CallStatus::kInitiated},
                                                               {"ringing", CallStatus::kRinging},
                                                               {"in-progress", CallStatus::kInProgress},
                                                               {"in_progress", CallStatus::kInProgress},
                                                               {"call-disconnected", CallStatus::kCallDisconnected},
                                                               {"call_disconnected", CallStatus::kCallDisconnected},
                                                               {"completed", CallStatus::kCompleted},
                                                               {"Completed", CallStatus::kCompleted},
                                                               {"balance-low", CallStatus::kBalanceLow},
                                                               {"balance_low", CallStatus::kBalanceLow},
                                                               {"busy", CallStatus::kBusy},
                                                               {"BUSY", CallStatus::kBusy},
                                                               {"no-answer", CallStatus::kNoAnswer},
                                                               {"no_answer", CallStatus::kNoAnswer},
                                                               {"canceled", CallStatus::kCanceled},
                                                               {"cancelled", CallStatus::kCanceled},
                                                               {"failed", CallStatus::kFailed},
                                                               {"stopped", CallStatus::kStopped},
                                                               {"error", CallStatus::kError},
                                                               {"on-hold", CallStatus::kUnknown},
                                                               {"unknown", CallStatus::kUnknown}};
  for (const auto& [word, status] : spellings) {
    const CallEvent event = Event(R"({"id":"c1","status":")" + std::string(word) + "\"}");
    EXPECT_EQ(event.status, status) << word;
    EXPECT_EQ(event.raw_status, word);
  }
}

TEST(Bolna, SpellingsOfOneStatusAreOneHappening) {
  EXPECT_EQ(Key(R"({"id":"c1","status":"no_answer"})"), "bolna:c1:no-answer:0");
  EXPECT_EQ(Key(R"({"id":"c1","status":"No-Answer"})"), "bolna:c1:no-answer:0");
}

TEST(Bolna, UnknownStatusesStayApart) {
  EXPECT_EQ(Key(R"({"id":"c1","status":"On Hold"})"), "bolna:c1:on hold:0");
  EXPECT_NE(Key(R"({"id":"c1","status":"held"})"), Key(R"({"id":"c1","status":"parked"})"));
}

TEST(Bolna, ARetryOfTheCallIsANewHappening) {
  EXPECT_EQ(Key(R"({"id":"c1","status":"no-answer","retry_count":2})"), "bolna:c1:no-answer:2");
  EXPECT_EQ(Key(R"({"id":"c1","status":"no-answer","retry_count":"2"})"), "bolna:c1:no-answer:2");
  EXPECT_EQ(Key(R"({"id":"c1","status":"no-answer","retry_count":null})"), "bolna:c1:no-answer:0");
}

TEST(Bolna, APreCallWebhookIsNotARepeatOfInProgress) {
  const auto plain = Key(R"({"id":"c1","status":"in-progress"})");
  const auto billing = Key(R"({"id":"c1","status":"in-progress","transfer_reason":"billing","n":1})");
  EXPECT_EQ(plain, "bolna:c1:in-progress:0");
  EXPECT_NE(billing, plain);
  EXPECT_NE(billing, Key(R"({"id":"c1","status":"in-progress","transfer_reason":"sales","n":1})"));
  EXPECT_EQ(billing, Key(R"({"n":1,"id":"c1","transfer_reason":"billing","status":"in-progress"})"));
}

TEST(Bolna, UnknownKeysDoNotSplitOtherStatuses) {
  EXPECT_EQ(Key(R"({"id":"c1","status":"completed","brand_new_field":7})"), "bolna:c1:completed:0");
}

TEST(Bolna, WholeNumberIdsAreExact) {
  EXPECT_EQ(Event(R"({"id":7432382142914,"status":"busy"})").call_id, "7432382142914");
  EXPECT_EQ(Event(R"({"id":18446744073709551615,"status":"busy"})").call_id, "18446744073709551615");
  EXPECT_EQ(Event(R"({"id":1e15,"status":"busy"})").call_id, "1000000000000000");
}

TEST(Bolna, AnIdThatCannotBeReadExactlyIsRefused) {
  for (const std::string_view id :
       {"1.5", "1e300", "184467440737095516150", "12345678901234567890123", "true", "{}", "[1]"}) {
    const auto result = Read(R"({"id":)" + std::string(id) + R"(,"status":"busy"})");
    ASSERT_TRUE(std::holds_alternative<Refusal>(result)) << id;
    EXPECT_EQ(std::get<Refusal>(result).error, "wrong_type") << id;
    EXPECT_EQ(std::get<Refusal>(result).http_status, 422) << id;
    EXPECT_TRUE(std::get<Refusal>(result).detail.starts_with("id: ")) << id;
  }
}

TEST(Bolna, DurationTakesTheFirstFieldThatIsPositive) {
  const std::pair<std::string_view, std::optional<double>> cases[] = {
      {R"("conversation_duration":27.2,"telephony_data":{"duration":"28"})", 27.2},
      {R"("conversation_duration":0,"telephony_data":{"duration":"28"})", 28},
      {R"("conversation_duration":null,"conversation_time":31)", 31},
      {R"("conversation_time":"27.2")", 27.2},
      {R"("telephony_data":{"duration":42})", 42},
      {R"("telephony_data":{"duration":"0.0"})", 0},
      {R"("conversation_duration":0)", 0},
      {R"("telephony_data":null)", {}},
      {R"("conversation_duration":"","telephony_data":{"duration":""})", {}},
      {R"("conversation_duration":"NaN")", {}},
      {R"("conversation_duration":"inf")", {}},
      {R"("conversation_duration":-3)", {}},
      {R"("conversation_duration":1e300)", {}},
      {R"("conversation_duration":"1m 13s","conversation_time":73)", 73},
      {R"("conversation_duration":{"s":4})", {}}};
  for (const auto& [fields, seconds] : cases) {
    const auto event = Event(R"({"id":"c1","status":"completed",)" + std::string(fields) + "}");
    EXPECT_EQ(event.duration, seconds) << fields;
  }
}

TEST(Bolna, CentsBecomeWholeUnitsWithoutDust) {
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  config.currency = "INR";
  const auto result =
      MakeSource(config, nullptr)->Normalize({R"({"id":"c1","status":"busy","total_cost":1.1})", {}, {}});
  const auto& cost = std::get<CallEvent>(std::get<Normalized>(result).what).cost;
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->amount, 0.011);
  EXPECT_EQ(cost->currency, "INR");
}

TEST(Bolna, TitleIsTheConfigsElseThePlatforms) {
  EXPECT_EQ(Event(R"({"id":"c1","status":"busy"})").source_title, "Bolna");
  config::Source config;
  config.name = "calls-in";
  config.type = "bolna";
  config.title = "Front desk";
  const auto result = MakeSource(config, nullptr)->Normalize({R"({"id":"c1","status":"busy"})", {}, {}});
  const auto& event = std::get<CallEvent>(std::get<Normalized>(result).what);
  EXPECT_EQ(event.source_title, "Front desk");
  EXPECT_EQ(event.source, "calls-in");
}

TEST(Bolna, ThreadsDoNotDisturbEachOther) {
  const auto source = Bolna();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string id = "c" + std::to_string(t);
      const std::string body = R"({"id":")" + id + R"(","status":"busy","transcript":"user: )" +
                               std::string(static_cast<std::size_t>(t) * 40'000 + 1, 'x') + "\"}";
      for (int i = 0; i < 50; ++i) {
        const auto result = source->Normalize({body, {}, {}});
        const auto* normalized = std::get_if<Normalized>(&result);
        if (!normalized || std::get<CallEvent>(normalized->what).call_id != id) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Bolna, HugeBodiesAreReadWhole) {
  std::string words(900'000, 'a');
  const auto event = Event(R"({"id":"c1","status":"completed","transcript":"assistant: )" + words + "\"}");
  ASSERT_EQ(event.transcript.size(), 1u);
  EXPECT_EQ(event.transcript[0].text, words);
}

TEST(Bolna, TextsAreBoundedAndCutBetweenCharacters) {
  std::string reason = "x";
  for (int i = 0; i < 5000; ++i) reason += "\xC3\xA9";
  const auto event = Event(R"({"id":"c1","status":"failed","error_message":")" + reason + "\"}");
  EXPECT_LE(event.error.size(), 4096u);
  EXPECT_TRUE(event.error.ends_with("\xC3\xA9\xE2\x80\xA6"));
}

TEST(Bolna, DataAndMetaAreBounded) {
  std::string members;
  for (int i = 0; i < 1000; ++i) members += ",\"k" + std::to_string(i) + "\":1";
  const auto event = Event(R"({"id":"c1","status":"busy")" + members + R"(,"extracted_data":{"z":1)" + members + "}}");
  EXPECT_EQ(event.data.size(), 256u);
  EXPECT_EQ(event.meta.size(), 256u);
}

TEST(Bolna, MetaKeepsKnownKeysWhenUnknownOnesFlood) {
  std::string members;
  for (int i = 0; i < 1000; ++i) members += "\"a" + std::to_string(i) + "\":1,";
  const auto event = Event("{" + members + R"("id":"c1","status":"busy","batch_id":"b7","agent_id":"a"})");
  EXPECT_EQ(event.meta.at("batch_id"), "b7");
}

}  // namespace
}  // namespace hookswitch
