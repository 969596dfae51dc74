#include "core/admin/admin_api.h"

#include "core/admin/answers.h"
#include "core/admin/embedded_file.h"
#include "core/admin/known_names.h"
#include "core/admin/lane_json.h"
#include "core/admin/live_stream.h"
#include "core/admin/page_files.h"
#include "core/admin/query.h"
#include "core/admin/room.h"
#include "core/admin/withheld.h"
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr int kMostReloads = 2;  // one runs, one waits
constexpr int kMostResumes = 3;
constexpr int kMostTests = 2;

json::object ToObject(const IndexStatus& index) {
  return {{"indexed", index.indexed}, {"behind", index.behind}, {"bytes", index.bytes}};
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

Answer ShowDocument() {
  Answer answer;
  answer.body = ApiDocuments().front().bytes;
  return answer;
}

}  // namespace

json::object ToObject(std::string_view sink, const TestResult& result) {
  const Outcome& outcome = result.outcome;
  return {{"ok", outcome.kind == Outcome::Kind::kDelivered},
          {"sink", sink},
          {"outcome", ToString(outcome.kind)},
          {"http_status", outcome.http_status == 0 ? json::value(nullptr) : json::value(outcome.http_status)},
          {"code", OrNull(outcome.code)},
          {"reason", OrNull(outcome.reason)},
          {"action", OrNull(outcome.action)},
          {"latency_ms", result.latency.count()},
          {"request", OrNull(result.request)},
          {"response", OrNull(result.response)}};
}

std::string ToJson(const ReloadReport& report) {
  return ToText(ToObject(report));
}

