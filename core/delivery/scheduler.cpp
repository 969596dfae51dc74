#include "core/delivery/scheduler.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPage = 10'000;
constexpr milliseconds kCallGrace = std::chrono::seconds(2);
constexpr milliseconds kOverdueEvery{500};
constexpr milliseconds kPublishEvery{200};
// So long after its timeout a request is not waited for, whatever the HTTP client says.
constexpr milliseconds kAnswerGrace = std::chrono::seconds(5);
// A wall clock that was wrong when a time was stored must not hold anything for years.
constexpr milliseconds kLongestWait = std::chrono::hours(24 * 7);
constexpr milliseconds kLongestPast = std::chrono::hours(24 * 365);
constexpr std::chrono::nanoseconds kLongestSleep = std::chrono::seconds(60);
// Two, so that a plugin that hangs in Render holds one and the other sinks go on with the other; more while several are
// slow.
constexpr std::size_t kRenderThreads = 2;
constexpr std::size_t kMostRenderThreads = 16;
constexpr std::string_view kCrashed = "crashed";
constexpr std::string_view kKilled = "killed";
constexpr std::string_view kHung = "plugin_hung";
// A process is killed by whom it pleases, so that shows little of what it was doing. A plugin that eats all memory is
// killed for each time, though.
constexpr int kMostKills = 10;

}  // namespace

Scheduler::Scheduler(Journal& the_journal, History& the_history, HttpClient& the_http, const Clock& the_clock,
                     Metrics& the_metrics, std::shared_ptr<CrashMarks> the_marks)
    : journal(the_journal),
      history(the_history),
      http(the_http),
      clock(the_clock),
      metrics(the_metrics),
      marks(std::move(the_marks)),
      jitter(static_cast<std::uint64_t>(the_clock.Wall().time_since_epoch().count())),
      renderers(std::make_unique<Workers>(the_clock, kRenderThreads, kMostRenderThreads)) {}

Scheduler::~Scheduler() {
  handle->Close();
  history_handle->Close();
}

void Scheduler::SetGauges() const {
  MutexLock lock(mu);
  for (const auto& [name, lane] : lanes) lane->SetGauges(clock.Mono());
}

Status Scheduler::LoadBacklog() {
  // Before anything is started: a delivery that ends the process must be known before it is tried again.
  if (marks) {
    for (const auto& one : marks->TakeLeft()) left.emplace(one.delivery, one);
  }
  DeliverySeq last = 0;
  for (;;) {
    auto page = journal.LoadPending(last, kPage);
    if (!page) return std::move(page).error();
    if (page->empty()) break;
    last = page->back().seq;
    for (auto& delivery : *page) Add(std::move(delivery), nullptr);
  }
  inbox->DropAccepted(last);
  auto dues = journal.LoadLanes();
  if (!dues) return std::move(dues).error();
  for (const LaneDue& due : *dues) Restore(due);
  return Ok();
}

void Scheduler::Run() {
  NameThread("scheduler");
  Inbox::Batch batch;
  std::chrono::nanoseconds patience{0};
  while (inbox->Take(batch, patience)) {
    MutexLock lock(mu);
    for (auto& recorded : batch.recorded) Handle(recorded);
    for (auto& progress : batch.progress) Handle(std::move(progress));
    for (auto& accepted : batch.accepted) {
      if (accepted.revises != 0) Revise(accepted);
      for (auto& delivery : accepted.deliveries) Add(std::move(delivery), accepted.event);
    }
    batch.recorded.clear();
    batch.progress.clear();
    batch.accepted.clear();
    MonoTime now = clock.Mono();
    if (now >= next_overdue_check) GiveUpOverdue(now);
    const MonoTime next = StartAll();
    if (draining && in_flight.empty()) drained.NotifyAll();
    now = clock.Mono();
    if (publish_now || now - published >= kPublishEvery) PublishLanes();
    patience =
        next <= now ? std::chrono::nanoseconds(0) : std::min<std::chrono::nanoseconds>(next - now, kLongestSleep);
    if (!in_flight.empty()) patience = std::min<std::chrono::nanoseconds>(patience, kOverdueEvery);
    // What happened in this pass is to be seen soon, also if nothing more happens.
    if (published < now) patience = std::min<std::chrono::nanoseconds>(patience, kPublishEvery);
    passes.fetch_add(1, std::memory_order_relaxed);
  }
}

