#include "core/delivery/dispatcher.h"

#include <algorithm>
#include <thread>
#include <unordered_map>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/delivery/attempt.h"
#include "core/delivery/inbox.h"
#include "core/delivery/lane_runtime.h"
#include "core/delivery/telling.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPage = 10'000;
// Render and Interpret are pure: one that takes so long will not come back.
constexpr milliseconds kPureLimit = std::chrono::seconds(5);
constexpr milliseconds kCallGrace = std::chrono::seconds(2);
constexpr milliseconds kOverdueEvery{500};
// A wall clock that was wrong when a time was stored must not hold anything for years.
constexpr milliseconds kLongestWait = std::chrono::hours(24 * 7);
constexpr std::chrono::nanoseconds kLongestSleep = std::chrono::seconds(60);
// Two, so that a plugin that hangs in Render holds one and the other sinks go on with the other; more while several are
// slow.
constexpr std::size_t kRenderThreads = 2;
constexpr std::size_t kMostRenderThreads = 16;

milliseconds ToMs(MonoTime::duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration);
}

}  // namespace

struct Dispatcher::Impl {
  Impl(Journal& the_journal, HttpClient& the_http, const Clock& the_clock, Metrics& the_metrics)
      : journal(the_journal),
        http(the_http),
        clock(the_clock),
        metrics(the_metrics),
        jitter(static_cast<std::uint64_t>(the_clock.Wall().time_since_epoch().count())),
        renderers(std::make_unique<Workers>(the_clock, kRenderThreads, kMostRenderThreads)) {}

  enum class Stage { kRendering, kSending, kInterpreting, kCalling, kRecording };
  struct InFlight {
    LaneRuntime* lane = nullptr;
    Lane::Ref ref = 0;
    std::uint64_t id = 0;  ///< tells this attempt from an earlier one whose answer comes late
    Stage stage = Stage::kRendering;
    std::shared_ptr<Attempt> attempt;
    MonoTime started{};
    WallTime started_wall{};
    bool given_up = false;   ///< a thread may still be in the attempt: nothing that it writes may be read
    bool ends = false;       ///< with kRecording: the verdict is final
    std::string fallback{};  ///< with kRecording: the sink that a new delivery goes to
    WallTime ended{};        ///< with kRecording
    /// The event, if it is known to have been read.
    std::shared_ptr<const CallEvent> Event() const { return given_up ? lane->EventOf(ref) : attempt->event(); }
    bool Hopeless() const { return !given_up && attempt->hopeless(); }
  };

  void Run() EXCLUDES(mu);
  void Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) REQUIRES(mu);
  LaneRuntime& LaneFor(const std::string& sink) REQUIRES(mu);
  void Throttle(const LaneDue& due) REQUIRES(mu);
  void Handle(Inbox::Progress progress) REQUIRES(mu);
  void Handle(const Inbox::Recorded& recorded) REQUIRES(mu);
  MonoTime StartAll() REQUIRES(mu);
  void Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) REQUIRES(mu);
  void PostInterpret(InFlight& flight, HttpResult result) REQUIRES(mu);
  void Conclude(InFlight& flight, Outcome outcome) REQUIRES(mu);
  void GiveUpOverdue(MonoTime now) REQUIRES(mu);
  void Overdue(std::uint64_t attempt) REQUIRES(mu);
  void CancelAll() REQUIRES(mu);

  Journal& journal;
  HttpClient& http;
  const Clock& clock;
  Metrics& metrics;
  const std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();

  mutable Mutex mu;
  CondVar drained;
  std::shared_ptr<const DeliveryPlan> plan GUARDED_BY(mu);
  std::map<std::string, std::unique_ptr<LaneRuntime>, std::less<>> lanes GUARDED_BY(mu);
  Origins origins GUARDED_BY(mu);
  std::unordered_map<DeliverySeq, InFlight> in_flight GUARDED_BY(mu);
  std::uint64_t last_attempt GUARDED_BY(mu) = 0;
  Jitter jitter GUARDED_BY(mu);
  bool draining GUARDED_BY(mu) = false;
  MonoTime next_overdue_check GUARDED_BY(mu){};
  std::vector<std::shared_ptr<Workers>> retired GUARDED_BY(mu);  ///< of call sinks that went; kept until they are idle
  std::unique_ptr<Workers> renderers;
  std::thread thread;

  /// Outlives the Impl in Metrics.
  struct Gauges {
    Mutex mu;
    const Impl* impl GUARDED_BY(mu) = nullptr;
  };
  const std::shared_ptr<Gauges> gauges = std::make_shared<Gauges>();
  void SetGauges() const EXCLUDES(mu) {
    MutexLock lock(mu);
    for (const auto& [name, lane] : lanes) lane->SetGauges(clock.Mono());
  }
};

