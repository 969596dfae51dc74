#include "core/delivery/dispatcher.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/delivery/scheduler.h"

namespace hookswitch {

Dispatcher::Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
                       std::unique_ptr<CrashMarks> marks)
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
  }
  scheduler.inbox->Kick();
}

void Dispatcher::Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries) {
  scheduler_->inbox->Accept({std::move(event), std::move(deliveries)});
}

namespace {
void StorePause(Scheduler& scheduler, const std::string& sink, bool paused) {
  {
    MutexLock lock(scheduler.mu);
    if (!scheduler.lanes.contains(sink)) return;
  }
  const Status saved = scheduler.history.SavePause(sink, paused);
  if (!saved) log::Warn("pause_not_stored", {{"sink", sink}, {"paused", paused}, {"reason", saved.error().message}});
}
}  // namespace

void Dispatcher::Pause(const std::string& sink) {
  StorePause(*scheduler_, sink, true);
  MutexLock lock(scheduler_->mu);
  const auto found = scheduler_->lanes.find(sink);
  if (found == scheduler_->lanes.end()) return;
  scheduler_->paused.insert(sink);
  found->second->lane.Pause();
  log::Warn("lane_paused", {{"sink", sink}, {"reason", "paused by the operator"}});
}

void Dispatcher::Resume(const std::string& sink) {
  StorePause(*scheduler_, sink, false);
  {
    MutexLock lock(scheduler_->mu);
    const auto found = scheduler_->lanes.find(sink);
    if (found != scheduler_->lanes.end()) {
      scheduler_->paused.erase(sink);
      found->second->lane.Resume(scheduler_->clock.Mono());
      log::Info("lane_resumed", {{"sink", sink}, {"reason", "resumed by the operator"}});
    }
  }
  scheduler_->inbox->Kick();
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
  const MonoTime now = scheduler_->clock.Mono();
  const WallTime wall = scheduler_->clock.Wall();
  std::vector<LaneStatus> result;
  for (const auto& [name, lane] : scheduler_->lanes) {
    LaneStatus status = lane->Status(now, wall);
    if (status.state != LaneStatus::State::kRemoved || status.pending > 0) result.push_back(std::move(status));
  }
  return result;
}

std::uint64_t Dispatcher::Passes() {
  scheduler_->inbox->Kick();
  return scheduler_->passes.load(std::memory_order_relaxed);
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
