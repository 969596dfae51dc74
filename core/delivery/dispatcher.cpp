#include "core/delivery/dispatcher.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/delivery/scheduler.h"

namespace hookswitch {

Dispatcher::Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
                       std::shared_ptr<CrashMarks> marks)
    : scheduler_(std::make_unique<Scheduler>(journal, history, http, clock, metrics, std::move(marks))) {
  journal.OnRecorded([inbox = scheduler_->inbox](DeliverySeq delivery, DeliverySeq fallback, bool stored) {
    inbox->Record({delivery, fallback, stored});
  });
  {
    MutexLock lock(scheduler_->gauges->mu);
    scheduler_->gauges->scheduler = scheduler_.get();
  }
  metrics.BeforeScrape([gauges = scheduler_->gauges] {
    MutexLock lock(gauges->mu);
    if (gauges->scheduler) gauges->scheduler->SetGauges();
  });
}

Dispatcher::~Dispatcher() {
  {
    MutexLock lock(scheduler_->gauges->mu);
    scheduler_->gauges->scheduler = nullptr;
  }
  {
    MutexLock lock(scheduler_->mu);
    scheduler_->draining = true;
    scheduler_->CancelAll();
  }
  scheduler_->inbox->Close();
  if (scheduler_->thread.joinable()) scheduler_->thread.join();
}

Status Dispatcher::Start() {
  Scheduler& scheduler = *scheduler_;
  {
    MutexLock lock(scheduler.mu);
    HSW_CHECK(scheduler.plan && !scheduler.thread.joinable(), "Use comes before Start, and Start once");
    HSW_TRY(scheduler.LoadBacklog());
  }
  scheduler.thread = std::thread([&scheduler] { scheduler.Run(); });
  return Ok();
}

void Dispatcher::Use(std::shared_ptr<const DeliveryPlan> plan) {
  Scheduler& scheduler = *scheduler_;
  std::shared_ptr<const DeliveryPlan> old;  // ends after the lock is released, and with it sinks nobody uses any more
  {
    MutexLock lock(scheduler.mu);
    old = scheduler.plan;
    for (const auto& [name, planned] : plan->lanes) scheduler.LaneFor(name);
    for (auto& [name, lane] : scheduler.lanes) {
      const auto planned = plan->lanes.find(name);
      auto useless = lane->Use(planned == plan->lanes.end() ? nullptr : &planned->second, scheduler.clock);
      if (useless) scheduler.retired.push_back(std::move(useless));
    }
    std::erase_if(scheduler.lanes, [&](const auto& entry) {
      const bool ends = entry.second->lane.pending() == 0 && !plan->lanes.contains(entry.first);
      if (ends) entry.second->ClearGauges();
      return ends;
    });
    scheduler.plan = std::move(plan);
    scheduler.PublishLanes();
  }
  scheduler.inbox->Kick();
}

void Dispatcher::Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries) {
  scheduler_->inbox->Accept({std::move(event), std::move(deliveries)});
}

void Dispatcher::Revise(std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes) {
  scheduler_->inbox->Accept({std::move(event), changes.added, seq, changes.canceled});
}

namespace {

Status StorePause(Scheduler& scheduler, const std::string& sink, const std::optional<hookswitch::Pause>& pause) {
  {
    MutexLock lock(scheduler.mu);
    if (!scheduler.lanes.contains(sink)) return Error{ErrorCode::kNotFound, "no sink has the name \"" + sink + "\""};
  }
  Status saved = scheduler.history.SavePause(sink, pause);
  if (!saved) {
    log::Warn("pause_not_stored", {{"sink", sink}, {"paused", pause.has_value()}, {"reason", saved.error().message}});
  }
  return saved;
}

}  // namespace

Status Dispatcher::Pause(const std::string& sink, const hookswitch::Pause& pause) {
  Status stored = StorePause(*scheduler_, sink, pause);
  if (!stored && stored.error().code == ErrorCode::kNotFound) return stored;
  {
    MutexLock lock(scheduler_->mu);
    const auto found = scheduler_->lanes.find(sink);
    if (found == scheduler_->lanes.end()) return stored;
    scheduler_->paused[sink] = pause;
    scheduler_->SetPause(*found->second, pause);
    scheduler_->PublishLanes();
    const std::string reason =
        pause.because.empty() ? "paused by the operator" : "paused by the operator: " + pause.because;
    log::Warn("lane_paused", {{"sink", sink}, {"reason", reason}});
  }
  scheduler_->inbox->Kick();
  return stored;
}