void Dispatcher::Impl::Run() {
  Inbox::Batch batch;
  std::chrono::nanoseconds patience{0};
  while (inbox->Take(batch, patience)) {
    MutexLock lock(mu);
    for (auto& recorded : batch.recorded) Handle(recorded);
    for (auto& progress : batch.progress) Handle(std::move(progress));
    for (auto& accepted : batch.accepted) {
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
    patience =
        next <= now ? std::chrono::nanoseconds(0) : std::min<std::chrono::nanoseconds>(next - now, kLongestSleep);
    if (!in_flight.empty()) patience = std::min<std::chrono::nanoseconds>(patience, kOverdueEvery);
  }
}

LaneRuntime& Dispatcher::Impl::LaneFor(const std::string& sink) {
  auto& lane = lanes[sink];
  if (!lane) lane = std::make_unique<LaneRuntime>(sink, metrics);
  return *lane;
}

void Dispatcher::Impl::Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) {
  LaneRuntime& lane = LaneFor(delivery.sink);
  const MonoTime now = clock.Mono();
  const WallTime wall = clock.Wall();
  const MonoTime accepted = now - std::max(wall - delivery.accepted_at, milliseconds(0));
  const MonoTime due = delivery.due > wall ? now + std::min<milliseconds>(delivery.due - wall, kLongestWait) : accepted;
  const Lane::Ref ref = lane.lane.Add({.seq = delivery.seq,
                                       .event = delivery.event,
                                       .call_key = delivery.call_key,
                                       .accepted = accepted,
                                       .due = due,
                                       .attempts = delivery.attempts,
                                       .failures = delivery.attempts,
                                       .origin = origins.NumberOf(delivery.rule, delivery.template_name),
                                       .step = static_cast<std::uint16_t>(delivery.step),
                                       .is_fallback = delivery.is_fallback});
  lane.Remember(ref, std::move(event), std::move(delivery.state));
}

void Dispatcher::Impl::Throttle(const LaneDue& due) {
  const auto found = lanes.find(due.sink);
  const milliseconds wait = due.due - clock.Wall();
  if (found == lanes.end() || wait <= milliseconds(0)) return;
  LaneRuntime& lane = *found->second;
  lane.lane.Throttle(clock.Mono() + std::min(wait, kLongestWait));
  lane.because = "the other side asked for a pause before the last start";
}

MonoTime Dispatcher::Impl::StartAll() {
  MonoTime next = MonoTime::max();
  if (draining || !plan) return next;
  for (auto& [name, lane] : lanes) {
    MonoTime now = clock.Mono();
    while (const auto ref = lane->lane.Start(now)) Begin(*lane, *ref, now);
    next = std::min(next, lane->lane.NextLook());
  }
  return next;
}

