#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>

#include "core/routing/route_table.h"
#include "tests/routing/build.h"

// Thousands of random rules and events, judged by a second evaluator that knows nothing of indexes, order or laziness.
namespace hookswitch {
namespace {

using config::Condition;
using test::Kind;
using test::Mode;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  int Below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  template <class T>
  T Pick(std::initializer_list<T> of) {
    return *(of.begin() + Below(static_cast<int>(of.size())));
  }

 private:
  std::mt19937 engine_;
};

// Few words, so that rules and events often meet.
std::string Word(Dice& dice) {
  return dice.Pick<const char*>({"a", "b", "ab", "abc", "ba", "cab"});
}

config::Pattern RandomPattern(Dice& dice, bool text) {
  const int kind = dice.Below(8);
  if (text)
    return kind < 4 ? test::Pat(Word(dice), Mode::kContains)
                    : test::Pat(dice.Pick<const char*>({"^a", "b$", "a.c", "^b\na", "(?s)b.a", "x"}), Mode::kRegex);
  if (kind < 5) return test::Pat(Word(dice));
  if (kind < 7) return test::Pat(dice.Pick<const char*>({"a*", "ab*", "*b", "?b", "*", "a?c"}), Mode::kGlob);
  return test::Pat(dice.Pick<const char*>({"^a", "b$"}), Mode::kRegex);
}

Condition RandomCondition(Dice& dice, int depth) {
  Condition c;
  const int kinds = static_cast<int>(Kind::kHas) + 1;
  do {
    c.kind = static_cast<Kind>(dice.Below(kinds));
  } while (depth == 0 && (c.kind == Kind::kAll || c.kind == Kind::kAny || c.kind == Kind::kNot));
  const int count = 1 + dice.Below(3);
  switch (c.kind) {
    case Kind::kAll:
    case Kind::kAny:
      for (int i = 0; i < count; ++i) c.children.push_back(RandomCondition(dice, depth - 1));
      break;
    case Kind::kNot: c.children.push_back(RandomCondition(dice, depth - 1)); break;
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
      for (int i = 0; i < count; ++i) c.patterns.push_back(RandomPattern(dice, false));
      break;
    case Kind::kSentiment:
      for (int i = 0; i < count; ++i) {
        c.patterns.push_back(RandomPattern(dice, false));
        c.patterns.back().ignore_case = c.patterns.back().mode != Mode::kRegex && dice.OneIn(2);
      }
      break;
    case Kind::kTranscript:
    case Kind::kSummary:
      for (int i = 0; i < count; ++i) c.patterns.push_back(RandomPattern(dice, true));
      break;
    case Kind::kData:
      c.path = dice.Pick<const char*>({"x", "x.y"});
      for (int i = 0; i < count; ++i) c.patterns.push_back(RandomPattern(dice, false));
      break;
    case Kind::kDataRange:
      c.path = dice.Pick<const char*>({"x", "n"});
      if (dice.OneIn(2)) c.least = dice.Below(5);
      if (!c.least || dice.OneIn(2)) c.most = dice.Below(5);
      break;
    case Kind::kStage:
      c.stages = static_cast<StageSet>(dice.Below(1 << kStageCount));
      c.settles = (c.stages & Bit(Stage::kFinal)) != 0 && dice.OneIn(2);
      break;
    case Kind::kStatus: c.statuses = static_cast<StatusSet>(dice.Below(1 << kCallStatusCount)); break;
    case Kind::kDirection:
      for (int i = 0; i < count; ++i) c.directions.push_back(static_cast<Direction>(dice.Below(3)));
      break;
    case Kind::kMinDuration:
    case Kind::kMaxDuration: c.number = dice.Below(5); break;
    case Kind::kMinCost:
    case Kind::kMaxCost:
      c.number = dice.Below(5);
      c.currency = dice.Pick<const char*>({"USD", "EUR"});
      break;
    case Kind::kVoicemail:
    case Kind::kSuccess: c.flag = dice.OneIn(2); break;
    case Kind::kDuring: c.patterns.push_back(test::Pat(dice.Pick<const char*>({"morning", "night"}))); break;
    case Kind::kHas:
      for (int i = 0; i < count; ++i) {
        c.patterns.push_back(
            test::Pat(dice.Pick<const char*>({"agent", "duration", "transcript", "data.x", "meta.m", "tags"})));
      }
      break;
  }
  return c;
}

CallEvent RandomEvent(Dice& dice) {
  CallEvent e;
  const auto maybe = [&](std::string& to) {
    if (!dice.OneIn(3)) to = Word(dice);
  };
  e.status = static_cast<CallStatus>(dice.Below(kCallStatusCount));
  e.stage = static_cast<Stage>(dice.Below(kStageCount));
  maybe(e.sentiment);
  if (dice.OneIn(4)) std::ranges::transform(e.sentiment, e.sentiment.begin(), [](char c) { return c - 'a' + 'A'; });
  if (dice.OneIn(2)) e.success = dice.OneIn(2);
  if (dice.OneIn(2))
    e.data["n"] = {dice.Pick<const char*>({"0", "2", "3.5", "4", "8/10", "-1"}), DataValue::Kind::kText};
  e.source = Word(dice);
  maybe(e.agent_id);
  maybe(e.agent_name);
  while (dice.OneIn(2)) e.agent_tags.push_back(Word(dice));
  maybe(e.from);
  maybe(e.to);
  maybe(e.hangup_by);
  maybe(e.hangup_reason);
  maybe(e.summary);
  if (dice.OneIn(2)) e.direction = static_cast<Direction>(dice.Below(3));
  if (dice.OneIn(2)) e.duration = dice.Below(5);
  if (dice.OneIn(2)) e.cost = Money{static_cast<double>(dice.Below(5)), dice.Pick<const char*>({"USD", "EUR"})};
  if (dice.OneIn(2)) e.voicemail = dice.OneIn(2);
  while (dice.OneIn(2)) e.transcript.push_back({Role::kUser, Word(dice)});
  if (dice.OneIn(2)) maybe(e.data["x"].text);
  if (dice.OneIn(2)) e.data["x.y"] = Word(dice);
  if (dice.OneIn(2)) e.meta["m"] = Word(dice);
  e.received_at = WallTime(std::chrono::minutes(dice.Below(7 * 24 * 60)));
  if (dice.OneIn(2)) e.started_at = e.received_at - std::chrono::hours(5);
  if (dice.OneIn(2)) e.ended_at = e.received_at - std::chrono::hours(2);
  return e;
}

bool NaiveGlob(const char* glob, const char* text) {
  if (*glob == 0) return *text == 0;
  if (*glob == '*') return NaiveGlob(glob + 1, text) || (*text && NaiveGlob(glob, text + 1));
  return *text && (*glob == '?' || *glob == *text) && NaiveGlob(glob + 1, text + 1);
}

bool NaiveText(const Condition& c, const std::string& value) {
  return std::any_of(c.patterns.begin(), c.patterns.end(), [&](const config::Pattern& p) {
    std::string text = value;
    if (p.ignore_case) std::ranges::transform(text, text.begin(), [](char a) { return a < 'a' ? a - 'A' + 'a' : a; });
    switch (p.mode) {
      case Mode::kExact: return p.text == text;
      case Mode::kGlob: return NaiveGlob(p.text.c_str(), text.c_str());
      case Mode::kContains: return text.find(p.text) != std::string::npos;
      // The patterns above are few: told apart by hand, as no second engine agrees with RE2 on ^ and $ in text of
      // lines.
      case Mode::kRegex:
        if (p.text == "^a") return text.starts_with("a");
        if (p.text == "b$") return text.ends_with("b");
        if (p.text == "^b\na") return text.starts_with("b\na");
        if (p.text == "(?s)b.a") {
          for (std::size_t i = 0; i + 2 < text.size(); ++i) {
            if (text[i] == 'b' && text[i + 2] == 'a') return true;
          }
          return false;
        }
        if (p.text == "x") return text.find('x') != std::string::npos;
        for (std::size_t i = 0; i + 2 < text.size(); ++i) {
          if (text[i] == 'a' && text[i + 1] != '\n' && text[i + 2] == 'c') return true;
        }
        return false;
    }
    return false;
  });
}

bool NaiveHas(const CallEvent& e, const std::string& field) {
  if (field == "agent") return !e.agent_id.empty() || !e.agent_name.empty();
  if (field == "duration") return e.duration.has_value();
  if (field == "transcript") return !e.transcript.empty();
  if (field == "data.x") return e.data.contains("x");
  if (field == "meta.m") return e.meta.contains("m");
  return !e.agent_tags.empty();
}

bool Naive(const Condition& c, const CallEvent& e) {
  const auto text = [&](const std::string& value) { return !value.empty() && NaiveText(c, value); };
  switch (c.kind) {
    case Kind::kAll: {
      bool all = true;
      for (const auto& child : c.children) all &= Naive(child, e);
      return all;
    }
    case Kind::kAny: {
      bool any = false;
      for (const auto& child : c.children) any |= Naive(child, e);
      return any;
    }
    case Kind::kNot: return !Naive(c.children.at(0), e);
    case Kind::kSource: return text(e.source);
    case Kind::kAgent: return text(e.agent_id) || text(e.agent_name);
    case Kind::kTags: return std::any_of(e.agent_tags.begin(), e.agent_tags.end(), text);
    case Kind::kFrom: return text(e.from);
    case Kind::kTo: return text(e.to);
    case Kind::kHangupBy: return text(e.hangup_by);
    case Kind::kHangupReason: return text(e.hangup_reason);
    case Kind::kSummary: return text(e.summary);
    case Kind::kTranscript: {
      std::string joined;
      bool any = false;
      for (const Turn& turn : e.transcript) {
        any |= text(turn.text);
        joined += (joined.empty() ? "" : "\n") + turn.text;
      }
      return any || text(joined);
    }
    case Kind::kData: return e.data.contains(c.path) && NaiveText(c, e.data.find(c.path)->second.text);
    case Kind::kSentiment: return text(e.sentiment);
    case Kind::kDataRange: {
      const auto it = e.data.find(c.path);
      double number = 0;
      char more = 0;
      if (it == e.data.end() || std::sscanf(it->second.text.c_str(), "%lf%c", &number, &more) != 1) return false;
      return number >= c.least.value_or(number) && number <= c.most.value_or(number);
    }
    case Kind::kStage: {
      const bool waits = c.settles && e.stage == Stage::kEnded;
      return (c.stages >> static_cast<int>(waits ? Stage::kFinal : e.stage) & 1) != 0 ||
             (c.stages >> static_cast<int>(e.stage) & 1) != 0;
    }
    case Kind::kSuccess: return e.success == c.flag;
    case Kind::kStatus: return (c.statuses >> static_cast<int>(e.status) & 1) != 0;
    case Kind::kDirection: return e.direction && std::count(c.directions.begin(), c.directions.end(), *e.direction) > 0;
    case Kind::kMinDuration: return e.duration && *e.duration >= c.number;
    case Kind::kMaxDuration: return e.duration && *e.duration <= c.number;
    case Kind::kMinCost: return e.cost && e.cost->currency == c.currency && e.cost->amount >= c.number;
    case Kind::kMaxCost: return e.cost && e.cost->currency == c.currency && e.cost->amount <= c.number;
    case Kind::kVoicemail: return e.voicemail == c.flag;
    case Kind::kDuring: {
      const WallTime at = e.ended_at ? *e.ended_at : e.started_at ? *e.started_at : e.received_at;
      const auto minutes = (at.time_since_epoch().count() / 60'000 + 7 * 24 * 60) % (24 * 60);
      return c.patterns[0].text == "morning" ? minutes >= 6 * 60 && minutes < 12 * 60
                                             : minutes >= 22 * 60 || minutes < 5 * 60;
    }
    case Kind::kHas:
      return std::all_of(c.patterns.begin(), c.patterns.end(), [&](const auto& p) { return NaiveHas(e, p.text); });
  }
  return false;
}

using Pair = std::pair<std::string, std::string>;

std::vector<Pair> NaiveRoutes(const config::Config& config, const CallEvent& event) {
  std::vector<Pair> routes;
  std::set<std::string> seen;
  bool matched = false;
  for (const config::Rule& rule : config.rules) {
    if (!Naive(rule.when, event)) continue;
    matched = true;
    if (!rule.drop) {
      for (const auto& target : rule.send) {
        if (seen.insert(target.sink).second) routes.emplace_back(target.sink, rule.name);
      }
    }
    if (rule.stop || rule.drop) break;
  }
  if (!matched) {
    for (const auto& target : config.unmatched) routes.emplace_back(target.sink, "unmatched");
  }
  return routes;
}

std::vector<Pair> Pairs(const std::vector<Route>& routes) {
  std::vector<Pair> pairs;
  for (const Route& route : routes) pairs.emplace_back(route.sink, route.rule);
  return pairs;
}

config::Config RandomConfig(Dice& dice) {
  config::Config config;
  const auto window = [](int from, int to) { return config::Window{0x7F, from * 60, to * 60}; };
  config.schedules.push_back({{}, "morning", "UTC", {window(6, 12)}});
  config.schedules.push_back({{}, "night", "UTC", {window(22, 5)}});
  const int rules = 1 + dice.Below(12);
  for (int i = 0; i < rules; ++i) {
    std::vector<Condition> when;
    const int conditions = dice.Below(4);
    for (int c = 0; c < conditions; ++c) when.push_back(RandomCondition(dice, 2));
    std::vector<std::string> send;
    while (dice.OneIn(2)) send.push_back(dice.Pick<const char*>({"s1", "s2", "s3", "s4"}));
    config.rules.push_back(test::MakeRule("rule-" + std::to_string(i), std::move(when), send));
    config.rules.back().stop = dice.OneIn(6);
    config.rules.back().drop = dice.OneIn(10);
  }
  if (dice.OneIn(2)) {
    config.unmatched.emplace_back();
    config.unmatched.back().sink = "s1";
  }
  return config;
}

void ExpectEachCondition(const RuleVerdict& verdict, const Condition& when, const CallEvent& event) {
  const auto holds = [](const ConditionVerdict& condition) { return condition.holds; };
  const auto naive = [&](const Condition& condition) { return Naive(condition, event); };
  ASSERT_EQ(verdict.conditions.size(), when.children.size());
  EXPECT_EQ(std::ranges::count_if(verdict.conditions, holds), std::ranges::count_if(when.children, naive));
  const auto failed = std::ranges::find_if_not(verdict.conditions, holds);
  if (failed != verdict.conditions.end()) {
    EXPECT_EQ(verdict.why, failed->text);
  }
}

TEST(RouteTableProperty, AgreesWithNaiveEvaluatorAndWithItsOwnExplanation) {
  int matched = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Dice dice(seed);
    const config::Config config = RandomConfig(dice);
    config::Problems problems;
    const auto table = RouteTable::Compile(config, problems);
    ASSERT_TRUE(table) << config::ToJson(problems.All());
    std::vector<Route> routes;
    for (int i = 0; i < 12; ++i) {
      const CallEvent event = RandomEvent(dice);
      const auto expected = NaiveRoutes(config, event);
      table->Match(event, routes);
      ASSERT_EQ(Pairs(routes), expected) << "seed " << seed << ", event " << i << ": " << ToJson(event);
      const Explanation explanation = table->Explain(event);
      ASSERT_EQ(Pairs(explanation.routes), expected) << "seed " << seed << ", event " << i;
      ASSERT_EQ(explanation.rules.size(), config.rules.size());
      for (std::size_t r = 0; r < config.rules.size(); ++r) {
        const RuleVerdict& verdict = explanation.rules[r];
        ASSERT_FALSE(verdict.why.empty()) << "seed " << seed;
        if (verdict.result == RuleVerdict::Result::kNotReached) continue;
        const bool matches = Naive(config.rules[r].when, event);
        ASSERT_EQ(verdict.result == RuleVerdict::Result::kMatched, matches) << "seed " << seed;
        ExpectEachCondition(verdict, config.rules[r].when, event);
        matched += matches;
      }
    }
  }
  EXPECT_GT(matched, 10'000) << "the random rules are too narrow to prove anything";
}

TEST(RouteTableProperty, RulesCalledUnreachableNeverRun) {
  int warned = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    Dice dice(seed);
    const config::Config config = RandomConfig(dice);
    config::Problems problems;
    const auto table = RouteTable::Compile(config, problems);
    ASSERT_TRUE(table);
    std::set<std::string> unreachable;
    for (const auto& p : problems.All()) {
      if (p.message.find("can never run") == std::string::npos) continue;
      const auto from = p.message.find('"') + 1;
      unreachable.insert(p.message.substr(from, p.message.find('"', from) - from));
      ++warned;
    }
    if (unreachable.empty()) continue;
    for (int i = 0; i < 20; ++i) {
      for (const RuleVerdict& verdict : table->Explain(RandomEvent(dice)).rules) {
        ASSERT_FALSE(verdict.result == RuleVerdict::Result::kMatched && unreachable.contains(verdict.rule))
            << "seed " << seed;
      }
    }
  }
  EXPECT_GT(warned, 100);
}

}  // namespace
}  // namespace hookswitch
