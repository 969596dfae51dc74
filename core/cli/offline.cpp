#include <iostream>
#include <memory>
#include <vector>

#include "core/admin/admin_api.h"
#include "core/admin/explain.h"
#include "core/admin/preview.h"
#include "core/app/app.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/built_config.h"
#include "core/cli/commands.h"
#include "core/cli/history_text.h"
#include "core/cli/mapping_text.h"
#include "core/cli/payload_file.h"
#include "core/cli/printing.h"
#include "core/config/mapping.h"
#include "core/config/plugin_schema.h"
#include "core/config/schema_lookup.h"
#include "core/sources/mapping/sample.h"

namespace hookswitch::cli {
namespace {

/// An event of the payload, explained, or why it is none.
struct Read {
  Explained explained{};  ///< without an event: see `refusal`
  std::string body{};     ///< what it was read from
  Refusal refusal{};
};
struct AllRead {
  std::vector<Read> events{};
  bool several = false;  ///< in one body
  int exit_code = kFine;
};

/// Says it if --at does not change what schedules are judged by.
void WarnOfOwnTime(const Options& options, const CallEvent& event) {
  if (options.now || options.at.empty() || event.OwnTime() == event.received_at) return;
  std::cerr << "hookswitch: schedules are judged by the event's own time, " << ToRfc3339(event.OwnTime())
            << "; --now has them judged by --at\n";
}

// {"ok":false,"error":…}
void PrintRefusal(const Refusal& refusal) {
  std::cout << ToText(json::object{{"ok", false}, {"error", refusal.error}, {"detail", refusal.detail}}) << '\n';
}

// Reads and routes the payload of --event with the source of --source, or says why not. A body that is not an event
// gives exit code 1; of several events in one body some may be no step of a call.
AllRead ReadAndRoute(const Options& options, const Generation& generation) {
  const auto fail = [](const std::string& why) { return AllRead{{}, false, Fail(why, kUsage)}; };
  const auto& sources = generation.config.sources;
  std::string name = options.source;
  if (name.empty() && sources.size() == 1) name = sources.front().name;
  const auto it = generation.sources.find(name);
  if (it == generation.sources.end()) {
    std::vector<std::string> known;
    for (const auto& source : sources) known.push_back(source.name);
    return fail((name.empty() ? "--source is needed: " : "no source \"" + name + "\"; there is: ") + Joined(known));
  }
  RawRequest request;
  request.received_at = SystemClock().Wall();
  if (!options.at.empty()) {
    const auto at = ParseTime(options.at);
    if (!at) return fail("--at \"" + options.at + "\" is not a time such as 2026-03-04T09:02:03Z");
    request.received_at = *at;
  }
  auto payload = ReadPayload(options);
  if (!payload) return fail(payload.error().message);
  const Headers kept = KeptOf(*it->second, payload->headers, {});
  request.headers = kept;
  Bodies bodies = BodiesOf(*it->second, payload->body, kept);
  AllRead all;
  all.several = bodies.several;
  for (std::string& body : bodies.all) {
    request.body = body;
    auto result =
        ExplainPayload(*it->second, request, *generation.routes, options.now ? JudgedBy::kArrival : JudgedBy::kOwnTime);
    if (const auto* refusal = std::get_if<Refusal>(&result)) {
      if (!all.several || refusal->error != "not_a_call") all.exit_code = kProblems;
      all.events.push_back({{}, {}, *refusal});
      continue;
    }
    auto& explained = std::get<Explained>(result);
    WarnOfOwnTime(options, *explained.event);
    all.events.push_back({std::move(explained), std::move(body)});
  }
  return all;
}

const char* MarkOf(RuleVerdict::Result result) {
  switch (result) {
    case RuleVerdict::Result::kMatched: return "yes ";
    case RuleVerdict::Result::kNotMatched: return " no ";
    case RuleVerdict::Result::kNotReached: return "  - ";
  }
  return "";
}

void PrintText(const CallEvent& event, const Explanation& explanation) {
  std::cout << event.source << " event: call " << OneLine(event.call_id) << ", agent "
            << (event.AgentLabel().empty() ? "-" : OneLine(event.AgentLabel())) << ", status "
            << ToString(event.status);
  if (event.status == CallStatus::kUnknown) std::cout << " (\"" << OneLine(event.raw_status) << "\")";
  if (event.duration)
    std::cout << ", " << HumanDuration(std::chrono::milliseconds(static_cast<std::int64_t>(*event.duration * 1000)));
  std::cout << "\n\n";
  for (const auto& verdict : explanation.rules) {
    std::cout << MarkOf(verdict.result) << ' ' << verdict.rule << ": " << OneLine(verdict.why) << '\n';
    if (!verdict.sinks.empty()) std::cout << "       sends to " << Joined(verdict.sinks) << '\n';
    if (!verdict.merged.empty())
      std::cout << "       already chosen by an earlier rule: " << Joined(verdict.merged) << '\n';
    if (verdict.stopped) std::cout << "       stops here\n";
  }
  std::cout << '\n';
  if (explanation.routes.empty()) {
    std::cout << (explanation.unmatched ? "no rule matched; recorded, sent to nobody\n" : "sent to nobody\n");
  }
  for (const auto& route : explanation.routes) {
    std::cout << "-> " << route.sink << " (" << route.rule << ")";
    if (route.hold.count() > 0)
      std::cout << ", held up to " << FormatDuration(route.hold) << " for the call's final event";
    std::cout << '\n';
  }
}

/// Text of several lines, also if they end with CR LF, as in a mail.
std::string Lines(std::string text) {
  for (auto at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at)) text.erase(at, 1);
  return Printable(text);
}

std::string PrettyBody(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  return error ? Lines(body) : Printable(ToText(value, 2));
}

void PrintPart(const json::object& shown) {
  const auto text = [&shown](const char* key) { return std::string(shown.at(key).as_string()); };
  if (shown.contains("url")) {
    std::cout << text("method") << ' ' << OneLine(text("url")) << '\n';
    for (const auto& [name, value] : shown.at("headers").as_object()) {
      std::cout << OneLine(name) << ": " << OneLine(value.as_string()) << '\n';
    }
    std::cout << PrettyBody(text("body")) << "\n\n";
  } else if (shown.contains("writes")) {
    std::cout << OneLine(text("to")) << '\n'
              << Lines(text("writes")) << (text("writes").ends_with('\n') ? "\n" : "\n\n");
  } else {
    std::cout << PrettyBody(text(shown.contains("not_sent") ? "not_sent" : "event")) << "\n\n";
  }
}

void PrintParts(const json::array& all) {
  if (all.empty()) std::cout << "no rule matches this event; `hookswitch route` says why\n";
  for (const auto& item : all) {
    const auto& shown = item.get_object();
    std::cout << "-> " << shown.at("sink").as_string().c_str() << " (" << shown.at("rule").as_string().c_str() << ")\n";
    PrintPart(shown);
    const auto* then = shown.if_contains("then");
    for (const auto& step : then ? then->get_array() : json::array()) {
      std::cout << "then, if the answer is such as " << step.at("after").as_string().c_str() << ":\n";
      PrintPart(step.get_object());
    }
  }
}

void CheckSamples(const config::Config& config, config::Problems& problems) {
  const auto environment = config::Environment::System();
  for (const config::Source& source : config.sources) {
    if (!source.map || source.map->sample.empty()) continue;
    std::string error;
    // The loader has said what cannot be read.
    if (const auto body = environment.read_file(source.map->sample, error)) CheckSample(source, *body, problems);
  }
  problems.Sort();
}

}  // namespace