void Dispatcher::Impl::Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) {
  const LaneDelivery& delivery = lane.lane[ref];
  auto attempt = std::make_shared<Attempt>(Attempt::Facts{.delivery = delivery.seq,
                                                          .event_seq = delivery.event,
                                                          .call_key = delivery.call_key,
                                                          .number = delivery.attempts + 1,
                                                          .step = delivery.step,
                                                          .sink_name = lane.name,
                                                          .rule = origins.Rule(delivery.origin),
                                                          .template_name = origins.Template(delivery.origin),
                                                          .state = lane.StateOf(ref),
                                                          .timeout = lane.timeout,
                                                          .plan = plan,
                                                          .sink = lane.sink},
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
                    .started_wall = clock.Wall()};
  const auto report = [inbox = inbox, seq = delivery.seq, id](auto what) { inbox->Report({seq, id, std::move(what)}); };
  if (lane.is_call_sink()) {
    lane.call_workers->Post(id, 0, lane.timeout + kCallGrace, [attempt, report, &journal = journal] {
      auto failed = attempt->Prepare(journal);
      report(failed ? std::move(*failed) : attempt->Deliver());
    });
    return;
  }
  renderers->Post(id, lane.strand, kPureLimit, [attempt, report, &journal = journal] {
    if (auto failed = attempt->Prepare(journal)) return report(std::move(*failed));
    std::visit(report, attempt->Render());
  });
}

