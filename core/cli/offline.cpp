#include <cerrno>
#include <cstdio>
#include <iostream>
#include <memory>
#include <system_error>

#include "core/app/app.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/commands.h"
#include "core/cli/printing.h"
#include "core/config/plugin_schema.h"
#include "core/config/schema_lookup.h"
#include "core/message/text_template.h"
#include "core/plugins/credentials.h"

namespace hookswitch::cli {
namespace {

// A generation built from the config, with the plugins it needs.
struct Built {
  std::unique_ptr<PluginHost> plugins;
  BuildResult result;
  int exit_code = kFine;
};

Built Build(const Options& options) {
  Built built;
  auto environment = config::Environment::System(options.env_file);
  environment.secrets_optional = options.no_secrets;
  config::Loaded loaded = config::Load(options.config, environment);
  built.plugins = PluginsFor(loaded.Readable(), options.program);
  built.result =
      BuildGeneration({environment, /*tolerate_bad_plugins=*/false}, std::move(loaded), *built.plugins, nullptr);
  if (!built.result.generation) built.exit_code = built.result.unreadable ? kUsage : kProblems;
  return built;
}

/// The file's bytes, or those of stdin for "-". Error: kUnavailable (the system's reason).
Result<std::string> ReadAll(const std::string& file) {
  const bool is_stdin = file == "-";
  const auto cannot_read = [&](int code) {
    return Error{ErrorCode::kUnavailable,
                 "cannot read " + (is_stdin ? "stdin" : file) + ": " + std::generic_category().message(code)};
  };
  std::FILE* const in = is_stdin ? stdin : std::fopen(file.c_str(), "rbe");
  if (!in) return cannot_read(errno);
  const std::unique_ptr<std::FILE, void (*)(std::FILE*)> closes(in, [](std::FILE* open) {
    if (open != stdin) (void)std::fclose(open);
  });
  constexpr std::size_t kAtOnce = 65'536;
  std::string text;
  for (std::size_t size = 0;; size = text.size()) {
    text.resize(size + kAtOnce);
    const std::size_t n = std::fread(text.data() + size, 1, kAtOnce, in);
    text.resize(size + n);
    if (n == kAtOnce) continue;
    if (std::ferror(in)) return cannot_read(errno);
    return text;
  }
}

struct ReadEvent {
  std::optional<CallEvent> event;
  std::string body{};  ///< what it was read from
  int exit_code = kFine;
};

// Reads the payload of --event with the source of --source. Prints what goes wrong; a body that is not an event gives
// exit code 1 and {"ok":false,"error":…}.
ReadEvent Read(const Options& options, const Generation& generation) {
  const auto fail = [](const std::string& why) { return ReadEvent{{}, {}, Fail(why, kUsage)}; };
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
  auto body = ReadAll(options.event);
  if (!body) return fail(body.error().message);
  request.body = *body;
  auto result = it->second->Normalize(request);
  auto refuse = [](std::string_view error, std::string_view detail) {
    std::cout << ToText(json::object{{"ok", false}, {"error", error}, {"detail", detail}}) << '\n';
    return ReadEvent{{}, {}, kProblems};
  };
  if (const auto* refusal = std::get_if<Refusal>(&result)) return refuse(refusal->error, refusal->detail);
  auto& normalized = std::get<Normalized>(result);
  if (const auto* other = std::get_if<NotACall>(&normalized.what)) return refuse("not_a_call", other->why);
  return {std::move(std::get<CallEvent>(normalized.what)), std::move(*body), kFine};
}

/// The time for schedules: with --now the event's arrival; empty: its own time.
std::optional<WallTime> JudgedAt(const Options& options, const CallEvent& event) {
  if (options.now) return event.received_at;
  if (!options.at.empty() && event.OwnTime() != event.received_at) {
    std::cerr << "hookswitch: schedules are judged by the event's own time, " << ToRfc3339(event.OwnTime())
              << "; --now has them judged by --at\n";
  }
  return {};
}

const char* MarkOf(RuleVerdict::Result result) {
  switch (result) {
    case RuleVerdict::Result::kMatched: return "yes ";
    case RuleVerdict::Result::kNotMatched: return " no ";
    case RuleVerdict::Result::kNotReached: return "  - ";
  }
  return "";
}

json::object ToObject(const CallEvent& event, const Explanation& explanation) {
  json::object shown{{"event", hookswitch::ToObject(event)}};
  AddExplanation(shown, explanation);
  return shown;
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
  for (const auto& route : explanation.routes) std::cout << "-> " << route.sink << " (" << route.rule << ")\n";
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

/// Stands in for the response of any service to a step, so that the next one can be shown.
constexpr std::string_view kStandIn =
    R"({"ok":true,"id":"1","channel":"C0EXAMPLE","ts":"1700000000.000100","file_id":"F0EXAMPLE",)"
    R"("upload_url":"https://files.slack.com/upload/example","result":{"message_id":1}})";

json::object Shown(const Sink& sink, const HttpRequest& request) {
  json::object headers;
  for (const auto& [name, value] : request.headers) {
    headers.emplace(name, plugins::ShownHeader(name, sink.Mask(value)));
  }
  return {{"method", request.method},
          {"url", sink.Mask(request.url)},
          {"headers", std::move(headers)},
          {"body", sink.Mask(request.body)}};
}

/// What a sink would send: the request, and further ones if the delivery has several steps; or what it would write.
json::object Shown(Sink& sink, const ReadEvent& read, const Message& message, const Route& route) {
  std::string state, memory;
  std::uint32_t step = 0;
  const CallEvent& event = *read.event;
  const auto delivery = [&] {
    SinkDelivery made{event, message, "d-0", route.sink, route.rule, 1, step, state, memory, SystemClock().Wall()};
    made.raw_body = [&read] { return read.body; };
    made.expand = message::Expand;
    return made;
  };
  const auto not_sent = [&](const Outcome& outcome) { return json::object{{"not_sent", sink.Mask(outcome.reason)}}; };
  if (sink.kind() == Sink::Kind::kCall) {
    const auto written = sink.Preview(delivery());
    if (!written) return {{"event", hookswitch::ToJson(event)}};
    if (const auto* outcome = std::get_if<Outcome>(&*written)) return not_sent(*outcome);
    const auto& request = std::get<HttpRequest>(*written);
    return {{"to", sink.Mask(request.url)}, {"writes", sink.Mask(request.body)}};
  }
  json::object first;
  json::array then;
  for (; step < kMostSteps; ++step) {
    auto rendered = sink.Render(delivery());
    const auto* request = std::get_if<HttpRequest>(&rendered);
    json::object part = request ? Shown(sink, *request) : not_sent(std::get<Outcome>(rendered));
    if (step == 0) {
      first = std::move(part);
    } else {
      part["after"] = kStandIn;
      then.push_back(std::move(part));
    }
    if (!request) break;
    const Outcome outcome = sink.Interpret(delivery(), {200, {}, std::string(kStandIn)}, {});
    if (outcome.kind != Outcome::Kind::kNext) break;
    state = outcome.state;
    if (outcome.has_memory) memory = outcome.memory;
  }
  if (!then.empty()) first["then"] = std::move(then);
  return first;
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
  const Built built = Build(options);
  Print(built.result.problems.All(), options.format);
  if (built.result.generation && options.format == Format::kText) {
    const auto& config = built.result.generation->config;
    std::cout << options.config << ": fine (" << config.sources.size() << " sources, " << config.rules.size()
              << " rules, " << config.sinks.size() << " sinks)\n";
  }
  return built.exit_code;
}

int RouteEvent(const Options& options) {
  const Built built = Build(options);
  if (!built.result.generation) {
    Print(built.result.problems.All(), Format::kText);
    return built.exit_code;
  }
  const Generation& generation = *built.result.generation;
  const ReadEvent read = Read(options, generation);
  if (!read.event) return read.exit_code;
  const Explanation explanation = generation.routes->Explain(*read.event, JudgedAt(options, *read.event));
  if (options.format == Format::kJson) {
    std::cout << ToText(ToObject(*read.event, explanation), 2) << '\n';
  } else {
    PrintText(*read.event, explanation);
  }
  return kFine;
}

int Preview(const Options& options) {
  const Built built = Build(options);
  if (!built.result.generation) {
    Print(built.result.problems.All(), Format::kText);
    return built.exit_code;
  }
  const Generation& generation = *built.result.generation;
  const ReadEvent read = Read(options, generation);
  if (!read.event) return read.exit_code;
  auto routes = generation.routes->Explain(*read.event, JudgedAt(options, *read.event)).routes;
  if (!options.sink.empty()) {
    if (!generation.sinks.contains(options.sink)) {
      return Fail("no sink \"" + options.sink + "\" in " + options.config, kUsage);
    }
    std::erase_if(routes, [&](const Route& route) { return route.sink != options.sink; });
    if (routes.empty()) routes.push_back({options.sink, "preview", ""});
  }
  json::array all;
  for (const Route& route : routes) {
    const auto& sink = generation.sinks.find(route.sink)->second.sink;
    const Message message = generation.composer->Compose(*read.event, route.template_name);
    json::object shown{{"sink", route.sink}, {"rule", route.rule}};
    if (!sink) {
      shown.emplace("not_sent", generation.sinks.find(route.sink)->second.unavailable_reason);
    } else {
      const auto parts = Shown(*sink, read, message, route);
      for (const auto& [key, value] : parts) shown.emplace(key, value);
    }
    all.push_back(std::move(shown));
  }
  if (options.format == Format::kJson) {
    std::cout << ToText(all, 2) << '\n';
    return kFine;
  }
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
  return kFine;
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