Dispatcher::Resumed Dispatcher::Resume(const std::string& sink, std::chrono::milliseconds patience) {
  Resumed result;
  result.stored = StorePause(*scheduler_, sink, std::nullopt);
  Scheduler& scheduler = *scheduler_;
  std::uint64_t before = 0;
  {
    MutexLock lock(scheduler.mu);
    scheduler.paused.erase(sink);
    const auto found = scheduler.lanes.find(sink);
    if (found == scheduler.lanes.end()) return result;
    LaneRuntime& lane = *found->second;
    scheduler.SetPause(lane, std::nullopt);
    lane.lane.Resume(scheduler.clock.Mono());
    lane.log_next_probe = lane.lane.in_trouble();
    scheduler.PublishLanes();
    before = lane.concluded;
    log::Info("lane_resumed",
              {{"sink", sink},
               {"reason", lane.log_next_probe ? "resumed by the operator, and tried" : "resumed by the operator"}});
    if (lane.lane.pending() == 0) {
      result.how = Resumed::How::kNothingToTry;
      return result;
    }
  }
  scheduler.inbox->Kick();
  const auto until = std::chrono::steady_clock::now() + patience;
  MutexLock lock(scheduler.mu);
  ++scheduler.waiting;
  for (;;) {
    const auto found = scheduler.lanes.find(sink);
    if (found == scheduler.lanes.end()) break;
    const LaneRuntime& lane = *found->second;
    if (lane.concluded != before) {
      const bool works = lane.last_outcome.kind == Outcome::Kind::kDelivered ||
                         lane.last_outcome.kind == Outcome::Kind::kNext || !lane.lane.in_trouble();
      result.how = works ? Resumed::How::kWorks : Resumed::How::kFails;
      if (!works) result.because = lane.last_outcome.reason;
      break;
    }
    if (std::chrono::steady_clock::now() >= until) break;
    scheduler.concluded.WaitUntil(scheduler.mu, until);
  }
  --scheduler.waiting;
  return result;
}

std::shared_ptr<const std::vector<LaneStatus>> Dispatcher::RecentLanes() const {
  MutexLock lock(scheduler_->recent_mu);
  return scheduler_->recent;
}

std::optional<std::string> Dispatcher::PlaceThatHolds(const std::string& sink, DeliverySeq delivery) const {
  MutexLock lock(scheduler_->mu);
  const auto found = scheduler_->lanes.find(sink);
  const auto* place = found == scheduler_->lanes.end() ? nullptr : found->second->lane.PlaceThatHolds(delivery);
  if (!place) return {};
  return place->name + " is refused: " + place->because;
}

void Dispatcher::Announce(const Message& notice) {
  MutexLock lock(scheduler_->mu);
  if (scheduler_->plan) scheduler_->Notify("hookswitch", scheduler_->plan->notify_problems_to, notice);
}

std::vector<DeliverySeq> Dispatcher::Release(std::vector<DeliverySeq> deliveries) {
  std::sort(deliveries.begin(), deliveries.end());
  std::vector<DeliverySeq> released;
  MutexLock lock(scheduler_->mu);
  for (auto& [name, lane] : scheduler_->lanes) {
    for (const auto& [seq, ref] : lane->lane.Release(deliveries)) {
      lane->Forget(ref);
      released.push_back(seq);
    }
  }
  return released;
}

std::vector<LaneStatus> Dispatcher::Lanes() const {
  MutexLock lock(scheduler_->mu);
  return scheduler_->StatusOfLanes();
}

std::uint64_t Dispatcher::Passes() {
  // The pass that this asks for must not count yet, or the next caller may find the same number.
  const std::uint64_t passes = scheduler_->passes.load(std::memory_order_relaxed);
  scheduler_->inbox->Kick();
  return passes;
}

void Dispatcher::Drain(std::chrono::milliseconds timeout) {
  Scheduler& scheduler = *scheduler_;
  MutexLock lock(scheduler.mu);
  scheduler.draining = true;
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!scheduler.in_flight.empty() && std::chrono::steady_clock::now() < until) {
    scheduler.drained.WaitUntil(scheduler.mu, until);
  }
  scheduler.CancelAll();
  if (scheduler.marks) scheduler.marks->Clear();
}

}  // namespace hookswitch
