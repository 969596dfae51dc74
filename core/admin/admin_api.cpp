#include "core/admin/admin_api.h"

#include <algorithm>

#include "core/admin/answers.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

json::object ToObject(const LaneStatus& lane) {
  return {{"sink", lane.sink},          {"state", ToString(lane.state)}, {"because", OrNull(lane.because)},
          {"pending", lane.pending},    {"in_flight", lane.in_flight},   {"oldest", OrNull(lane.oldest)},
          {"until", OrNull(lane.until)}};
}

json::object ToObject(const ReloadReport& report) {
  json::array restart;
  for (const auto& key : report.need_restart) restart.emplace_back(key);
  json::array kept;
  for (const auto& name : report.from_process) kept.emplace_back(name);
  json::array orphaned;
  for (const auto& [sink, pending] : report.orphaned) {
    orphaned.push_back(json::object{{"sink", sink}, {"pending", pending}});
  }
  json::object object{{"ok", report.applied},
                      {"generation", report.generation},
                      {"need_restart", std::move(restart)},
                      {"kept_variables", std::move(kept)},
                      {"orphaned", std::move(orphaned)}};
  boost::system::error_code ignored;
  object.emplace("problems", json::parse(config::ToJson(report.problems), ignored));
  return object;
}

// True for "localhost", "127.0.0.1:8001", "[::1]:8001": what a program on this machine asks for. A page in somebody's
// browser can reach a loopback port too, but only under its own name or with an Origin.
bool IsLoopbackHost(std::string_view host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return EqualsIgnoreCase(host, "localhost") ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

json::value WorksOrNull(Dispatcher::Resumed::How how) {
  using How = Dispatcher::Resumed::How;
  return how == How::kWorks ? json::value(true) : how == How::kFails ? json::value(false) : json::value(nullptr);
}

}  // namespace

std::string ToJson(const LaneStatus& lane) {
  return ToText(ToObject(lane));
}
std::string ToJson(const ReloadReport& report) {
  return ToText(ToObject(report));
}

Answer AdminApi::Handle(const ServedRequest& request, const Secret& token) const {
  const std::string_view path = request.path;
  const bool get = request.method == "GET" || request.method == "HEAD";
  if (path == "/healthz" && get) return JsonAnswer(200, json::object{{"ok", true}});
  if (path == "/readyz" && get) return Ready();

  if (!token.empty()) {
    std::string_view given = request.Header("Authorization");
    constexpr std::string_view kBearer = "Bearer ";
    const bool bearer = given.starts_with(kBearer);
    if (bearer) given.remove_prefix(kBearer.size());
    if (!bearer || !token.Equals(given)) {
      return Refused(401, "unauthorized", "send the admin.token of the config as \"Authorization: Bearer …\"");
    }
  } else if (!IsLoopbackHost(request.Header("Host")) || !request.Header("Origin").empty()) {
    return Refused(403, "forbidden",
                   "without an admin.token only programs on this machine are answered, under a loopback name");
  }

  auto only = [&](std::string_view method) -> std::optional<Answer> {
    if (request.method == method || (method == "GET" && request.method == "HEAD")) return {};
    Answer answer = Refused(405, "method_not_allowed", "use " + std::string(method));
    answer.allow = method;
    return answer;
  };
  if (IsHealth(path)) return *only("GET");
  if (path == "/metrics") {
    if (auto refused = only("GET")) return *refused;
    Answer answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics_.Text();
    return answer;
  }
  if (path == "/api/v1/status") {
    if (auto refused = only("GET")) return *refused;
    return ShowStatus();
  }
  if (path == "/api/v1/sinks") {
    if (auto refused = only("GET")) return *refused;
    return ListSinks();
  }
  if (path == "/api/v1/reload") {
    if (auto refused = only("POST")) return *refused;
    return Reload();
  }
  if (HistoryApi::Owns(path)) return history_.Handle(request);
  constexpr std::string_view kSinks = "/api/v1/sinks/";
  if (path.starts_with(kSinks)) {
    const std::string_view rest = path.substr(kSinks.size());
    const auto slash = rest.rfind('/');
    const std::string_view verb = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (verb == "pause" || verb == "resume") {
      if (auto refused = only("POST")) return *refused;
      return SetPaused(rest.substr(0, slash), verb == "pause");
    }
  }
  return Refused(404, "not_found", "there is no such page; see README, \"Admin API\"");
}

Answer AdminApi::Ready() const {
  json::object parts;
  bool ready = true;
  for (const Part& part : hooks_.parts()) {
    ready = ready && !part.failing;
    parts.emplace(part.name, part.note.empty() ? json::value("ok") : json::value(part.note));
  }
  return JsonAnswer(ready ? 200 : 503, json::object{{"ready", ready}, {"parts", std::move(parts)}});
}

Answer AdminApi::ShowStatus() const {
  const RouterStatus status = hooks_.status();
  const JournalStats& journal = status.journal;
  return JsonAnswer(200, json::object{{"version", status.version},
                                      {"generation", status.generation},
                                      {"config", status.config_file},
                                      {"ingress", status.ingress},
                                      {"admin", status.admin},
                                      {"started_at", ToRfc3339(status.started_at)},
                                      {"journal",
                                       {{"events", journal.events},
                                        {"pending", journal.pending},
                                        {"bytes", journal.BytesUsed()},
                                        {"bytes_on_disk", journal.BytesOnDisk()},
                                        {"bad_rows", journal.bad_rows},
                                        {"unwritable_because", OrNull(journal.unwritable_because)}}}});
}

Answer AdminApi::ListSinks() const {
  json::array sinks;
  for (const LaneStatus& lane : hooks_.lanes()) sinks.push_back(ToObject(lane));
  return JsonAnswer(200, json::object{{"sinks", std::move(sinks)}});
}

Answer AdminApi::Reload() const {
  const ReloadReport report = hooks_.reload();
  return JsonAnswer(report.applied ? 200 : 422, ToObject(report));
}

Answer AdminApi::SetPaused(std::string_view sink, bool paused) const {
  const auto lanes = hooks_.lanes();
  if (std::none_of(lanes.begin(), lanes.end(), [&](const LaneStatus& lane) { return lane.sink == sink; })) {
    return Refused(404, "not_found", "no sink has this name; GET /api/v1/sinks lists them");
  }
  if (paused) {
    if (Status stored = hooks_.pause(std::string(sink), {}); !stored) return Failed(stored.error());
    return JsonAnswer(200, json::object{{"ok", true}, {"sink", sink}, {"paused", true}});
  }
  const Dispatcher::Resumed resumed = hooks_.resume(std::string(sink));
  if (!resumed.stored) return Failed(resumed.stored.error());
  return JsonAnswer(200, json::object{{"ok", true},
                                      {"sink", sink},
                                      {"paused", false},
                                      {"works", WorksOrNull(resumed.how)},
                                      {"because", OrNull(resumed.because)}});
}

}  // namespace hookswitch
