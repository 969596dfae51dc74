#include "core/delivery/dispatcher.h"

#include <algorithm>
#include <limits>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPage = 10'000;
constexpr milliseconds kOverdueEvery{500};
constexpr milliseconds kPublishEvery{20};
constexpr milliseconds kLookForOwnership{200};
/// What was accepted before the backlog was loaded has long been handed over then.
constexpr milliseconds kLoadedKept = std::chrono::minutes(10);
// Limits for stored times: a wall clock that was wrong then must not delay a delivery for years.
constexpr milliseconds kLongestWait = std::chrono::hours(24 * 7);
constexpr milliseconds kLongestPast = std::chrono::hours(24 * 365);
constexpr std::chrono::nanoseconds kLongestSleep = std::chrono::seconds(60);
constexpr std::string_view kCrashed = "crashed";
constexpr std::string_view kKilled = "killed";
constexpr std::string_view kHung = "plugin_hung";
// SIGKILL rarely has to do with the delivery in progress. But a plugin that exhausts memory gets the process killed
// every time.
constexpr int kMostKills = 10;

}  // namespace

Status Dispatcher::LoadBacklog() {
  // Before anything starts: a delivery that crashed the process must be known before its next attempt.
  if (marks_) {
    for (const auto& one : marks_->TakeLeft()) left_.emplace(one.delivery, one);
  }
  DeliverySeq last = 0;
  for (;;) {
    auto page = journal_.LoadPending(last, kPage);
    if (!page) return std::move(page).error();
    if (page->empty()) break;
    last = page->back().seq;
    for (auto& delivery : *page) {
      loaded_.emplace_back(delivery.seq, delivery.accepted_at);
      if (delivery.ends_call && delivery.call_key != 0) EndCall(delivery.call_key, delivery.event, clock_.Mono());
      Add(std::move(delivery), nullptr);
    }
  }
  loaded_until_ = clock_.Mono() + kLoadedKept;
  auto dues = journal_.LoadLanes();
  if (!dues) return std::move(dues).error();
  for (const LaneDue& due : *dues) Restore(due);
  return Ok();
}

void Dispatcher::Run() {
  NameThread("scheduler");
  Inbox::Batch batch;
  std::chrono::nanoseconds patience{0};
  while (inbox_->Take(batch, patience)) {
    MutexLock lock(mu_);
    for (auto& recorded : batch.recorded) Handle(recorded);
    for (auto& progress : batch.progress) Handle(std::move(progress));
    for (auto& accepted : batch.accepted) {
      if (accepted.revises != 0 || !accepted.unwanted.empty()) ApplyRevision(accepted);
      for (auto& delivery : accepted.deliveries) {
        if (IsLoaded(delivery)) continue;
        if (in_flight_.contains(delivery.seq)) {
          // Canceled and replayed at another router while it was under way here.
          after_flight_[delivery.seq] = std::move(delivery);
          continue;
        }
        if (delivery.is_replay) LaneFor(delivery.sink).series.replayed.Add();
        Add(std::move(delivery), accepted.event);
      }
      if (accepted.ended_call != 0) EndCall(accepted.ended_call, accepted.revises, clock_.Mono());
    }
    batch.recorded.clear();
    batch.progress.clear();
    batch.accepted.clear();
    MonoTime now = clock_.Mono();
    if (now >= next_overdue_check_) GiveUpOverdue(now);
    if (now >= loaded_until_ && !loaded_.empty()) loaded_ = {};
    const MonoTime next = StartAll();
    if (draining_ && in_flight_.empty()) drained_.NotifyAll();
    now = clock_.Mono();
    if (publish_now_ || now - published_ >= kPublishEvery) PublishLanes();
    patience =
        next <= now ? std::chrono::nanoseconds(0) : std::min<std::chrono::nanoseconds>(next - now, kLongestSleep);
    if (!in_flight_.empty()) patience = std::min<std::chrono::nanoseconds>(patience, kOverdueEvery);
    // Wake again to publish the changes of this pass, even if nothing else happens.
    if (published_ < now) patience = std::min<std::chrono::nanoseconds>(patience, kPublishEvery);
    next_look_ = next;
    passes_.fetch_add(1, std::memory_order_relaxed);
    if (awaiting_ > 0) passed_.NotifyAll();
  }
}