LaneRuntime& Scheduler::LaneFor(const std::string& sink) {
  auto& lane = lanes[sink];
  if (!lane) {
    lane = std::make_unique<LaneRuntime>(sink, metrics);
    if (const auto found = paused.find(sink); found != paused.end()) SetPause(*lane, found->second);
  }
  return *lane;
}

void Scheduler::Revise(const Inbox::Accepted& revision) {
  for (auto& [name, lane] : lanes) {
    lane->Revise(revision.revises, revision.event);
    for (const auto& [delivery, ref] : lane->lane.Release(revision.unwanted)) lane->Forget(ref);
  }
  for (const DeliverySeq delivery : revision.unwanted) {
    if (in_flight.contains(delivery)) unwanted.insert(delivery);
  }
}

void Scheduler::Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) {
  LaneRuntime& lane = LaneFor(delivery.sink);
  const MonoTime now = clock.Mono();
  const WallTime wall = clock.Wall();
  const MonoTime accepted = AcceptedAt(delivery, now, wall);
  MonoTime due = delivery.due > wall ? now + std::min<milliseconds>(delivery.due - wall, kLongestWait) : accepted;
  // What a sink orders is known by rendering only: one that was tried before a restart must be seen before later ones.
  if (delivery.attempts > 0 && !delivery.is_held && lane.is_ordered()) due = accepted;
  MonoTime first_failed{};
  if (delivery.first_failed != WallTime{}) {
    first_failed = now - std::clamp<milliseconds>(wall - delivery.first_failed, milliseconds(0), kLongestPast);
  }
  const Lane::Ref ref = lane.lane.Add({.seq = delivery.seq,
                                       .event = delivery.event,
                                       .call_key = delivery.call_key,
                                       .accepted = accepted,
                                       .due = due,
                                       .first_failed = first_failed,
                                       .attempts = delivery.attempts,
                                       .failures = delivery.is_replay ? 0 : delivery.attempts,
                                       .origin = origins.NumberOf(delivery.rule, delivery.template_name),
                                       .step = static_cast<std::uint16_t>(delivery.step),
                                       .is_fallback = delivery.is_fallback,
                                       .is_replay = delivery.is_replay,
                                       .is_held = delivery.is_held,
                                       .newest_only = delivery.newest_only,
                                       .ends_call = delivery.ends_call});
  lane.Remember(ref, std::move(event), std::move(delivery.state));
  lane.RememberStory(ref, std::move(delivery.story));
}

/// The wall clock counts milliseconds, so two deliveries of one could swap places: what is numbered later counts as
/// accepted not earlier.
MonoTime Scheduler::AcceptedAt(const PendingDelivery& delivery, MonoTime now, WallTime wall) {
  const MonoTime accepted = now - std::max(wall - delivery.accepted_at, milliseconds(0));
  if (delivery.seq <= newest.first) return accepted;
  newest = {delivery.seq, std::max(accepted, newest.second)};
  return newest.second;
}

void Scheduler::Restore(const LaneDue& due) {
  if (due.pause) paused[due.sink] = *due.pause;
  const auto found = lanes.find(due.sink);
  if (found == lanes.end()) return;
  LaneRuntime& lane = *found->second;
  if (due.pause) SetPause(lane, due.pause);
  const milliseconds wait = due.due - clock.Wall();
  if (wait <= milliseconds(0)) return;
  lane.lane.Throttle(clock.Mono() + std::min(wait, lane.lane.policy().retry.max_retry_after));
  lane.because = "the other side asked for a pause before the last start";
}

void Scheduler::SetPause(LaneRuntime& lane, const std::optional<Pause>& pause) {
  lane.pause = pause;
  lane.paused_until = MonoTime::max();
  if (!pause) return;
  if (pause->until != WallTime{}) {
    lane.paused_until = clock.Mono() + std::max(pause->until - clock.Wall(), milliseconds(0));
  }
  lane.lane.Pause();
}

