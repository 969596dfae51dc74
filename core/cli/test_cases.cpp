#include <algorithm>
#include <iostream>
#include <set>
#include <variant>

#include "core/admin/explain.h"
#include "core/admin/preview.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/built_config.h"
#include "core/cli/case_file.h"
#include "core/cli/commands.h"
#include "core/cli/paint.h"
#include "core/cli/payload_file.h"
#include "core/cli/printing.h"
#include "core/cli/series_case.h"

namespace hookswitch::cli {
namespace {

/// What the sink of `route` would send, as text.
std::string TextSentTo(const Generation& generation, const Explained& explained, const std::string& body,
                       const Route& route, WallTime now) {
  const json::array shown = PreviewAll(*generation.MakeDeliveryPlan(), explained.event, body, {&route, 1}, now);
  const json::object& first = shown.at(0).as_object();
  for (const char* key : {"body", "writes", "event", "not_sent"}) {
    if (const auto* text = first.if_contains(key))
      return text->is_string() ? std::string(text->get_string()) : ToText(*text);
  }
  return {};
}

/// "ops (failed-calls), sales (leads)"
std::string Named(const std::vector<Route>& routes) {
  std::vector<std::string> names;
  for (const Route& route : routes) names.push_back(std::string(route.sink) + " (" + std::string(route.rule) + ')');
  return names.empty() ? "nobody" : Joined(names);
}

void Compare(const RoutingCase& wanted, const Generation& generation, const Explained& explained, WallTime now,
             CaseResult& result) {
  const auto& routes = explained.explanation.routes;
  std::set<std::string_view> expected;
  for (const auto& one : wanted.expect) {
    expected.insert(one.sink);
    const auto route = std::ranges::find(routes, one.sink, &Route::sink);
    if (!generation.sinks.contains(one.sink)) {
      result.failures.push_back("the config has no sink \"" + one.sink + '"');
    } else if (route == routes.end()) {
      result.failures.push_back("does not go to " + one.sink);
    } else if (!one.rule.empty() && route->rule != one.rule) {
      result.failures.push_back("goes to " + one.sink + " by the rule " + std::string(route->rule) + ", not " +
                                one.rule);
    } else if (!one.contains.empty() &&
               TextSentTo(generation, explained, wanted.body, *route, now).find(one.contains) == std::string::npos) {
      result.failures.push_back("what " + one.sink + " would send does not contain \"" + one.contains + '"');
    }
  }
  for (const Route& route : routes) {
    if (!expected.contains(route.sink))
      result.failures.push_back("goes to " + std::string(route.sink) + ", too, by the rule " + std::string(route.rule));
  }
  if (!result.failures.empty()) result.failures.push_back("it goes to " + Named(routes));
}

CaseResult RunCase(const RoutingCase& wanted, const Generation& generation, const Headers& headers) {
  CaseResult result;
  const auto& sources = generation.config.sources;
  const std::string name = wanted.source.empty() && sources.size() == 1 ? sources.front().name : wanted.source;
  const auto source = generation.sources.find(name);
  if (source == generation.sources.end()) {
    result.failures.push_back(name.empty() ? "there are several sources: name one"
                                           : "the config has no source \"" + name + '"');
    return result;
  }
  if (!wanted.series.empty()) return RunSeries(wanted, generation, name);
  const WallTime now = wanted.at.value_or(SystemClock().Wall());
  RawRequest request;
  const Headers kept = KeptOf(*source->second, headers, {});
  const Bodies bodies = BodiesOf(*source->second, wanted.body, kept);
  if (bodies.all.size() != 1) {
    result.failures.push_back("has " + std::to_string(bodies.all.size()) + " events in one body; a case is about one");
    return result;
  }
  request.body = bodies.all.front();
  request.headers = kept;
  request.received_at = now;
  const auto read =
      ExplainPayload(*source->second, request, *generation.routes, wanted.at ? JudgedBy::kArrival : JudgedBy::kOwnTime);
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    result.failures.push_back("is no event: " + refusal->error + ": " + refusal->detail);
    return result;
  }
  const auto& explained = std::get<Explained>(read);
  Compare(wanted, generation, explained, now, result);
  const json::object shown = ToObject(explained);
  result.got = ListAt(shown, "deliveries");
  result.rules = ListAt(shown, "rules");
  return result;
}

json::object ToObject(const RoutingCase& wanted, const CaseResult& result) {
  json::array expected;
  for (const auto& one : wanted.expect) {
    const auto or_null = [](const std::string& text) {
      return text.empty() ? json::value(nullptr) : json::value(text);
    };
    json::object shown{{"sink", one.sink}, {"rule", or_null(one.rule)}, {"contains", or_null(one.contains)}};
    if (!wanted.series.empty()) shown.emplace("at", or_null(one.at ? FormatDuration(*one.at) : ""));
    expected.push_back(std::move(shown));
  }
  json::object shown{{"name", wanted.name},
                     {"file", wanted.where.file->path},
                     {"line", wanted.where.line},
                     {"ok", result.failures.empty()},
                     {"expected", std::move(expected)},
                     {"deliveries", result.got},
                     {"failures", json::array(result.failures.begin(), result.failures.end())},
                     {"rules", result.rules}};
  if (!wanted.series.empty()) shown.emplace("events", result.events);
  return shown;
}

void PrintCase(const Paint& paint, const RoutingCase& wanted, const CaseResult& result) {
  const bool ok = result.failures.empty();
  std::cout << paint(ok ? Colour::kGreen : Colour::kRed, ok ? "ok    " : "FAIL  ") << OneLine(wanted.name);
  if (!ok) std::cout << "  " << config::ToText(wanted.where);
  std::cout << '\n';
  for (const auto& failure : result.failures) std::cout << "      " << OneLine(failure) << '\n';
  if (ok) return;
  for (const auto& line : result.story) std::cout << "        " << OneLine(line) << '\n';
  for (const auto& item : result.rules) {
    const json::object& rule = item.as_object();
    const json::value* matched = rule.if_contains("matched");
    std::cout << (matched && matched->is_bool() && matched->get_bool() ? "        yes  " : "         no  ")
              << Text(rule, "name") << ": " << Text(rule, "why") << '\n';
  }
}

}  // namespace