/// True if LoadBacklog has enqueued this delivery already. Others may tell of it after it was sent: enqueueing it again
/// would send it twice. A replay has a later accepted_at and is not meant.
bool Dispatcher::IsLoaded(const PendingDelivery& delivery) const {
  const auto found = std::ranges::lower_bound(loaded_, delivery.seq, {}, &std::pair<DeliverySeq, WallTime>::first);
  return found != loaded_.end() && *found == std::pair(delivery.seq, delivery.accepted_at);
}

/// It left its lane: if it is enqueued again, it is meant.
void Dispatcher::ForgetLoaded(DeliverySeq delivery) {
  const auto found = std::ranges::lower_bound(loaded_, delivery, {}, &std::pair<DeliverySeq, WallTime>::first);
  if (found != loaded_.end() && found->first == delivery) found->second = WallTime::min();
}

LaneRuntime& Dispatcher::LaneFor(const std::string& sink) {
  auto& lane = lanes_[sink];
  if (!lane) {
    lane = std::make_unique<LaneRuntime>(sink, metrics_);
    if (const auto found = paused_.find(sink); found != paused_.end()) SetPause(*lane, found->second);
  }
  return *lane;
}

DeliveryRoute Dispatcher::RouteOf(const LaneRuntime& lane, const LaneDelivery& delivery) const {
  return {lane.name, origins_.Rule(delivery.origin), origins_.Template(delivery.origin)};
}

void Dispatcher::ApplyRevision(const Inbox::Accepted& revision) {
  for (auto& [name, lane] : lanes_) {
    lane->Revise(revision.revises, revision.event);
    for (const auto& [delivery, ref] : lane->lane.Release(revision.unwanted)) {
      lane->Forget(ref);
      ForgetLoaded(delivery);
    }
  }
  for (const DeliverySeq delivery : revision.unwanted) {
    if (in_flight_.contains(delivery)) unwanted_.insert(delivery);
  }
}

void Dispatcher::EndCall(std::uint64_t call_key, EventSeq event, MonoTime at) {
  for (LaneRuntime* lane : settling_) lane->lane.EndCall(call_key, event, at);
}

void Dispatcher::Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) {
  LaneRuntime& lane = LaneFor(delivery.sink);
  const MonoTime now = clock_.Mono();
  const WallTime wall = clock_.Wall();
  const MonoTime accepted = AcceptedAt(delivery, now, wall);
  MonoTime due = delivery.due > wall ? now + std::min<milliseconds>(delivery.due - wall, kLongestWait) : accepted;
  // The order key is known only after rendering: a delivery tried before a restart must render before later ones.
  if (delivery.attempts > 0 && !delivery.is_held && lane.is_ordered()) due = accepted;
  MonoTime first_failed{};
  if (delivery.first_failed != WallTime{}) {
    first_failed = now - std::clamp<milliseconds>(wall - delivery.first_failed, milliseconds(0), kLongestPast);
  }
  LaneDelivery waiting{delivery};
  waiting.accepted = accepted;
  waiting.due = due;
  waiting.first_failed = first_failed;
  constexpr std::uint32_t kMostFailures = std::numeric_limits<decltype(waiting.failures)>::max();
  waiting.failures = static_cast<std::uint16_t>(delivery.is_replay ? 0 : std::min(delivery.attempts, kMostFailures));
  // When its last attempt ended is not known; what it waits for from now on is.
  if (waiting.attempts > 0 && !waiting.is_replay) waiting.since = ShortTime(now);
  waiting.origin = origins_.NumberOf(delivery.rule, delivery.template_name);
  const Lane::Ref ref = lane.lane.Add(waiting);
  lane.Remember(ref, std::move(event), std::move(delivery.state));
  lane.RememberStory(ref, std::move(delivery.story));
}

