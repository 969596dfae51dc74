#include "core/routing/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/routing/build.h"

namespace hookswitch {
namespace {

using test::Kind;
using test::MakeRule;
using test::Mode;
using test::Number;
using test::Statuses;
using test::Text;
using test::Texts;
using test::Tree;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr StatusSet kCompleted = Bit(CallStatus::kCompleted), kFailed = Bit(CallStatus::kFailed);

config::Config WithRules(std::vector<config::Rule> rules) {
  config::Config config;
  config.rules = std::move(rules);
  return config;
}

std::shared_ptr<const RouteTable> Compiled(const config::Config& config) {
  config::Problems problems;
  auto table = RouteTable::Compile(config, problems);
  EXPECT_TRUE(table) << config::ToJson(problems.All());
  return table;
}

std::string WhyOf(const config::Condition& condition, const CallEvent& event) {
  return Compiled(WithRules({MakeRule("r", {condition}, {"s"})}))->Explain(event).rules.at(0).why;
}

std::vector<std::string> MessagesOf(const config::Config& config) {
  config::Problems problems;
  (void)RouteTable::Compile(config, problems);
  std::vector<std::string> messages;
  for (const auto& p : problems.All()) {
    messages.push_back((p.severity == config::Problem::Severity::kError ? "error: " : "warning: ") + p.message +
                       (p.hint.empty() ? "" : " | " + p.hint));
  }
  return messages;
}

CallEvent Event(CallStatus status) {
  CallEvent event;
  event.status = status;
  event.source = "bolna";
  return event;
}

TEST(Explain, NamesTheFirstConditionThatFailedWithTheEventsValue) {
  CallEvent event = Event(CallStatus::kRinging);
  EXPECT_EQ(WhyOf(Statuses(kCompleted | kFailed), event), "status is \"ringing\", wanted completed or failed");
  EXPECT_EQ(WhyOf(Statuses(EndedStatuses()), event), "status is \"ringing\", wanted one of ended");
  EXPECT_EQ(WhyOf(Texts(Kind::kAgent, {"a", "b*"}), event), "agent is absent");
  EXPECT_EQ(WhyOf(Number(Kind::kMinDuration, 30), event), "duration is absent");
  EXPECT_EQ(WhyOf(Texts(Kind::kTags, {"x"}), event), "tags are absent");
  EXPECT_EQ(WhyOf(Texts(Kind::kHas, {"transcript"}), event), "transcript is absent");
  event.agent_id = "9b1d";
  event.agent_name = "maya";
  event.agent_tags = {"t", "u"};
  event.duration = 12;
  event.cost = Money{0.0394, "USD"};
  event.voicemail = false;
  event.direction = Direction::kWeb;
  event.data["out"] = "x";
  EXPECT_EQ(WhyOf(Texts(Kind::kAgent, {"a", "b*"}), event), "agent is \"maya\" (id \"9b1d\"), wanted a or b*");
  EXPECT_EQ(WhyOf(Texts(Kind::kTags, {"x"}), event), "tags are t, u, wanted x");
  EXPECT_EQ(WhyOf(Number(Kind::kMinDuration, 30), event), "duration 12.0s is under 30s");
  EXPECT_EQ(WhyOf(Number(Kind::kMaxDuration, 10.5), event), "duration 12.0s is over 10s500ms");
  EXPECT_EQ(WhyOf(Number(Kind::kMinCost, 2.5, "USD"), event), "cost 0.0394 USD is under 2.50 USD");
  EXPECT_EQ(WhyOf(Number(Kind::kMinCost, 2.5, "EUR"), event), "cost is in USD, wanted EUR");
  EXPECT_EQ(WhyOf(Text(Kind::kData, Mode::kExact, "y"), event), "data. is absent; there is data.out");
  config::Condition voicemail = test::Cond(Kind::kVoicemail);
  voicemail.flag = true;
  EXPECT_EQ(WhyOf(voicemail, event), "voicemail is no, wanted yes");
  config::Condition direction = test::Cond(Kind::kDirection);
  direction.directions = {Direction::kInbound, Direction::kOutbound};
  EXPECT_EQ(WhyOf(direction, event), "direction is \"web\", wanted inbound or outbound");
  EXPECT_EQ(WhyOf(Tree(Kind::kNot, {Texts(Kind::kTags, {"t"})}), event), "tags are t, u, which `not` rules out");
  EXPECT_EQ(WhyOf(Tree(Kind::kAny, {Texts(Kind::kTags, {"x"}), Statuses(kFailed)}), event),
            "status is \"ringing\", wanted failed; and tags are t, u, wanted x");
}

TEST(Explain, SaysWhatMatched) {
  CallEvent event = Event(CallStatus::kCompleted);
  event.duration = 130.25;
  EXPECT_EQ(WhyOf(Tree(Kind::kAll, {Statuses(kCompleted), Number(Kind::kMinDuration, 120)}), event),
            "status is \"completed\"; duration 130.25s is at least 2m");
  EXPECT_EQ(WhyOf(Tree(Kind::kNot, {Statuses(kFailed)}), event), "status is \"completed\", not failed");
  EXPECT_EQ(Compiled(WithRules({MakeRule("all", {}, {"s"})}))->Explain(event).rules[0].why, "it asks for nothing");
}

TEST(Explain, NeverQuotesNumbersTranscriptsOrSummaries) {
  CallEvent event = Event(CallStatus::kCompleted);
  event.from = "+12025550188";
  event.to = "+12025550123";
  event.summary = "+1202555";
  event.transcript = {{Role::kUser, "my number is +1202555"}};
  std::string all;
  for (const auto kind : {Kind::kFrom, Kind::kTo}) {
    for (const auto* pattern : {"+1202555*", "+4930*"}) all += WhyOf(Texts(kind, {pattern}), event) + "\n";
  }
  for (const auto kind : {Kind::kTranscript, Kind::kSummary}) {
    for (const auto* pattern : {"202", "nothing"}) {
      all += WhyOf(Text(kind, Mode::kContains, pattern), event) + "\n";
      all += WhyOf(Tree(Kind::kNot, {Text(kind, Mode::kContains, pattern)}), event) + "\n";
    }
  }
  EXPECT_EQ(all.find("202555"), std::string::npos) << all;
  EXPECT_THAT(all, HasSubstr("to does not match"));
}

TEST(Explain, ListsMergedSinksAndRulesNotReached) {
  auto stop = MakeRule("two", {}, {"b", "a"});
  stop.stop = true;
  const auto table = Compiled(WithRules({MakeRule("one", {}, {"a"}), stop, MakeRule("three", {}, {"c"})}));
  const Explanation explanation = table->Explain(Event(CallStatus::kCompleted));
  EXPECT_THAT(explanation.rules[1].sinks, ElementsAre("b"));
  EXPECT_THAT(explanation.rules[1].merged, ElementsAre("a"));
  EXPECT_TRUE(explanation.rules[1].stopped);
  EXPECT_EQ(explanation.rules[2].result, RuleVerdict::Result::kNotReached);
  EXPECT_EQ(explanation.rules[2].why, "rule \"two\" ended the walk");
  EXPECT_TRUE(explanation.rules[2].conditions.empty());
}

TEST(Explain, ListsEveryConditionTheFirstThatFailsBeingTheReason) {
  CallEvent event = Event(CallStatus::kRinging);
  event.agent_name = "maya";
  event.duration = 12;
  const auto any = Tree(Kind::kAny, {Texts(Kind::kTags, {"x"}), Number(Kind::kMinDuration, 30)});
  const auto rule = MakeRule(
      "r", {Texts(Kind::kAgent, {"maya"}), any, Statuses(kCompleted), Tree(Kind::kNot, {Texts(Kind::kTags, {"t"})})},
      {"s"});
  const RuleVerdict verdict = Compiled(WithRules({rule}))->Explain(event).rules.at(0);
  std::vector<std::string> lines;
  for (const auto& [text, holds] : verdict.conditions) lines.push_back((holds ? "yes: " : "no: ") + text);
  EXPECT_THAT(lines, ElementsAre("no: status is \"ringing\", wanted completed", "yes: agent is \"maya\"",
                                 "no: duration 12.0s is under 30s; and tags are absent", "yes: tags are absent"));
  EXPECT_EQ(verdict.why, verdict.conditions.front().text);
}

TEST(Explain, AsJsonSaysOfARuleWhereItStandsAndWhatItDid) {
  auto stop = MakeRule("two", {Statuses(kCompleted)}, {"b", "a"});
  stop.stop = true;
  auto one = MakeRule("one", {}, {"a"});
  one.where = {std::make_shared<const config::SourceFile>("rules.d/one.yaml", ""), 12, 5};
  json::object shown;
  AddExplanation(shown, Compiled(WithRules({one, stop}))->Explain(Event(CallStatus::kCompleted)));
  EXPECT_EQ(json::value(shown), json::parse(R"({
    "rules": [
      {"name": "one", "file": "rules.d/one.yaml", "line": 12, "matched": true, "why": "it asks for nothing",
       "conditions": [], "sinks": ["a"], "merged": [], "stopped": false},
      {"name": "two", "file": null, "line": null, "matched": true, "why": "status is \"completed\"",
       "conditions": [{"text": "status is \"completed\"", "holds": true}],
       "sinks": ["b"], "merged": ["a"], "stopped": true}],
    "deliveries": [{"sink": "a", "rule": "one"}, {"sink": "b", "rule": "two"}]})"))
      << ToText(shown, 2);
}

TEST(Explain, TimeIsShownOnTheSchedulesClock) {
  config::Config config = WithRules({MakeRule("r", {Texts(Kind::kDuring, {"office"})}, {"s"})});
  config.schedules.push_back({{}, "office", "Asia/Kolkata", {{0x1F, 9 * 60, 18 * 60}}});
  CallEvent event = Event(CallStatus::kCompleted);
  event.received_at = WallTime(std::chrono::milliseconds(1772612520000));  // 2026-03-04T08:22:00Z
  EXPECT_EQ(Compiled(config)->Explain(event).rules[0].why, "Wed 13:52 (Asia/Kolkata) is within office");
  event.ended_at = event.received_at + std::chrono::hours(6);
  EXPECT_EQ(Compiled(config)->Explain(event).rules[0].why, "Wed 19:52 (Asia/Kolkata) is outside office");
}

TEST(RouteTable, ManyTagsAndTargetsAreAllSeen) {
  std::vector<config::Rule> rules;
  CallEvent event = Event(CallStatus::kCompleted);
  for (int i = 0; i < 200; ++i) {
    event.agent_tags.push_back("t" + std::to_string(i));
    rules.push_back(MakeRule("r" + std::to_string(i), {Texts(Kind::kTags, {"t" + std::to_string(199 - i)})},
                             {"s" + std::to_string(i)}));
  }
  std::vector<Route> routes;
  const auto table = Compiled(WithRules(rules));
  table->Match(event, routes);
  ASSERT_EQ(routes.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(routes[static_cast<std::size_t>(i)].rule, "r" + std::to_string(i));
}

TEST(RouteTable, MatchReplacesWhatTheCallerHad) {
  const auto table = Compiled(WithRules({MakeRule("r", {Statuses(kFailed)}, {"s"})}));
  std::vector<Route> routes = {{"old", "old", ""}};
  table->Match(Event(CallStatus::kCompleted), routes);
  EXPECT_THAT(routes, IsEmpty());
}

TEST(RouteProblems, BadRegexIsAnErrorWithTheEnginesWords) {
  EXPECT_THAT(MessagesOf(WithRules({MakeRule("r", {Text(Kind::kTranscript, Mode::kRegex, "(a")}, {"s"})})),
              ElementsAre(HasSubstr("error: \"(a\" is not a regular expression: missing ): (a")));
}

TEST(RouteProblems, HugeRegexIsRefusedAndNotCompiledForever) {
  EXPECT_THAT(
      MessagesOf(WithRules({MakeRule("r", {Text(Kind::kTranscript, Mode::kRegex, "((a{100}){100}){100}")}, {"s"})})),
      ElementsAre(HasSubstr("is not a regular expression")));
}

TEST(RouteProblems, UnknownScheduleAndFieldHaveSuggestions) {
  config::Config config = WithRules(
      {MakeRule("r", {Texts(Kind::kDuring, {"ofice"}), Texts(Kind::kHas, {"transcrpt", "data.x", "meta.y"})}, {"s"})});
  config.schedules.push_back({{}, "office", "UTC", {{0x1F, 9 * 60, 18 * 60}}});
  EXPECT_THAT(MessagesOf(config),
              UnorderedElementsAre("error: schedule \"ofice\" is not defined | did you mean \"office\"?",
                                   "error: \"transcrpt\" is not a field of an event | did you mean \"transcript\"?"));
}

TEST(RouteProblems, RuleAfterOneThatStopsEverythingIsAWarning) {
  auto stop = MakeRule("all", {}, {"s"});
  stop.stop = true;
  EXPECT_THAT(MessagesOf(WithRules({stop, MakeRule("late", {Statuses(kFailed)}, {"s"})})),
              ElementsAre("warning: rule \"late\" can never run: rule \"all\" matches all that it matches and stops"));
  EXPECT_THAT(MessagesOf(WithRules({MakeRule("early", {}, {"s"}), stop})), IsEmpty());
}

TEST(RouteProblems, NarrowerRuleAfterAWiderOneThatDropsIsAWarning) {
  auto drop = MakeRule("tests", {Texts(Kind::kTags, {"test", "load"}), Statuses(EndedStatuses())}, {});
  drop.drop = true;
  EXPECT_THAT(
      MessagesOf(WithRules({drop, MakeRule("late", {Statuses(kFailed), Texts(Kind::kTags, {"test"})}, {"s"})})),
      ElementsAre("warning: rule \"late\" can never run: rule \"tests\" matches all that it matches and drops it"));
  EXPECT_THAT(MessagesOf(WithRules({drop, MakeRule("wider", {Texts(Kind::kTags, {"test"})}, {"s"})})), IsEmpty());
}

TEST(RouteProblems, StatusesThatExcludeEachOtherAreAWarning) {
  EXPECT_THAT(MessagesOf(WithRules({MakeRule("r", {Statuses(kFailed), Tree(Kind::kNot, {Statuses(kFailed)})}, {"s"})})),
              ElementsAre("warning: rule \"r\" can never run: its statuses or stages exclude each other"));
}

config::Condition Stages(StageSet stages, bool settles = false) {
  config::Condition condition = test::Cond(Kind::kStage);
  condition.stages = stages;
  condition.settles = settles;
  return condition;
}

TEST(RouteProblems, StagesThatExcludeEachOtherAreAWarning) {
  EXPECT_THAT(MessagesOf(WithRules({MakeRule("r", {Stages(Bit(Stage::kFinal)), Stages(Bit(Stage::kLive))}, {"s"})})),
              ElementsAre("warning: rule \"r\" can never run: its statuses or stages exclude each other"));
  EXPECT_THAT(MessagesOf(WithRules({MakeRule("r", {Stages(Bit(Stage::kEnded)), Statuses(kCompleted)}, {"s"})})),
              IsEmpty())
      << "which statuses go with which stage is the platform's";
}

TEST(RouteProblems, ARuleOfFinalEventsHidesLaterOnesButNotWhatWaitsForThem) {
  auto stop = MakeRule("all", {Stages(Bit(Stage::kFinal))}, {"s"});
  stop.stop = true;
  EXPECT_THAT(MessagesOf(WithRules({stop, MakeRule("late", {Stages(Bit(Stage::kFinal)), Statuses(kFailed)}, {"t"})})),
              ElementsAre("warning: rule \"late\" can never run: rule \"all\" matches all that it matches and stops"));
  EXPECT_THAT(MessagesOf(WithRules({stop, MakeRule("late", {Stages(Bit(Stage::kFinal), true)}, {"t"})})), IsEmpty());
}

TEST(RouteTable, WhatHasEndedIsHeldByTheRulesSettle) {
  auto rule = MakeRule("r", {Stages(Bit(Stage::kFinal), true)}, {"s"});
  rule.settle = std::chrono::minutes(15);
  const auto table = Compiled(WithRules({rule, MakeRule("other", {}, {"t"})}));
  CallEvent event = Event(CallStatus::kCompleted);
  std::vector<Route> routes;
  const auto holds = [&](Stage stage) {
    event.stage = stage;
    table->Match(event, routes);
    std::vector<std::chrono::milliseconds> found;
    for (const Route& route : routes) found.push_back(route.hold);
    return found;
  };
  EXPECT_THAT(holds(Stage::kEnded), ElementsAre(std::chrono::minutes(15), std::chrono::milliseconds(0)));
  EXPECT_THAT(holds(Stage::kFinal), ElementsAre(std::chrono::milliseconds(0), std::chrono::milliseconds(0)));
  EXPECT_THAT(holds(Stage::kLive), ElementsAre(std::chrono::milliseconds(0)));
}

TEST(RouteProblems, RuleWhoseSinksAreAlwaysTakenBeforeIsAWarning) {
  const auto wide = MakeRule("wide", {}, {"s", "t"});
  const auto late = MakeRule("late", {Statuses(kFailed)}, {"t", "s"});
  EXPECT_THAT(MessagesOf(WithRules({wide, late})),
              ElementsAre("warning: rule \"late\" never sends anything: whenever it matches, rule \"wide\" has taken "
                          "its sinks before | the first rule that names a sink wins; put the narrower rule first"));
  EXPECT_THAT(MessagesOf(WithRules({late, wide})), IsEmpty());
  EXPECT_THAT(MessagesOf(WithRules({wide, MakeRule("more", {Statuses(kFailed)}, {"s", "u"})})), IsEmpty());
  auto stops = late;
  stops.stop = true;
  EXPECT_THAT(MessagesOf(WithRules({wide, stops})), IsEmpty()) << "it keeps later rules from running";
}

}  // namespace
}  // namespace hookswitch
