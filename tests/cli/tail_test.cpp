// What `tail` shows of the stream's messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/time_text.h"
#include "core/cli/tail_filter.h"
#include "core/cli/tail_text.h"
#include "core/routing/schedule.h"

namespace hookswitch::cli {
namespace {

using testing::HasSubstr;

json::object Parsed(std::string_view text) {
  return json::parse(text).as_object();
}

const json::object kEvent = Parsed(R"({"id": "01E", "received_at": "2026-03-04T09:04:58Z", "source": "bolna",
  "call_id": "c-1", "agent": "billing-eu", "status": "no-answer", "note": null, "deliveries": 2, "duration": 73.2,
  "revised": false, "outcomes": [{"id": "d-1", "sink": "ops", "rule": "failed", "state": "pending"},
                                 {"id": "d-2", "sink": "oncall", "rule": "night", "state": "pending"}]})");
const json::object kDead = Parsed(R"({"id": "d-1", "event": "01E", "call_id": "c-1", "agent": "billing-eu",
  "status": "no-answer", "sink": "ops", "rule": "failed", "state": "dead", "because": null, "attempts": 3,
  "latency_ms": 12, "fallback": null, "code": "http_400", "reason": "invalid_payload"})");
const json::object kRefused = Parsed(R"({"at": "2026-03-04T09:04:59Z", "source": "bolna", "peer": "203.0.113.9",
  "path": "/bolna/webhook", "http_status": 401, "error": "unauthorized", "detail": "the secret is wrong"})");
const json::object kSink = Parsed(R"({"sink": "ops", "state": "failing", "because": "http_503", "pending": 7})");

bool Wants(TailFilter::Given given, std::string_view kind, const json::object& message) {
  const auto filter = TailFilter::Make(std::move(given));
  EXPECT_TRUE(filter) << filter.error().message;
  return filter && filter->Wants(kind, message);
}

TEST(TailFilter, WhatIsGivenMustAllHold) {
  EXPECT_TRUE(Wants({}, "event", kEvent));
  EXPECT_TRUE(Wants({.agent = "billing-*"}, "event", kEvent));
  EXPECT_FALSE(Wants({.agent = "sales"}, "event", kEvent));
  EXPECT_TRUE(Wants({.agent = "3c90-id", .more_agents = {"billing-eu"}}, "event", kEvent));
  EXPECT_TRUE(Wants({.status = "unsuccessful"}, "delivery", kDead));
  EXPECT_TRUE(Wants({.status = "no-answer"}, "delivery", kDead));
  EXPECT_FALSE(Wants({.status = "completed"}, "delivery", kDead));
  EXPECT_TRUE(Wants({.agent = "billing-*", .status = "ended", .call_id = "c-1"}, "event", kEvent));
  EXPECT_FALSE(Wants({.agent = "billing-*", .status = "ended", .call_id = "c-2"}, "event", kEvent));
  EXPECT_TRUE(Wants({.source = "bolna"}, "refused", kRefused));
  EXPECT_FALSE(Wants({.source = "vapi"}, "refused", kRefused));
  EXPECT_TRUE(Wants({.states = {"dead", "held"}}, "delivery", kDead));
  EXPECT_FALSE(Wants({.states = {"held"}}, "delivery", kDead));
}

TEST(TailFilter, AnEventHasTheSinksAndRulesOfItsDeliveries) {
  EXPECT_TRUE(Wants({.sink = "oncall"}, "event", kEvent));
  EXPECT_TRUE(Wants({.sink = "oncall", .rule = "night"}, "event", kEvent));
  EXPECT_FALSE(Wants({.sink = "oncall", .rule = "failed"}, "event", kEvent)) << "of one and the same delivery";
  EXPECT_TRUE(Wants({.sink = "ops"}, "sink", kSink));
  EXPECT_FALSE(Wants({.sink = "oncall"}, "sink", kSink));
  EXPECT_FALSE(Wants({.sink = "oncall"}, "delivery", kDead));
}