/// On a thread that may wait for the journal: what a pause leaves there.
void Scheduler::EndPauses(MonoTime now) {
  for (auto& [name, lane] : lanes) {
    if (!lane->pause || lane->paused_until > now) continue;
    SetPause(*lane, std::nullopt);
    paused.erase(name);
    lane->lane.Resume(now);
    lane->log_next_probe = lane->lane.in_trouble();
    log::Info("lane_resumed", {{"sink", name}, {"reason", "the operator's pause is over"}});
    renderers->Post(0, 0, kStoreLimit, [handle = history_handle, name = name] {
      const auto stored = handle->With([&](History& history) { return history.SavePause(name, std::nullopt); });
      if (stored && !*stored) {
        log::Warn("pause_not_stored", {{"sink", name}, {"paused", false}, {"reason", stored->error().message}});
      }
    });
  }
}

std::vector<LaneStatus> Scheduler::StatusOfLanes() const {
  const MonoTime now = clock.Mono();
  const WallTime wall = clock.Wall();
  std::vector<LaneStatus> result;
  for (const auto& [name, lane] : lanes) {
    LaneStatus status = lane->Status(now, wall);
    if (status.state != LaneStatus::State::kRemoved || status.pending > 0) result.push_back(std::move(status));
  }
  return result;
}

void Scheduler::PublishLanes() {
  auto now = std::make_shared<const std::vector<LaneStatus>>(StatusOfLanes());
  published = clock.Mono();
  publish_now = false;
  MutexLock lock(recent_mu);
  recent.swap(now);
}

MonoTime Scheduler::StartAll() {
  MonoTime next = MonoTime::max();
  if (draining || !plan) return next;
  EndPauses(clock.Mono());
  for (auto& [name, lane] : lanes) {
    MonoTime now = clock.Mono();
    NotifyOf(*lane, now);
    next = std::min({next, lane->notices.Next(lane->lane), lane->paused_until});
    while (const auto ending = lane->lane.NextEnding(now)) EndWithoutAttempt(*lane, *ending);
    while (const auto ref = lane->lane.Start(now)) Begin(*lane, *ref, now);
    next = std::min({next, lane->lane.NextLook(), lane->lane.NextEndingLook()});
  }
  return next;
}

void Scheduler::Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) {
  const LaneDelivery& delivery = lane.lane[ref];
  const WallTime wall = clock.Wall();
  auto attempt = std::make_shared<Attempt>(Attempt::Facts{.delivery = delivery.seq,
                                                          .event_seq = delivery.event,
                                                          .call_key = delivery.call_key,
                                                          .number = delivery.attempts + 1,
                                                          .step = delivery.step,
                                                          .trigger = delivery.is_replay       ? Trigger::kManual
                                                                     : delivery.attempts == 0 ? Trigger::kFirst
                                                                                              : Trigger::kAutomatic,
                                                          .sink_name = lane.name,
                                                          .rule = origins.Rule(delivery.origin),
                                                          .template_name = origins.Template(delivery.origin),
                                                          .state = lane.StateOf(ref),
                                                          .story = lane.StoryOf(ref),
                                                          .state_secrets = lane.SecretsOf(ref),
                                                          .timeout = lane.timeout,
                                                          .now = wall,
                                                          .plan = plan,
                                                          .sink = lane.sink,
                                                          .journal = handle,
                                                          .marks = marks},
                                           lane.EventOf(ref));
  const std::uint64_t id = ++last_attempt;
  const auto [flight, is_new] = in_flight.try_emplace(delivery.seq);
  HSW_CHECK(is_new, "a lane gives a delivery out once, and the journal gives a number once");
  flight->second = {.lane = &lane,
                    .ref = ref,
                    .id = id,
                    .stage = lane.is_call_sink() ? Stage::kCalling : Stage::kRendering,
                    .attempt = attempt,
                    .started = now,
                    .started_wall = wall};
  if (const auto ended = left.extract(delivery.seq)) {
    return Conclude(flight->second, Quarantine(ended.mapped(), lane.name));
  }
  const auto report = [inbox = inbox, seq = delivery.seq, id](auto what) { inbox->Report({seq, id, std::move(what)}); };
  if (lane.is_call_sink()) {
    lane.call_workers->Post(id, 0, lane.timeout + kCallGrace, [attempt, report] {
      auto failed = attempt->Prepare();
      report(failed ? std::move(*failed) : attempt->Deliver());
    });
    return;
  }
  renderers->Post(id, lane.strand, kPureLimit, [attempt, report] {
    if (auto failed = attempt->Prepare()) return report(std::move(*failed));
    std::visit(report, attempt->Render());
  });
}