AdminApi::AdminApi(Router& router, HistoryApi& history, AdminGuard& guard, const Clock& clock, Metrics& metrics)
    : router_(router),
      guard_(guard),
      clock_(clock),
      metrics_(metrics),
      problems_(router, history.history(), clock),
      config_(router) {
  using Takes = AdminRoute::Takes;
  using Routed = const RoutedRequest&;
  // Probes and scrapers send what they like.
  routes_.Add({"GET", "/healthz", Access::kPublic, Takes::kAnything, [](Routed) {
                 return JsonAnswer(200, json::object{{"ok", true}});
               }});
  routes_.Add({"GET", "/readyz", Access::kProbe, Takes::kAnything,
               [this](Routed routed) { return Ready(routed.caller.May(Caller::Right::kRead)); }});
  routes_.Add({"GET", "/metrics", Access::kMetrics, Takes::kAnything, [this](Routed) { return ShowMetrics(); }});
  routes_.Add(
      {"POST", kSignInPath, Access::kAnyRight, Takes::kNothing, [this](Routed routed) { return SignIn(routed); }});
  routes_.Add({"GET", "/api/v1/status", Access::kRead, Takes::kNothing,
               [this](Routed routed) { return ShowStatus(routed.caller); }});
  routes_.Add({"GET", "/api/v1/reach", Access::kRead, Takes::kNothing, [this](Routed) {
                 const auto challenge = router_.MakeChallenge();
                 return JsonAnswer(200, json::object{{"nonce", challenge.nonce}, {"proof", challenge.proof}});
               }});
  routes_.Add({"GET", "/api/v1/sinks", Access::kRead, Takes::kNothing, [this](Routed) { return ListSinks(); }});
  routes_.Add({"POST", "/api/v1/sinks/{+name}/pause", Access::kChange, Takes::kBody,
               [this](Routed routed) { return PauseSink(routed.values[0], routed.request.body); }});
  routes_.Add({"POST", "/api/v1/sinks/{+name}/resume", Access::kChange, Takes::kNothing,
               [this](Routed routed) { return ResumeSink(routed.values[0]); }});
  routes_.Add({"POST", "/api/v1/sinks/{+name}/test", Access::kChange, Takes::kNothing,
               [this](Routed routed) { return TestSink(routed.values[0]); }});
  routes_.Add({"POST", "/api/v1/reload", Access::kChange, Takes::kNothing,
               [this](Routed routed) { return Reload(routed.caller); }});
  routes_.Add({"GET", "/api/v1/cluster", Access::kRead, Takes::kNothing, [this](Routed) { return ListRouters(); }});
  routes_.Add({"POST", "/api/v1/cluster/reload", Access::kChange, Takes::kNothing,
               [this](Routed) { return AskOthersToReload(); }});
  // For HEAD, and so that it has its place here: AdminServer gives a GET to its LiveStream.
  routes_.Add({"GET", LiveStream::kPath, Access::kRead, Takes::kQuery, [](Routed) {
                 Answer answer;
                 answer.content_type = "text/event-stream";
                 return answer;
               }});
  config_.AddTo(routes_);
  routes_.Add({"GET", "/api/v1/openapi.json", Access::kRead, Takes::kNothing, [](Routed) { return ShowDocument(); }});
  history.AddTo(routes_);
  AddPage(routes_);
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

Answer AdminApi::ShowMetrics() const {
  Answer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = metrics_.Text();
  return answer;
}

Answer AdminApi::SignIn(const RoutedRequest& routed) {
  const Caller& caller = routed.caller;
  json::object shown{
      {"ok", true}, {"who", OrNull(caller.who)}, {"may", ToString(*caller.may)}, {"expires_in", nullptr}};
  if (caller.by == Caller::By::kPlace) return JsonAnswer(200, shown);
  const bool encrypted = EqualsIgnoreCase(routed.request.Header("X-Forwarded-Proto"), "https");
  auto cookie = guard_.MakeCookie(caller, encrypted);
  if (!cookie) {
    Answer answer =
        Refused(401, "unauthorized", "send the token as \"Authorization: Bearer …\": a cookie gives no other one");
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
  }
  shown["expires_in"] = std::chrono::seconds(AdminGuard::kCookieLife).count();
  Answer answer = JsonAnswer(200, shown);
  answer.headers.emplace_back("Set-Cookie", std::move(*cookie));
  return answer;
}

Answer AdminApi::ShowStatus(const Caller& caller) {
  const RouterStatus status = router_.Status();
  json::array problems;
  for (const StatusProblem& problem : problems_.Find(status)) problems.push_back(ToObject(problem));
  const JournalStats& journal = status.journal;
  return JsonAnswer(200,
                    json::object{{"name", status.name},
                                 {"version", status.version},
                                 {"generation", status.generation},
                                 {"config", status.config_file},
                                 {"ingress", status.ingress},
                                 {"admin", status.admin},
                                 {"started_at", ToRfc3339(status.started_at)},
                                 {"applied_at", ToRfc3339(status.applied_at)},
                                 {"bodies", ToString(router_.CurrentConfig()->bodies)},
                                 {"need_restart", json::array(status.need_restart.begin(), status.need_restart.end())},
                                 {"sources", json::array(status.sources.begin(), status.sources.end())},
                                 {"journal",
                                  {{"events", journal.events},
                                   {"pending", journal.pending},
                                   {"bytes", journal.BytesUsed()},
                                   {"bytes_on_disk", journal.BytesOnDisk()},
                                   {"bad_rows", journal.bad_rows},
                                   {"unwritable_because", OrNull(journal.unwritable_reason)}}},
                                 {"search", ToObject(status.search)},
                                 {"who", OrNull(caller.who)},
                                 {"may", ToString(*caller.may)},
                                 {"problems", std::move(problems)}});
}

Answer AdminApi::ListRouters() {
  std::vector<RouterCard> cards;
  if (Cluster* cluster = router_.cluster()) {
    auto found = cluster->Routers();
    if (!found) return Failed(found.error());
    cards = std::move(*found);
  } else {
    const RouterStatus status = router_.Status();
    RouterCard& card = cards.emplace_back();
    card = {.name = status.name, .version = status.version, .config = Hex(router_.Running().hash)};
    for (const LaneStatus& lane : router_.Lanes()) card.sinks.push_back(lane.sink);
    card.delivers = card.is_this = true;
  }
  json::array routers;
  for (const RouterCard& card : cards) {
    const json::array lanes(card.sinks.begin(), card.delivers ? card.sinks.end() : card.sinks.begin());
    routers.push_back(json::object{{"name", card.name},
                                   {"version", card.version},
                                   {"config", card.config},
                                   {"lease_age", std::chrono::duration<double>(card.age).count()},
                                   {"lanes", lanes},
                                   {"this", card.is_this}});
  }
  return JsonAnswer(200, json::object{{"routers", std::move(routers)}});
}

Answer AdminApi::AskOthersToReload() {
  json::array names;
  if (Cluster* cluster = router_.cluster()) {
    const auto asked = cluster->AskOthersToReload();
    if (!asked) return Failed(asked.error());
    names = json::array(asked->begin(), asked->end());
  }
  return JsonAnswer(200, json::object{{"asked", std::move(names)}});
}

Answer AdminApi::ListSinks() {
  json::array sinks;
  for (const LaneStatus& lane : router_.Lanes()) sinks.push_back(ToObject(lane, clock_.Wall()));
  return JsonAnswer(200, json::object{{"sinks", std::move(sinks)}});
}

Answer AdminApi::Reload(const Caller& caller) {
  const Room room(reloads_, kMostReloads);
  if (!room) return Busy("a reload runs and another one waits for it: try again when it has ended");
  const ReloadReport report = router_.Reload(caller.who);
  return JsonAnswer(report.applied ? 200 : 422, ToObject(report));
}

std::optional<Answer> AdminApi::NoSuchSink(std::string_view sink) {
  std::vector<std::string> names;
  for (const LaneStatus& lane : router_.Lanes()) names.push_back(lane.sink);
  const std::string unknown = WhatIsUnknown("sink", std::string(sink), names);
  if (unknown.empty()) return {};
  return Refused(404, "not_found", unknown);
}

Answer AdminApi::PauseSink(std::string_view sink, std::string_view body) {
  if (auto missing = NoSuchSink(sink)) return std::move(*missing);
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

Answer AdminApi::TestSink(std::string_view sink) {
  if (auto missing = NoSuchSink(sink)) return std::move(*missing);
  const Room room(tests_, kMostTests);
  if (!room) return Busy("other test messages are on their way: try again when they have arrived");
  const auto result = router_.TestSink(std::string(sink));
  if (result) return JsonAnswer(200, ToObject(sink, *result));
  // Trying again does not help.
  if (result.error().code == ErrorCode::kUnavailable) return Refused(409, "sink_unavailable", result.error().message);
  return Failed(result.error());
}

Answer AdminApi::ResumeSink(std::string_view sink) {
  if (auto missing = NoSuchSink(sink)) return std::move(*missing);
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
