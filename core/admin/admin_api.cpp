#include "core/admin/admin_api.h"

#include <algorithm>

#include "core/admin/answers.h"
#include "core/admin/known_names.h"
#include "core/admin/query.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr int kMostReloads = 2;  // one runs, one waits
constexpr int kMostResumes = 3;

json::object ToObject(const LaneStatus& lane) {
  json::array places;
  for (const LaneStatus::Place& place : lane.places) {
    places.push_back(json::object{{"name", place.name},
                                  {"because", OrNull(place.because)},
                                  {"waiting", place.waiting},
                                  {"next_try", ToRfc3339(place.next_try)}});
  }
  return {{"sink", lane.sink},           {"state", ToString(lane.state)}, {"because", OrNull(lane.because)},
          {"pending", lane.pending},     {"in_flight", lane.in_flight},   {"oldest", OrNull(lane.oldest)},
          {"until", OrNull(lane.until)}, {"places", std::move(places)}};
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
  object.emplace("problems", config::ToArray(report.problems));
  return object;
}

/// A slot for a slow request; false if all are taken.
class Room {
 public:
  Room(std::atomic<int>& taken, int most) : taken_(taken), has_(taken.fetch_add(1) < most) {
    if (!has_) taken_.fetch_sub(1);
  }
  ~Room() {
    if (has_) taken_.fetch_sub(1);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  explicit operator bool() const { return has_; }

 private:
  std::atomic<int>& taken_;
  const bool has_;
};

Answer NoSuchPage() {
  return Refused(404, "not_found", "there is no such page; see config/OPERATING.md, \"Admin API\"");
}

// The change is in effect, but will not survive a restart.
Answer NotStored(std::string_view what, const Error& error) {
  Answer answer = Failed(error);
  const Answer prefixed = Refused(answer.status, "not_stored", std::string(what) + ": " + error.message);
  answer.body = prefixed.body;
  return answer;
}

json::object Shown(std::string_view sink, const Dispatcher::Resumed& resumed) {
  using How = Dispatcher::Resumed::How;
  json::value works = nullptr;
  std::string reason = resumed.because;
  switch (resumed.how) {
    case How::kWorks: works = true; break;
    case How::kFails: works = false; break;
    case How::kNothingToTry: reason = "nothing waits, so nothing was tried"; break;
    case How::kNotKnownYet: reason = "what was tried has no outcome yet"; break;
  }
  return {{"ok", true}, {"sink", sink}, {"paused", false}, {"works", std::move(works)}, {"because", OrNull(reason)}};
}

}  // namespace

std::string ToJson(const ReloadReport& report) {
  return ToText(ToObject(report));
}

/// A page that takes neither parameters nor a body.
struct AdminApi::Page {
  std::string_view path, method;
  Answer (AdminApi::*answer)(const ServedRequest& request, const Caller& caller);
};

Answer AdminApi::Handle(const ServedRequest& request, const Caller& caller) {
  const std::string_view path = request.path;
  if (IsHealth(path)) {
    if (auto refused = WrongMethod(request, "GET")) return *refused;
    return path == "/healthz" ? JsonAnswer(200, json::object{{"ok", true}}) : Ready(caller.May(Caller::Right::kRead));
  }
  if (path == "/metrics") {
    if (auto refused = WrongMethod(request, "GET")) return *refused;
    Answer answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics_.Text();
    return answer;
  }
  if (HistoryApi::Owns(path)) return history_.Handle(request);
  static constexpr Page kPages[] = {{kSignInPath, "POST", &AdminApi::SignIn},
                                    {"/api/v1/status", "GET", &AdminApi::ShowStatus},
                                    {"/api/v1/sinks", "GET", &AdminApi::ListSinks},
                                    {"/api/v1/reload", "POST", &AdminApi::Reload}};
  if (const auto* page = std::ranges::find(kPages, path, &Page::path); page != std::end(kPages)) {
    if (auto refused = WrongMethod(request, page->method)) return *refused;
    if (Status query = ExpectNoQuery(request.query); !query) return BadRequest(query.error());
    if (Status body = ExpectNoBody(request.body); !body) return BadRequest(body.error());
    return (this->*page->answer)(request, caller);
  }
  constexpr std::string_view kSinks = "/api/v1/sinks/";
  if (!path.starts_with(kSinks)) return NoSuchPage();
  const std::string_view rest = path.substr(kSinks.size());
  const auto slash = rest.rfind('/');
  const std::string_view verb = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (verb != "pause" && verb != "resume") return NoSuchPage();
  if (auto refused = WrongMethod(request, "POST")) return *refused;
  return ChangeSink(request, rest.substr(0, slash), verb == "pause");
}