void Scheduler::Handle(Inbox::Progress progress) {
  const auto found = in_flight.find(progress.delivery);
  if (found == in_flight.end() || found->second.id != progress.attempt || found->second.stage == Stage::kRecording)
    return;
  InFlight& flight = found->second;
  if (auto* request = std::get_if<HttpRequest>(&progress.what)) {
    if ((request->pace || !request->order.empty()) && !Admit(flight, *request)) {
      LetGo(flight);
      in_flight.erase(found);
      return;
    }
    flight.stage = Stage::kSending;
    flight.send_deadline = clock.Mono() + flight.attempt->facts().timeout + kAnswerGrace;
    http.Send(std::move(*request), flight.attempt->facts().timeout,
              [inbox = inbox, seq = progress.delivery, id = flight.id](HttpResult result) {
                inbox->Report({seq, id, std::move(result)});
              });
  } else if (auto* result = std::get_if<HttpResult>(&progress.what)) {
    PostInterpret(flight, std::move(*result));
  } else {
    Conclude(flight, std::move(std::get<Outcome>(progress.what)));
  }
}

// A rate in the sink's config is the operator's word, in place of what the plugin knows of each destination.
bool Scheduler::Admit(InFlight& flight, const HttpRequest& request) {
  LaneRuntime& lane = *flight.lane;
  Lane::Target target;
  if (request.pace) {
    const Pace& pace = *request.pace;
    flight.place = pace.key;
    target.place = RefusedPlaces::KeyOf(pace.key);
    if (!lane.paces_itself) target.pace = config::Rate{pace.max, pace.per, std::max(pace.burst, 1)};
  }
  if (!request.order.empty()) target.order = std::hash<std::string>{}(request.order);
  if (lane.lane.Admit(flight.ref, target, clock.Mono())) return true;
  lane.Remember(flight.ref, flight.Event(), flight.attempt->facts().state);
  return false;
}

void Scheduler::PostInterpret(InFlight& flight, HttpResult result) {
  if (!result.response) return Conclude(flight, flight.attempt->Interpret(result, clock.Wall()));
  flight.stage = Stage::kInterpreting;
  renderers->Post(flight.id, flight.lane->strand, kPureLimit,
                  [inbox = inbox, attempt = flight.attempt, seq = flight.attempt->facts().delivery, id = flight.id,
                   result = std::move(result), now = clock.Wall()] {
                    inbox->Report({seq, id, attempt->Interpret(result, now)});
                  });
}

void Scheduler::GiveUpOverdue(MonoTime now) {
  next_overdue_check = now + kOverdueEvery;
  for (const auto attempt : renderers->TakeOverdue()) Overdue(attempt);
  for (auto& [name, lane] : lanes) {
    if (lane->call_workers) {
      for (const auto attempt : lane->call_workers->TakeOverdue()) Overdue(attempt);
    }
    lane->CheckStuck();
  }
  for (auto& workers : retired) {
    for (const auto attempt : workers->TakeOverdue()) Overdue(attempt);
  }
  std::erase_if(retired, [](const auto& workers) { return workers->busy() == 0; });
  std::vector<std::uint64_t> unanswered;
  for (const auto& [seq, flight] : in_flight) {
    if (flight.stage == Stage::kSending && flight.send_deadline <= now) unanswered.push_back(flight.id);
  }
  for (const auto attempt : unanswered) Unanswered(attempt);
}

// The HTTP client keeps deadlines itself; one whose thread hangs must not hold a lane for ever.
void Scheduler::Unanswered(std::uint64_t attempt) {
  const auto found =
      std::find_if(in_flight.begin(), in_flight.end(), [&](const auto& entry) { return entry.second.id == attempt; });
  InFlight& flight = found->second;
  log::Error("request_unanswered", {{"sink", flight.lane->name}, {"delivery", flight.attempt->id()}});
  Outcome outcome;
  outcome.code = "timeout";
  outcome.reason = "the deadline passed, and the HTTP client did not say so";
  outcome.may_have_been_delivered = true;
  Conclude(flight, std::move(outcome));
}