/// A delivery numbered later counts as accepted no earlier, as far as rounding alone could swap the two: both times of
/// the wall clock are whole milliseconds. A larger difference is a clock that was wrong, and changes no other delivery.
MonoTime Dispatcher::AcceptedAt(const PendingDelivery& delivery, MonoTime now, WallTime wall) {
  constexpr milliseconds kRounding{2};
  const MonoTime accepted = now - std::max(wall - delivery.accepted_at, milliseconds(0));
  if (delivery.seq <= newest_.first) return accepted;
  const bool is_rounded = accepted < newest_.second && newest_.second - accepted < kRounding;
  newest_ = {delivery.seq, is_rounded ? newest_.second : accepted};
  return newest_.second;
}

void Dispatcher::Restore(const LaneDue& due) {
  if (due.pause) paused_[due.sink] = *due.pause;
  const auto found = lanes_.find(due.sink);
  if (found == lanes_.end()) return;
  LaneRuntime& lane = *found->second;
  if (due.pause) SetPause(lane, due.pause);
  const milliseconds wait = due.due - clock_.Wall();
  if (wait <= milliseconds(0)) return;
  lane.lane.Throttle(clock_.Mono() + std::min(wait, lane.lane.policy().retry.max_retry_after));
  lane.reason = "the other side asked for a pause before the last start";
}

void Dispatcher::SetPause(LaneRuntime& lane, const std::optional<hookswitch::Pause>& pause) {
  lane.pause = pause;
  lane.paused_since.reset();
  lane.paused_until = MonoTime::max();
  if (!pause) return;
  if (pause->until != WallTime{}) {
    lane.paused_until = clock_.Mono() + std::max(pause->until - clock_.Wall(), milliseconds(0));
  }
  lane.lane.Pause();
}

/// Lifts pauses that are over. A worker removes them from the journal, which may block.
void Dispatcher::EndPauses(MonoTime now) {
  for (auto& [name, lane] : lanes_) {
    if (!lane->pause || lane->paused_until > now) continue;
    SetPause(*lane, std::nullopt);
    paused_.erase(name);
    publish_now_ = true;
    lane->lane.Resume(now);
    lane->log_next_probe = lane->lane.in_trouble();
    log::Info("lane_resumed", {{"sink", name}, {"reason", "the operator's pause is over"}});
    runner_.workers().Post(0, 0, kStoreLimit, [history = history_ref_, name = name] {
      const auto stored = history->With([&](History& open) { return open.SavePause(name, std::nullopt); });
      if (stored && !*stored) {
        log::Warn("pause_not_stored", {{"sink", name}, {"paused", false}, {"reason", stored->error().message}});
      }
    });
  }
}

std::vector<LaneStatus> Dispatcher::StatusOfLanes() const {
  const MonoTime now = clock_.Mono();
  const WallTime wall = clock_.Wall();
  std::vector<LaneStatus> result;
  for (const auto& [name, lane] : lanes_) {
    LaneStatus status = lane->Status(now, wall);
    if (status.state != LaneStatus::State::kRemoved || status.pending > 0) result.push_back(std::move(status));
  }
  return result;
}

void Dispatcher::PublishLanes() {
  snapshot_->Publish(StatusOfLanes());
  published_ = clock_.Mono();
  publish_now_ = false;
}

MonoTime Dispatcher::StartAll() {
  MonoTime next = MonoTime::max();
  if (draining_ || !plan_) return next;
  if (!journal_.OwnsPending()) return clock_.Mono() + kLookForOwnership;
  EndPauses(clock_.Mono());
  for (auto& [name, lane] : lanes_) {
    MonoTime now = clock_.Mono();
    NotifyOf(*lane, now);
    next = std::min({next, lane->notices.Next(lane->lane), lane->paused_until});
    while (const auto ending = lane->lane.NextEnding(now)) EndWithoutAttempt(*lane, *ending);
    while (const auto ref = lane->lane.Start(now)) Begin(*lane, *ref, now);
    next = std::min({next, lane->lane.NextLook(), lane->lane.NextEndingLook()});
    // Also if nothing waits: the next pass shows that the pause is over.
    if (lane->lane.throttled_until() > now) next = std::min(next, lane->lane.throttled_until());
  }
  return next;
}