Answer AdminApi::Ready(bool whole) const {
  json::object parts;
  bool ready = true;
  for (const Part& part : router_.Parts()) {
    ready = ready && !part.failing;
    if (whole) {
      parts.emplace(part.name, part.note.empty() ? json::value("ok") : json::value(part.note));
    } else if (part.failing) {
      parts.emplace(part.name, "failing");
    }
  }
  return JsonAnswer(ready ? 200 : 503, json::object{{"ready", ready}, {"parts", std::move(parts)}});
}

Answer AdminApi::SignIn(const ServedRequest& request, const Caller& caller) {
  json::object shown{
      {"ok", true}, {"who", OrNull(caller.who)}, {"may", ToString(*caller.may)}, {"expires_in", nullptr}};
  if (caller.by == Caller::By::kPlace) return JsonAnswer(200, shown);
  const bool encrypted = EqualsIgnoreCase(request.Header("X-Forwarded-Proto"), "https");
  auto cookie = guard_.MakeCookie(caller, encrypted);
  if (!cookie) {
    return Refused(401, "unauthorized", "send the token as \"Authorization: Bearer …\": a cookie gives no other one");
  }
  shown["expires_in"] = std::chrono::seconds(AdminGuard::kCookieLife).count();
  Answer answer = JsonAnswer(200, shown);
  answer.headers.emplace_back("Set-Cookie", std::move(*cookie));
  return answer;
}

Answer AdminApi::ShowStatus(const ServedRequest&, const Caller&) {
  const RouterStatus status = router_.Status();
  const JournalStats& journal = status.journal;
  return JsonAnswer(200,
                    json::object{{"version", status.version},
                                 {"generation", status.generation},
                                 {"config", status.config_file},
                                 {"ingress", status.ingress},
                                 {"admin", status.admin},
                                 {"started_at", ToRfc3339(status.started_at)},
                                 {"applied_at", ToRfc3339(status.applied_at)},
                                 {"need_restart", json::array(status.need_restart.begin(), status.need_restart.end())},
                                 {"sources", json::array(status.sources.begin(), status.sources.end())},
                                 {"journal",
                                  {{"events", journal.events},
                                   {"pending", journal.pending},
                                   {"bytes", journal.BytesUsed()},
                                   {"bytes_on_disk", journal.BytesOnDisk()},
                                   {"bad_rows", journal.bad_rows},
                                   {"unwritable_because", OrNull(journal.unwritable_reason)}}}});
}

Answer AdminApi::ListSinks(const ServedRequest&, const Caller&) {
  json::array sinks;
  for (const LaneStatus& lane : router_.Lanes()) sinks.push_back(ToObject(lane));
  return JsonAnswer(200, json::object{{"sinks", std::move(sinks)}});
}

Answer AdminApi::Reload(const ServedRequest&, const Caller&) {
  const Room room(reloads_, kMostReloads);
  if (!room) return Busy("a reload runs and another one waits for it: try again when it has ended");
  const ReloadReport report = router_.Reload();
  return JsonAnswer(report.applied ? 200 : 422, ToObject(report));
}

Answer AdminApi::ChangeSink(const ServedRequest& request, std::string_view sink, bool paused) {
  if (Status query = ExpectNoQuery(request.query); !query) return BadRequest(query.error());
  std::vector<std::string> names;
  for (const LaneStatus& lane : router_.Lanes()) names.push_back(lane.sink);
  if (const std::string unknown = WhatIsUnknown("sink", std::string(sink), names); sink.empty() || !unknown.empty()) {
    return Refused(404, "not_found", sink.empty() ? "no sink is named" : unknown);
  }
  if (paused) return PauseSink(sink, request.body);
  if (Status body = ExpectNoBody(request.body); !body) return BadRequest(body.error());
  return ResumeSink(sink);
}

Answer AdminApi::PauseSink(std::string_view sink, std::string_view body) {
  const auto pause = ParsePause(body, clock_.Wall());
  if (!pause) return BadRequest(pause.error());
  if (Status stored = router_.Pause(std::string(sink), *pause); !stored) {
    if (stored.error().code == ErrorCode::kNotFound) return Failed(stored.error());
    return NotStored("the sink is paused, but that could not be stored, so a restart would forget it", stored.error());
  }
  json::value until = nullptr;
  if (pause->until != WallTime{}) until = ToRfc3339(pause->until);
  return JsonAnswer(200, json::object{{"ok", true},
                                      {"sink", sink},
                                      {"paused", true},
                                      {"until", std::move(until)},
                                      {"because", OrNull(pause->because)}});
}

Answer AdminApi::ResumeSink(std::string_view sink) {
  // If too many requests wait already, the sink is resumed without waiting for an outcome.
  const Room room(resumes_, kMostResumes);
  const Dispatcher::Resumed resumed = router_.Resume(std::string(sink), static_cast<bool>(room));
  if (!resumed.stored) {
    return NotStored("the sink is resumed, but that could not be stored, so a restart would pause it again",
                     resumed.stored.error());
  }
  return JsonAnswer(200, Shown(sink, resumed));
}

}  // namespace hookswitch