void Dispatcher::Impl::Handle(Inbox::Progress progress) {
  const auto found = in_flight.find(progress.delivery);
  if (found == in_flight.end() || found->second.id != progress.attempt || found->second.stage == Stage::kRecording)
    return;
  InFlight& flight = found->second;
  if (auto* request = std::get_if<HttpRequest>(&progress.what)) {
    flight.stage = Stage::kSending;
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

void Dispatcher::Impl::PostInterpret(InFlight& flight, HttpResult result) {
  if (!result.response) return Conclude(flight, flight.attempt->Interpret(result, clock.Wall()));
  flight.stage = Stage::kInterpreting;
  renderers->Post(flight.id, flight.lane->strand, kPureLimit,
                  [inbox = inbox, attempt = flight.attempt, seq = flight.attempt->facts().delivery, id = flight.id,
                   result = std::move(result), now = clock.Wall()] {
                    inbox->Report({seq, id, attempt->Interpret(result, now)});
                  });
}

void Dispatcher::Impl::Conclude(InFlight& flight, Outcome outcome) {
  LaneRuntime& lane = *flight.lane;
  const Attempt::Facts& facts = flight.attempt->facts();
  const MonoTime now = clock.Mono();
  const WallTime wall = clock.Wall();
  const milliseconds latency = ToMs(now - flight.started);
  const bool is_fallback = lane.lane[flight.ref].is_fallback;
  const bool was_throttled = lane.lane.StateAt(now) == Lane::State::kThrottled;
  const Lane::Verdict verdict = lane.lane.Finish(flight.ref, outcome, now, jitter);
  const LaneDelivery& delivery = lane.lane[flight.ref];
  if (facts.sink && outcome.kind != Outcome::Kind::kDelivered) {
    outcome.reason = facts.sink->Mask(std::move(outcome.reason));
    outcome.action = facts.sink->Mask(std::move(outcome.action));
  }
  const auto event = flight.Event();
  TellAttempt(lane, {.attempt = *flight.attempt,
                     .event_id = event ? std::string_view(event->id) : std::string_view(),
                     .outcome = outcome,
                     .verdict = verdict,
                     .latency = latency,
                     .accepted = delivery.accepted,
                     .now = now});
  TellLane(lane, outcome, verdict, was_throttled);

  AttemptRecord record{.delivery = facts.delivery,
                       .event = facts.event_seq,
                       .sink = facts.sink_name,
                       .call_key = facts.call_key,
                       .number = facts.number,
                       .started_at = flight.started_wall,
                       .latency = latency,
                       .outcome = {},
                       .state = verdict.state,
                       .due = verdict.wait > milliseconds(0) ? wall + verdict.wait : WallTime{},
                       .step = delivery.step,
                       .lane_due = {},
                       .fallback_sink = {}};
  if (verdict.change == Lane::Change::kThrottled) record.lane_due = wall + ToMs(lane.lane.throttled_until() - now);
  const bool falls_back = verdict.state == DeliveryState::kDead && !flight.Hopeless() && !is_fallback &&
                          !lane.fallback.empty() && lane.fallback != lane.name && plan->lanes.contains(lane.fallback);
  if (falls_back) record.fallback_sink = flight.fallback = lane.fallback;
  flight.ended = record.EndedAt();
  flight.stage = Stage::kRecording;
  flight.ends = verdict.state != DeliveryState::kPending;
  if (!flight.ends) {
    lane.Remember(flight.ref, flight.Event(), outcome.kind == Outcome::Kind::kNext ? outcome.state : facts.state);
  }
  if (outcome.kind != Outcome::Kind::kNext)
    outcome.state = facts.state;  // a step that failed begins again where it was
  record.outcome = std::move(outcome);
  journal.Record(std::move(record));
}

void Dispatcher::Impl::Handle(const Inbox::Recorded& recorded) {
  auto node = in_flight.extract(recorded.delivery);
  if (node.empty()) return;
  InFlight& flight = node.mapped();
  HSW_CHECK(flight.stage == Stage::kRecording, "only what was given to Record is told as recorded");
  LaneRuntime& lane = *flight.lane;
  if (recorded.fallback != 0) {
    const Attempt::Facts& facts = flight.attempt->facts();
    // It takes its place behind what already waits for that sink.
    Add({.seq = recorded.fallback,
         .event = facts.event_seq,
         .call_key = facts.call_key,
         .accepted_at = flight.ended,
         .due = {},
         .attempts = 0,
         .step = 0,
         .is_fallback = true,
         .sink = flight.fallback,
         .rule = facts.rule,
         .template_name = facts.template_name,
         .state = {}},
        flight.Event());
  }
  // Without a record each further attempt would be the first again, so one that was set aside is not tried again.
  const bool ends = flight.ends || !recorded.stored;
  if (ends) lane.Forget(flight.ref);
  lane.lane.Settle(flight.ref, ends);
  if (flight.attempt->facts().plan != plan) {
    // It may be the last to hold a sink that a reload has replaced, and a plugin may take its time to end.
    renderers->Post(0, 0, kPureLimit, [last = std::move(flight.attempt)] {});
  }
}

void Dispatcher::Impl::GiveUpOverdue(MonoTime now) {
  next_overdue_check = now + kOverdueEvery;
  for (const auto attempt : renderers->TakeOverdue()) Overdue(attempt);
  for (auto& [name, lane] : lanes) {
    if (!lane->call_workers) continue;
    for (const auto attempt : lane->call_workers->TakeOverdue()) Overdue(attempt);
    lane->CheckStuck();
  }
  for (auto& workers : retired) {
    for (const auto attempt : workers->TakeOverdue()) Overdue(attempt);
  }
  std::erase_if(retired, [](const auto& workers) { return workers->busy() == 0; });
}

void Dispatcher::Impl::Overdue(std::uint64_t attempt) {
  const auto found =
      std::find_if(in_flight.begin(), in_flight.end(), [&](const auto& entry) { return entry.second.id == attempt; });
  if (found == in_flight.end() || found->second.stage == Stage::kRecording) return;
  InFlight& flight = found->second;
  flight.attempt->Cancel();
  flight.given_up = true;
  Outcome outcome;
  outcome.code = flight.stage == Stage::kCalling ? "timeout" : "plugin_hung";
  outcome.reason = flight.stage == Stage::kCalling ? "timed out: the plugin did not return in time"
                                                   : "the plugin did not return from a function that takes no time";
  outcome.may_have_been_delivered = flight.stage != Stage::kRendering;
  log::Error("plugin_stuck", {{"sink", flight.lane->name}, {"delivery", flight.attempt->id()}});
  if (flight.attempt->facts().sink == flight.lane->sink) flight.lane->CountStuck();
  Conclude(flight, std::move(outcome));
}

void Dispatcher::Impl::CancelAll() {
  for (auto& [seq, flight] : in_flight) flight.attempt->Cancel();
}

Dispatcher::Dispatcher(Journal& journal, HttpClient& http, const Clock& clock, Metrics& metrics)
    : impl_(std::make_unique<Impl>(journal, http, clock, metrics)) {
  journal.OnRecorded([inbox = impl_->inbox](DeliverySeq delivery, DeliverySeq fallback, bool stored) {
    inbox->Record({delivery, fallback, stored});
  });
  {
    MutexLock lock(impl_->gauges->mu);
    impl_->gauges->impl = impl_.get();
  }
  metrics.BeforeScrape([gauges = impl_->gauges] {
    MutexLock lock(gauges->mu);
    if (gauges->impl) gauges->impl->SetGauges();
  });
}

Dispatcher::~Dispatcher() {
  {
    MutexLock lock(impl_->gauges->mu);
    impl_->gauges->impl = nullptr;
  }
  {
    MutexLock lock(impl_->mu);
    impl_->draining = true;
    impl_->CancelAll();
  }
  impl_->inbox->Close();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Status Dispatcher::Start() {
  Impl& impl = *impl_;
  {
    MutexLock lock(impl.mu);
    HSW_CHECK(impl.plan && !impl.thread.joinable(), "Use comes before Start, and Start once");
    DeliverySeq last = 0;
    for (;;) {
      auto page = impl.journal.LoadPending(last, kPage);
      if (!page) return std::move(page).error();
      if (page->empty()) break;
      last = page->back().seq;
      for (auto& delivery : *page) impl.Add(std::move(delivery), nullptr);
    }
    impl.inbox->DropAccepted(last);
    auto dues = impl.journal.LoadLanes();
    if (!dues) return std::move(dues).error();
    for (const LaneDue& due : *dues) impl.Throttle(due);
  }
  impl.thread = std::thread([&impl] { impl.Run(); });
  return Ok();
}

void Dispatcher::Use(std::shared_ptr<const DeliveryPlan> plan) {
  Impl& impl = *impl_;
  std::shared_ptr<const DeliveryPlan> old;  // ends after the lock is released, and with it sinks nobody uses any more
  {
    MutexLock lock(impl.mu);
    old = impl.plan;
    for (const auto& [name, planned] : plan->lanes) impl.LaneFor(name);
    for (auto& [name, lane] : impl.lanes) {
      const auto planned = plan->lanes.find(name);
      auto useless = lane->Use(planned == plan->lanes.end() ? nullptr : &planned->second, impl.clock);
      if (useless) impl.retired.push_back(std::move(useless));
    }
    std::erase_if(impl.lanes, [&](const auto& entry) {
      const bool ends = entry.second->lane.pending() == 0 && !plan->lanes.contains(entry.first);
      if (ends) entry.second->ClearGauges();
      return ends;
    });
    impl.plan = std::move(plan);
  }
  impl.inbox->Kick();
}

void Dispatcher::Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries) {
  impl_->inbox->Accept({std::move(event), std::move(deliveries)});
}

void Dispatcher::Pause(const std::string& sink) {
  MutexLock lock(impl_->mu);
  const auto found = impl_->lanes.find(sink);
  if (found == impl_->lanes.end()) return;
  found->second->lane.Pause();
  log::Warn("lane_paused", {{"sink", sink}, {"reason", "paused by the operator"}});
}

void Dispatcher::Resume(const std::string& sink) {
  {
    MutexLock lock(impl_->mu);
    const auto found = impl_->lanes.find(sink);
    if (found != impl_->lanes.end()) {
      found->second->lane.Resume(impl_->clock.Mono());
      log::Info("lane_resumed", {{"sink", sink}, {"reason", "resumed by the operator"}});
    }
  }
  impl_->inbox->Kick();
}

std::vector<LaneStatus> Dispatcher::Lanes() const {
  MutexLock lock(impl_->mu);
  const MonoTime now = impl_->clock.Mono();
  const WallTime wall = impl_->clock.Wall();
  std::vector<LaneStatus> result;
  for (const auto& [name, lane] : impl_->lanes) {
    LaneStatus status = lane->Status(now, wall);
    if (status.state != LaneStatus::State::kRemoved || status.pending > 0) result.push_back(std::move(status));
  }
  return result;
}

void Dispatcher::Drain(milliseconds timeout) {
  Impl& impl = *impl_;
  MutexLock lock(impl.mu);
  impl.draining = true;
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!impl.in_flight.empty() && std::chrono::steady_clock::now() < until) impl.drained.WaitUntil(impl.mu, until);
  impl.CancelAll();
}

}  // namespace hookswitch