TEST(TailFilter, AMessageWithoutWhatIsAskedForIsNotShown) {
  EXPECT_EQ(TailFilter::Make({})->kinds(), "event,delivery,refused,sink,reload");
  EXPECT_EQ(TailFilter::Make({.agent = "a"})->kinds(), "event,delivery");
  EXPECT_EQ(TailFilter::Make({.source = "a"})->kinds(), "event,refused");
  EXPECT_EQ(TailFilter::Make({.kinds = {"sink", "event"}, .sink = "ops"})->kinds(), "sink,event");
  EXPECT_FALSE(Wants({.agent = "*"}, "refused", kRefused));
  EXPECT_TRUE(Wants({.agent = "nobody"}, "gap", {})) << "what was left out may have been wanted";
  const auto none = TailFilter::Make({.kinds = {"sink", "reload"}, .agent = "a"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("--agent"));
  const auto wrong = TailFilter::Make({.status = "complete"});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("did you mean \"completed\"?"));
}

class Lines : public testing::Test {
 protected:
  std::string Line(std::string_view kind, const json::object& message) {
    return text_.Line({80, zone_.get(), *ParseTime("2026-03-04T09:05:00Z")}, kind, message);
  }
  const std::unique_ptr<const routing::Zone> zone_ = routing::Zone::Find("Asia/Kolkata");
  TailText text_{Paint(false)};
};

TEST_F(Lines, EachMessageIsOneLineWithItsTime) {
  EXPECT_EQ(Line("event", kEvent),
            "14:34:58  event      no-answer  1m 13s  billing-eu  bolna  c-1  -> ops, oncall  01E");
  EXPECT_EQ(Line("delivery", kDead),
            "14:35:00  dead       ops  no-answer  billing-eu  12 ms  http_400: invalid_payload  d-1");
  EXPECT_EQ(Line("refused", kRefused),
            "14:34:59  refused    401  unauthorized  bolna  203.0.113.9  /bolna/webhook  the secret is wrong");
  EXPECT_EQ(Line("reload", Parsed(R"({"ok": true, "generation": 3, "problems": []})")),
            "14:35:00  reload     generation 3");
  EXPECT_EQ(Line("reload", Parsed(R"({"ok": false, "generation": 3, "problems": [{}]})")),
            "14:35:00  reload     failed  1 problem");
  EXPECT_EQ(Line("gap", Parsed(R"({"kinds": ["event", "delivery"], "missed": 12})")),
            "14:35:00  gap        12 left out: event, delivery");
}

TEST_F(Lines, ADeliveryThatWasOnlyCreatedIsPartOfItsEvent) {
  json::object delivery = kDead;
  delivery["state"] = "pending";
  delivery["attempts"] = 0;
  EXPECT_EQ(Line("delivery", delivery), "");
  delivery["attempts"] = 1;
  delivery["due"] = "2026-03-04T09:05:10Z";
  EXPECT_EQ(Line("delivery", delivery),
            "14:35:00  retry      ops  no-answer  billing-eu  12 ms  http_400: invalid_payload  next in 10s  d-1");
}

TEST_F(Lines, OfASinkOnlyAChangeOfItsStateIsShown) {
  json::object sink = kSink;
  EXPECT_EQ(Line("sink", sink), "14:35:00  sink       ops  failing  http_503  7 wait");
  sink["pending"] = 8;
  EXPECT_EQ(Line("sink", sink), "");
  sink["state"] = "open";
  sink["because"] = nullptr;
  sink["pending"] = 0;
  EXPECT_EQ(Line("sink", sink), "14:35:00  sink       ops  open");
  sink["sink"] = "oncall";
  EXPECT_EQ(Line("sink", sink), "") << "it was never in trouble";
}

TEST_F(Lines, ColoursStandAroundTextThatCannotSteerATerminal) {
  TailText coloured{Paint(true)};
  json::object event = kEvent;
  event["call_id"] = "c\x1b[2J\n";
  const std::string line = coloured.Line({80, zone_.get(), *ParseTime("2026-03-04T09:05:00Z")}, "event", event);
  EXPECT_THAT(line, HasSubstr("\x1b[1mno-answer\x1b[0m"));
  EXPECT_THAT(line, HasSubstr("c\\x1b[2J\\n"));
}

}  // namespace
}  // namespace hookswitch::cli
