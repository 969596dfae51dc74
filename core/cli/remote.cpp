#include <iostream>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/admin_client.h"
#include "core/cli/commands.h"
#include "core/cli/history_text.h"
#include "core/cli/printing.h"
#include "core/config/loader.h"
#include "core/config/scalars.h"
#include "core/routing/schedule.h"

namespace hookswitch::cli {
namespace {

Result<json::array> SinksOf(AdminClient& client) {
  auto answer = client.Get("/api/v1/sinks");
  if (!answer) return std::move(answer).error();
  json::value* sinks = answer->if_contains("sinks");
  if (!sinks || !sinks->is_array()) return Error{ErrorCode::kInvalid, "not an answer of hookswitch"};
  return std::move(sinks->get_array());
}

/// The next "18:00" in `timezone`; empty if `text` is not a time of day.
std::optional<WallTime> NextTimeOfDay(const std::string& text, const std::string& timezone, WallTime now) {
  // Parsed as the end of a schedule's hours.
  const auto hours = config::ParseHours("00:00-" + text);
  const auto zone = routing::Zone::Find(timezone);
  if (!hours || !zone) return {};
  const int wanted = hours->second % routing::kMinutesPerDay;
  // Minute by minute, because clocks jump: an hour that is skipped today is there tomorrow.
  WallTime time = std::chrono::floor<std::chrono::minutes>(now);
  for (int i = 0; i < 2 * routing::kMinutesPerDay; ++i) {
    time += std::chrono::minutes(1);
    if (zone->MinuteOfWeek(time) % routing::kMinutesPerDay == wanted) return time;
  }
  return {};
}

void PrintReloaded(const json::object& report) {
  std::cout << "reloaded: generation " << Text(report, "generation") << '\n';
  for (const auto& key : ListAt(report, "need_restart")) {
    std::cout << "needs a restart to take effect: " << key.as_string().c_str() << '\n';
  }
  for (const auto& item : ListAt(report, "orphaned")) {
    const auto& orphans = item.as_object();
    const std::string sink = Text(orphans, "sink");
    std::cout << Text(orphans, "pending") << " deliveries wait for the sink " << sink
              << ", which the config does not have: they go out once it has it again; `hookswitch deliveries --sink "
              << sink << "` lists them\n";
  }
  const json::array& kept = ListAt(report, "kept_variables");
  if (kept.empty()) return;
  std::cout << "as they were at the start:";
  for (const auto& name : kept) std::cout << ' ' << name.as_string().c_str();
  std::cout << " (variables of the router's own environment; a restart takes new values, a file of "
               "serve --env-file is read again)\n";
}

void PrintNotReloaded(const json::object& report) {
  for (const auto& item : ListAt(report, "problems")) {
    const auto& problem = item.as_object();
    std::cerr << Text(problem, "file") << ':';
    // 0: of the file as a whole.
    if (Text(problem, "line") != "0") std::cerr << Text(problem, "line") << ':' << Text(problem, "column") << ':';
    std::cerr << ' ' << Text(problem, "severity") << ": " << Text(problem, "message");
    if (const std::string hint = Text(problem, "hint"); !hint.empty()) std::cerr << "; " << hint;
    std::cerr << '\n';
  }
  std::cerr << "nothing was changed; generation " << Text(report, "generation") << " stays in use\n";
}

/// Asks the other routers, and says so; not in JSON, which is this router's report.
Status ReloadOthers(const Options& options) {
  const auto reply = Send(options, "POST", "/api/v1/cluster/reload");
  if (!reply) return reply.error();
  if (!reply->ok()) return Error{ErrorCode::kUnavailable, Text(reply->body, "detail")};
  if (options.format == Format::kJson) return Ok();
  std::string names;
  for (const auto& name : ListAt(reply->body, "asked"))
    names += (names.empty() ? "" : ", ") + std::string(name.as_string());
  std::cout << (names.empty() ? "no other router shares its journal" : "asked to reload: " + names) << '\n';
  return Ok();
}

}  // namespace

int Reload(const Options& options) {
  if (options.all) {
    if (const Status asked = ReloadOthers(options); !asked) return Fail(asked.error().message);
  }
  const auto reply = Send(options, "POST", "/api/v1/reload");
  if (!reply) return Fail(reply.error().message);
  const json::object& report = reply->body;
  if (options.format == Format::kJson) {
    std::cout << ToText(report) << '\n';
  } else if (reply->ok()) {
    PrintReloaded(report);
  } else if (report.contains("problems")) {
    PrintNotReloaded(report);
  } else {
    return Refused(*reply);
  }
  return reply->ok() ? kFine : kProblems;
}

int ListSinks(const Options& options) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  auto sinks = SinksOf(*client);
  if (!sinks) return Fail(sinks.error().message);
  if (options.format == Format::kJson) {
    std::cout << ToText(json::object{{"sinks", std::move(*sinks)}}) << '\n';
  } else {
    PrintSinks(std::cout, client->ViewOf(options), *sinks);
  }
  return kFine;
}