void Dispatcher::Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) {
  const LaneDelivery& delivery = lane.lane[ref];
  const WallTime wall = clock_.Wall();
  auto attempt = std::make_shared<Attempt>(Attempt::Facts{.delivery = delivery,
                                                          .route = RouteOf(lane, delivery),
                                                          .state = lane.StateOf(ref),
                                                          .story = lane.StoryOf(ref),
                                                          .state_secrets = lane.SecretsOf(ref),
                                                          .timeout = lane.timeout,
                                                          .now = wall,
                                                          .plan = plan_,
                                                          .sink = lane.sink,
                                                          .journal = journal_ref_,
                                                          .marks = marks_},
                                           lane.EventOf(ref));
  const std::uint64_t id = ++last_attempt_;
  const auto [flight, is_new] = in_flight_.try_emplace(delivery.seq);
  HSW_CHECK(is_new, "a lane gives a delivery out once, and the journal gives a number once");
  flight->second = {.lane = &lane, .ref = ref, .id = id, .attempt = attempt, .started = now, .started_wall = wall};
  flight->second.waits = lane.lane.WaitsOf(ref, now);
  if (const auto ended = left_.extract(delivery.seq)) {
    return Conclude(flight->second, Quarantine(ended.mapped(), lane.name));
  }
  if (lane.is_call_sink()) {
    runner_.Call({std::move(attempt), id}, *lane.call_workers, lane.timeout + AttemptRunner::kCallGrace);
  } else {
    runner_.Start({std::move(attempt), id, lane.strand});
  }
}

void Dispatcher::Handle(Inbox::Progress progress) {
  const auto found = in_flight_.find(progress.delivery);
  if (found == in_flight_.end() || found->second.id != progress.attempt || found->second.is_recording) return;
  InFlight& flight = found->second;
  auto* request = std::get_if<HttpRequest>(&progress.what);
  if (!request) return Conclude(flight, std::move(std::get<Outcome>(progress.what)));
  if (Admit(flight, *request)) {
    return runner_.Send({flight.attempt, flight.id, flight.lane->strand}, std::move(*request));
  }
  LetGo(flight);
  in_flight_.erase(found);
}

// A rate in the sink's config overrides the plugin's rate for each destination.
bool Dispatcher::Admit(InFlight& flight, const HttpRequest& request) {
  LaneRuntime& lane = *flight.lane;
  Lane::Target target;
  if (request.pace) {
    const Pace& pace = *request.pace;
    flight.place = pace.key;
    target.place = RefusedPlaces::KeyOf(pace.key);
    if (!lane.paces_itself) target.pace = config::Rate{pace.max, pace.per, std::max(pace.burst, 1)};
  }
  if (!request.order.empty()) target.order = std::hash<std::string>{}(request.order);
  if (target.place) flight.waits = lane.lane.WaitsOf(flight.ref, flight.started, target);
  if (lane.lane.Admit(flight.ref, target, clock_.Mono())) return true;
  lane.Remember(flight.ref, flight.Event(), flight.attempt->facts().state);
  return false;
}

void Dispatcher::GiveUpOverdue(MonoTime now) {
  next_overdue_check_ = now + kOverdueEvery;
  for (const auto& job : AttemptRunner::TakeOverdue(runner_.workers())) GiveUp(job);
  for (auto& [name, lane] : lanes_) {
    if (lane->call_workers) {
      for (const auto& job : AttemptRunner::TakeOverdue(*lane->call_workers)) GiveUp(job);
    }
    lane->CheckStuck();
  }
  for (auto& workers : retired_) {
    for (const auto& job : AttemptRunner::TakeOverdue(*workers)) GiveUp(job);
  }
  std::erase_if(retired_, [](const auto& workers) { return workers->busy() == 0; });
  std::vector<std::uint64_t> unanswered;
  for (const auto& [seq, flight] : in_flight_) {
    if (flight.is_recording || !flight.attempt || flight.attempt->stage() != Attempt::Stage::kSending) continue;
    const MonoTime until =
        flight.attempt->sending_since() + flight.attempt->facts().timeout + AttemptRunner::kAnswerGrace;
    if (until <= now) unanswered.push_back(flight.id);
  }
  for (const auto attempt : unanswered) Unanswered(attempt);
}

