#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "core/routing/route_table.h"

namespace hookswitch {
namespace {

using config::Condition;
using Kind = Condition::Kind;

Condition Statuses(StatusSet statuses) {
  Condition condition;
  condition.kind = Kind::kStatus;
  condition.statuses = statuses;
  return condition;
}

Condition Texts(Kind kind, std::string text, config::Pattern::Mode mode = config::Pattern::Mode::kExact) {
  Condition condition;
  condition.kind = kind;
  condition.patterns.push_back({{}, mode, std::move(text)});
  return condition;
}

Condition MinDuration(double seconds) {
  Condition condition;
  condition.kind = Kind::kMinDuration;
  condition.number = seconds;
  return condition;
}

config::Rule MakeRule(int number, std::vector<Condition> when) {
  config::Rule rule;
  rule.name = "rule-" + std::to_string(number);
  rule.when.children = std::move(when);
  rule.send.emplace_back();
  rule.send.back().sink = "sink-" + std::to_string(number % 20);
  return rule;
}

CallEvent CompletedCall() {
  CallEvent event;
  event.source = "bolna";
  event.agent_id = "agent-7";
  event.agent_name = "billing-eu";
  event.agent_tags = {"billing", "eu"};
  event.status = CallStatus::kCompleted;
  event.from = "+12025550188";
  event.to = "+12025550123";
  event.duration = 73;
  event.received_at = WallTime(std::chrono::hours(20'000 * 24 + 9));
  for (int i = 0; i < 40; ++i) {
    event.transcript.push_back(
        {i % 2 ? Role::kUser : Role::kAgent, "Thank you, let me look into the invoice of last month for you."});
  }
  return event;
}

std::shared_ptr<const RouteTable> Compile(const config::Config& config) {
  config::Problems problems;
  auto table = RouteTable::Compile(config, problems);
  if (!table) std::abort();
  return table;
}

void Run(benchmark::State& state, const config::Config& config, std::size_t routes_wanted) {
  const auto table = Compile(config);
  const CallEvent event = CompletedCall();
  std::vector<Route> routes;
  for (auto _ : state) {
    table->Match(event, routes);
    benchmark::DoNotOptimize(routes.data());
  }
  if (routes.size() != routes_wanted) state.SkipWithError("the routes are not the expected ones");
}

// What a small installation has: statuses, agents, durations, a schedule, a number, a tag.
void TenMixedRules(benchmark::State& state) {
  config::Config config;
  config.schedules.push_back({{}, "office", "Asia/Kolkata", {{0x7F, 0, 1440}}});
  const StatusSet ended = EndedStatuses();
  config.rules = {MakeRule(0, {Texts(Kind::kTags, "test"), Statuses(ended)}),
                  MakeRule(1, {Texts(Kind::kAgent, "billing-*", config::Pattern::Mode::kGlob), Statuses(ended)}),
                  MakeRule(2, {Texts(Kind::kAgent, "billing-eu"), Statuses(UnsuccessfulStatuses())}),
                  MakeRule(3, {Statuses(ended), MinDuration(60), Texts(Kind::kDuring, "office")}),
                  MakeRule(4, {Statuses(ended), MinDuration(120)}),
                  MakeRule(5, {Statuses(Bit(CallStatus::kRinging))}),
                  MakeRule(6, {Statuses(ended), Texts(Kind::kTo, "+1202*", config::Pattern::Mode::kGlob)}),
                  MakeRule(7, {Statuses(ended), Texts(Kind::kHangupBy, "Callee")}),
                  MakeRule(8, {Statuses(ended), Texts(Kind::kTags, "billing")}),
                  MakeRule(9, {Statuses(ended), Texts(Kind::kSource, "bolna")})};
  Run(state, config, 5);
}
BENCHMARK(TenMixedRules);

// Rules of their own for each of many agents, and one for everybody at the end.
void ManyAgents(benchmark::State& state) {
  config::Config config;
  const int rules = static_cast<int>(state.range(0));
  for (int i = 0; i + 1 < rules; ++i) {
    config.rules.push_back(
        MakeRule(i, {Texts(Kind::kAgent, "agent-" + std::to_string(i)), Statuses(EndedStatuses()), MinDuration(10)}));
  }
  config.rules.push_back(MakeRule(rules - 1, {Statuses(EndedStatuses())}));
  Run(state, config, 2);
}
BENCHMARK(ManyAgents)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// The worst for the index: no rule names a value, each must be asked.
void ManyGlobs(benchmark::State& state) {
  config::Config config;
  for (int i = 0; i < state.range(0); ++i) {
    config.rules.push_back(
        MakeRule(i, {Texts(Kind::kAgent, "agent-" + std::to_string(i) + "-*", config::Pattern::Mode::kGlob),
                     Statuses(EndedStatuses())}));
  }
  Run(state, config, 0);
}
BENCHMARK(ManyGlobs)->Arg(10'000);

// Regexes over a transcript of 40 turns that they do not find.
void TenTranscriptRegexes(benchmark::State& state) {
  config::Config config;
  for (int i = 0; i < 10; ++i) {
    config.rules.push_back(MakeRule(
        i, {Statuses(EndedStatuses()), Texts(Kind::kTranscript, "(?i)\\b(cancel|refund|lawyer)" + std::to_string(i),
                                             config::Pattern::Mode::kRegex)}));
  }
  Run(state, config, 0);
}
BENCHMARK(TenTranscriptRegexes);

void CompileManyAgents(benchmark::State& state) {
  config::Config config;
  for (int i = 0; i < state.range(0); ++i) {
    config.rules.push_back(MakeRule(i, {Texts(Kind::kAgent, "agent-" + std::to_string(i)), Statuses(EndedStatuses())}));
    config.rules.back().stop = true;
  }
  for (auto _ : state) benchmark::DoNotOptimize(Compile(config));
}
BENCHMARK(CompileManyAgents)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hookswitch