int ShowSink(const Options& options) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  const auto sinks = SinksOf(*client);
  if (!sinks) return Fail(sinks.error().message);
  std::vector<std::string> names;
  for (const auto& item : *sinks) {
    const json::object& sink = item.as_object();
    names.push_back(Text(sink, "sink"));
    if (names.back() != options.sink) continue;
    if (options.format == Format::kJson) {
      std::cout << ToText(sink) << '\n';
    } else {
      PrintSink(std::cout, client->ViewOf(options), sink);
    }
    return kFine;
  }
  const std::string near = Nearest(options.sink, names);
  std::string known;
  for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
  return Fail("not_found: there is no sink \"" + options.sink + '"' +
              (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
              (known.empty() ? "; there is none" : "; there is " + known));
}

int PauseSink(const Options& options) {
  json::object pause;
  if (!options.until.empty()) {
    pause["until"] = options.until;
    const config::Loaded loaded = config::Load(options.config, config::Environment::System());
    const std::string timezone = loaded.Readable() ? loaded.Readable()->timezone : "UTC";
    if (const auto time = NextTimeOfDay(options.until, timezone, SystemClock().Wall())) {
      if (!loaded.Readable()) {
        return Fail("--until " + options.until + " is on the clocks of defaults.timezone, and " +
                        WhyUnread(loaded, options.config) +
                        "; name the config with -c, or the time as 2h or in RFC 3339",
                    kUsage);
      }
      pause["until"] = ToRfc3339(*time);
    }
  }
  if (!options.reason.empty()) pause["because"] = options.reason;
  return SendAndPrint(options, "POST", "/api/v1/sinks/" + PathSegment(options.sink) + "/pause", ToText(pause),
                      [&options](const json::object& paused, const View& view) {
                        const std::string until = view.Moment(paused, "until");
                        std::cout << options.sink << ": paused" << (until == "-" ? "" : " until " + until) << '\n';
                      });
}

int ResumeSink(const Options& options) {
  const auto reply = Send(options, "POST", "/api/v1/sinks/" + PathSegment(options.sink) + "/resume");
  if (!reply) return Fail(reply.error().message);
  if (options.format == Format::kJson) std::cout << ToText(reply->body) << '\n';
  if (!reply->ok()) return Refused(*reply);
  const json::value* works = reply->body.if_contains("works");
  const bool is_known = works && works->is_bool();
  const bool fails = is_known && !works->get_bool();
  if (options.format == Format::kText) {
    const std::string reason = Text(reply->body, "because");
    (fails ? std::cerr : std::cout) << options.sink << ": resumed"
                                    << (fails      ? ", but it still fails: " + reason
                                        : is_known ? ", and it works"
                                                   : "; " + reason)
                                    << '\n';
  }
  return fails ? kProblems : kFine;
}

}  // namespace hookswitch::cli