void Scheduler::Overdue(std::uint64_t attempt) {
  const auto found =
      std::find_if(in_flight.begin(), in_flight.end(), [&](const auto& entry) { return entry.second.id == attempt; });
  if (found == in_flight.end() || found->second.stage == Stage::kRecording) return;
  InFlight& flight = found->second;
  flight.given_up = true;
  if (!flight.attempt->GiveUp()) {
    Outcome outcome;
    outcome.ours = true;
    outcome.code = "given_up";
    outcome.reason = "it waited too long for its turn, and the plugin was not asked";
    outcome.may_have_been_delivered = flight.stage == Stage::kInterpreting;
    return Conclude(flight, std::move(outcome));
  }
  log::Error("plugin_stuck", {{"sink", flight.lane->name}, {"delivery", flight.attempt->id()}});
  LaneRuntime& lane = *flight.lane;
  if (flight.attempt->facts().sink == lane.sink && lane.CountStuck(flight.attempt)) lane.notices.Unavailable();
  Conclude(flight, Hung(flight));
}

// How often an attempt at this delivery ended with `code` since it was accepted or replayed.
int Scheduler::TimesEnded(DeliverySeq delivery, std::string_view code) {
  const auto attempts = history.AttemptsOf(delivery);
  int times = 0;
  if (!attempts) return times;
  for (const StoredAttempt& attempt : *attempts) {
    if (attempt.trigger == Trigger::kManual) times = 0;
    if (attempt.code == code) ++times;
  }
  return times;
}

Outcome Scheduler::Quarantine(const CrashMarks::Left& what, const std::string& sink) {
  const int times = TimesEnded(what.delivery, what.crashed ? kCrashed : kKilled) + 1;
  const std::string inside =
      what.call == PluginCall::kPrepare ? "made ready for \"" + sink + "\"" : "inside the plugin of \"" + sink + "\"";
  Outcome outcome;
  outcome.ours = true;
  outcome.may_have_been_delivered = what.call == PluginCall::kInterpret || what.call == PluginCall::kDeliver;
  outcome.code = what.crashed ? kCrashed : kKilled;
  outcome.reason =
      (what.crashed ? "hookswitch ended while this was " : "hookswitch was killed while this was ") + inside;
  if (times >= (what.crashed ? 2 : kMostKills)) {
    outcome.kind = Outcome::Kind::kRejected;
    outcome.code = what.crashed ? "crashed_twice" : "killed_ten_times";
    outcome.reason = (what.crashed ? "crashed twice: hookswitch ended each time while this was "
                                   : "hookswitch was killed ten times while this was ") +
                     inside;
    outcome.action = "fix or replace the plugin, then replay the delivery";
  }
  return outcome;
}

Outcome Scheduler::Hung(const InFlight& flight) {
  Outcome outcome;
  outcome.code = kHung;
  outcome.reason = flight.stage == Stage::kCalling ? "the plugin did not return in time"
                                                   : "the plugin did not return from a function that takes no time";
  outcome.may_have_been_delivered = flight.stage != Stage::kRendering;
  if (TimesEnded(flight.attempt->facts().delivery, kHung) > 0) {
    outcome.kind = Outcome::Kind::kRejected;
    outcome.code = "hung_twice";
    outcome.reason = "hung twice: " + outcome.reason;
    outcome.action = "fix or replace the plugin, then replay the delivery";
  }
  return outcome;
}

// The attempt may be the last to hold a sink that a reload has replaced, and a plugin may take its time to end.
void Scheduler::LetGo(InFlight& flight) {
  if (!flight.attempt || flight.attempt->facts().plan == plan) return;
  renderers->Post(0, 0, kPureLimit, [last = std::move(flight.attempt)] {});
}

void Scheduler::CancelAll() {
  for (auto& [seq, flight] : in_flight) {
    if (flight.attempt) flight.attempt->Cancel();
  }
}

}  // namespace hookswitch