int TestCases(const Options& options) {
  const BuiltConfig built = BuildConfig(options);
  if (!built.result.generation) {
    Print(built.result.problems.All(), Format::kText);
    return built.exit_code;
  }
  const auto headers = HeadersFor(options, "");
  if (!headers) return Fail(headers.error().message, kUsage);
  std::vector<RoutingCase> cases;
  config::Problems problems;
  for (const auto& file : options.files) {
    for (auto& one : ReadCases(file, problems)) cases.push_back(std::move(one));
  }
  if (problems.HasErrors()) {
    Print(problems.All(), Format::kText);
    return kUsage;
  }
  // A series has a router of its own, whose lines are of no interest here.
  log::SetLevel(log::Level::kError);
  const Paint paint(WantsColour("auto"));
  std::size_t failed = 0;
  json::array all;
  for (const auto& one : cases) {
    const CaseResult result = RunCase(one, *built.result.generation, *headers);
    if (!result.failures.empty()) ++failed;
    if (options.format == Format::kJson) {
      all.push_back(ToObject(one, result));
    } else {
      PrintCase(paint, one, result);
    }
  }
  if (options.format == Format::kJson) {
    std::cout << ToText(json::object{{"ok", failed == 0}, {"cases", std::move(all)}}, 2) << '\n';
  } else {
    std::cout << '\n' << cases.size() << (cases.size() == 1 ? " case, " : " cases, ") << failed << " failed\n";
  }
  return failed == 0 ? kFine : kProblems;
}

}  // namespace hookswitch::cli