// The HTTP client enforces deadlines itself; if its thread hangs, the lane must go on.
void Dispatcher::Unanswered(std::uint64_t attempt) {
  const auto found =
      std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& entry) { return entry.second.id == attempt; });
  InFlight& flight = found->second;
  if (!flight.attempt->GiveUpSending()) return;
  log::Error("request_unanswered", {{"sink", flight.lane->name}, {"delivery", flight.attempt->id()}});
  Outcome outcome;
  outcome.code = "timeout";
  outcome.reason = "the deadline passed, and the HTTP client did not say so";
  outcome.may_have_been_delivered = true;
  Conclude(flight, std::move(outcome));
}

void Dispatcher::GiveUp(const AttemptRunner::Overdue& job) {
  const auto found =
      std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& entry) { return entry.second.id == job.id; });
  if (found == in_flight_.end() || found->second.is_recording) return;
  InFlight& flight = found->second;
  const Attempt::GaveUp gave_up = flight.attempt->GiveUp(job.stage);
  if (gave_up == Attempt::GaveUp::kMovedOn) return;
  flight.given_up = true;
  if (gave_up == Attempt::GaveUp::kOutside) {
    Outcome outcome;
    outcome.ours = true;
    outcome.code = "given_up";
    outcome.reason = "it waited too long for the journal or for its turn, and the plugin was not asked";
    outcome.may_have_been_delivered = job.stage == Attempt::Stage::kInterpreting;
    return Conclude(flight, std::move(outcome));
  }
  log::Error("plugin_stuck", {{"sink", flight.lane->name}, {"delivery", flight.attempt->id()}});
  LaneRuntime& lane = *flight.lane;
  if (flight.attempt->facts().sink == lane.sink && lane.CountStuck(flight.attempt, clock_.Wall())) {
    lane.notices.Unavailable();
  }
  Conclude(flight, Hung(flight));
}

// How often an attempt at this delivery ended with `code` since it was accepted or replayed.
int Dispatcher::TimesEnded(DeliverySeq delivery, std::string_view code) {
  const auto attempts = history_.AttemptsOf(delivery);
  int times = 0;
  if (!attempts) return times;
  for (const StoredAttempt& attempt : *attempts) {
    if (attempt.trigger == Trigger::kManual) times = 0;
    if (attempt.code == code) ++times;
  }
  return times;
}

Outcome Dispatcher::Quarantine(const CrashMarks::Left& what, const std::string& sink) {
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

Outcome Dispatcher::Hung(const InFlight& flight) {
  Outcome outcome;
  outcome.code = kHung;
  const bool is_call = flight.attempt->facts().sink->kind() == Sink::Kind::kCall;
  outcome.reason =
      is_call ? "the plugin did not return in time" : "the plugin did not return from a function that takes no time";
  outcome.may_have_been_delivered = is_call || flight.attempt->stage() == Attempt::Stage::kInterpreting;
  if (TimesEnded(flight.attempt->facts().delivery.seq, kHung) > 0) {
    outcome.kind = Outcome::Kind::kRejected;
    outcome.code = "hung_twice";
    outcome.reason = "hung twice: " + outcome.reason;
    outcome.action = "fix or replace the plugin, then replay the delivery";
  }
  return outcome;
}

// The attempt may hold the last reference to a replaced sink, whose plugin may be slow to destroy: do that on a worker.
void Dispatcher::LetGo(InFlight& flight) {
  if (!flight.attempt || flight.attempt->facts().plan == plan_) return;
  runner_.workers().Post(0, 0, AttemptRunner::kPureLimit, [last = std::move(flight.attempt)] {});
}

void Dispatcher::CancelAll() {
  for (auto& [seq, flight] : in_flight_) {
    if (flight.attempt) flight.attempt->Cancel();
  }
}

}  // namespace hookswitch