void Print(std::span<const config::Problem> problems, Format format) {
  if (format == Format::kJson) {
    std::cout << config::ToJson(problems) << '\n';
    return;
  }
  std::size_t errors = 0;
  for (const auto& problem : problems) {
    std::cerr << config::ToText(problem);
    if (problem.severity == config::Problem::Severity::kError) ++errors;
  }
  const std::size_t warnings = problems.size() - errors;
  if (problems.empty()) return;
  auto count = [](std::size_t n, const char* what) { return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s"); };
  std::cerr << (errors ? count(errors, "error") : "") << (errors && warnings ? ", " : "")
            << (warnings ? count(warnings, "warning") : "") << '\n';
}

std::unique_ptr<PluginHost> PluginsFor(const config::Config* config, const std::filesystem::path& program) {
  return std::make_unique<PluginHost>(PluginPaths(config ? config->plugin_paths : std::vector<std::string>{}, program),
                                      kThisProgram);
}

int Check(const Options& options) {
  BuiltConfig built = BuildConfig(options);
  if (built.result.generation) CheckSamples(built.result.generation->config, built.result.problems);
  Print(built.result.problems.All(), options.format);
  if (built.result.generation && options.format == Format::kText) {
    const auto& config = built.result.generation->config;
    std::cout << options.config << ": fine (" << config.sources.size() << " sources, " << config.rules.size()
              << " rules, " << config.sinks.size() << " sinks)\n";
  }
  return built.exit_code;
}

int RouteEvent(const Options& options) {
  const BuiltConfig built = BuildConfig(options);
  if (!built.result.generation) {
    Print(built.result.problems.All(), Format::kText);
    return built.exit_code;
  }
  const AllRead all = ReadAndRoute(options, *built.result.generation);
  for (const Read& read : all.events) {
    if (!read.explained.event) {
      PrintRefusal(read.refusal);
    } else if (options.format == Format::kJson) {
      json::object shown = ToObject(read.explained);
      if (options.explain_mapping) shown["mapping"] = ExplainMapping(read.explained);
      std::cout << ToText(shown, all.several ? 0 : 2) << '\n';
    } else {
      PrintText(*read.explained.event, read.explained.explanation);
      if (options.explain_mapping)
        std::cout << "\nfields of the event, and where they are from:\n" << MappingText(read.explained);
      if (&read != &all.events.back()) std::cout << '\n';
    }
  }
  return all.exit_code;
}

int Preview(const Options& options) {
  const BuiltConfig built = BuildConfig(options);
  if (!built.result.generation) {
    Print(built.result.problems.All(), Format::kText);
    return built.exit_code;
  }
  const Generation& generation = *built.result.generation;
  if (!options.sink.empty() && !generation.sinks.contains(options.sink)) {
    return Fail("no sink \"" + options.sink + "\" in " + options.config, kUsage);
  }
  const AllRead all = ReadAndRoute(options, generation);
  for (const Read& read : all.events) {
    if (!read.explained.event) {
      PrintRefusal(read.refusal);
      continue;
    }
    auto routes = read.explained.explanation.routes;
    if (!options.sink.empty()) {
      std::erase_if(routes, [&](const Route& route) { return route.sink != options.sink; });
      if (routes.empty()) routes.push_back({options.sink, "preview", ""});
    }
    const json::array shown =
        PreviewAll(*generation.MakeDeliveryPlan(), read.explained.event, read.body, routes, SystemClock().Wall());
    if (options.format == Format::kJson) {
      std::cout << ToText(shown, all.several ? 0 : 2) << '\n';
    } else {
      PrintParts(shown);
    }
  }
  return all.exit_code;
}

int SendTest(const Options& options) {
  const BuiltConfig built = BuildConfig(options);
  if (!built.result.generation) {
    Print(built.result.problems.All(), Format::kText);
    return built.exit_code;
  }
  const auto plan = built.result.generation->MakeDeliveryPlan();
  const auto lane = plan->lanes.find(options.sink);
  if (lane == plan->lanes.end()) {
    std::vector<std::string> known;
    for (const auto& sink : built.result.generation->config.sinks) known.push_back(sink.name);
    return Fail("no sink \"" + options.sink + "\" in " + options.config + "; " + DidYouMean(options.sink, known),
                kUsage);
  }
  if (!lane->second.sink) return Fail("sinks." + options.sink + ": " + lane->second.unavailable_reason);
  const SystemClock clock;
  const auto http = MakeSinkClient();
  const json::object report = ToObject(options.sink, SendTestMessage(lane->second, *http, clock, nullptr));
  if (options.format == Format::kJson) {
    std::cout << ToText(report, 2) << '\n';
  } else {
    PrintTest(std::cout, report);
  }
  return report.at("ok").as_bool() ? kFine : kProblems;
}

int Schema(const Options& options) {
  json::object schema = config::ConfigSchema();
  const config::Loaded loaded = config::Load(options.config, config::Environment::System());
  const auto plugins = PluginsFor(loaded.Readable(), options.program);
  for (const auto& file : plugins->List()) {
    auto info = plugins->Inspect(file);
    if (!info) {
      std::cerr << info.error().message << '\n';
      continue;
    }
    boost::system::error_code not_json;
    json::value own = json::parse(info->config_schema, not_json, {}, DeepEnoughForConfigs());
    if (!not_json) config::AddPluginSchema(schema, info->id, std::move(own));
  }
  std::cout << ToText(schema, 2) << '\n';
  return kFine;
}

}  // namespace hookswitch::cli
