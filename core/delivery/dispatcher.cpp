#include "core/delivery/dispatcher.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/log.h"

namespace hookswitch {

Dispatcher::Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
                       std::shared_ptr<CrashMarks> marks)
    : journal_(journal),
      history_(history),
      clock_(clock),
      metrics_(metrics),
      marks_(std::move(marks)),
      jitter_(static_cast<std::uint64_t>(clock.Wall().time_since_epoch().count())),
      runner_(inbox_, http, clock) {
  journal.OnRecorded([inbox = inbox_](DeliverySeq delivery, DeliverySeq fallback, bool stored) {
    inbox->Record({delivery, fallback, stored});
  });
  metrics.BeforeScrape([snapshot = snapshot_, gauges = std::make_shared<LaneGauges>(metrics), &clock] {
    gauges->Show(*snapshot->Get(), clock.Wall());
  });
}

Dispatcher::~Dispatcher() {
  {
    MutexLock lock(mu_);
    draining_ = true;
    CancelAll();
  }
  inbox_->Close();
  if (thread_.joinable()) thread_.join();
  snapshot_->Publish({});
  journal_ref_->Close();
  history_ref_->Close();
}

Status Dispatcher::Start() {
  inbox_->Open();
  {
    MutexLock lock(mu_);
    HSW_CHECK(plan_ && !thread_.joinable(), "Use comes before Start, and Start once");
    HSW_TRY(LoadBacklog());
    PublishLanes();
  }
  thread_ = std::thread([this] { Run(); });
  started_.store(true, std::memory_order_release);
  return Ok();
}

void Dispatcher::Use(std::shared_ptr<const DeliveryPlan> plan) {
  std::shared_ptr<const DeliveryPlan> old;  // destroyed after unlocking, with the sinks that only it still held
  {
    MutexLock lock(mu_);
    old = plan_;
    for (const auto& [name, planned] : plan->lanes) LaneFor(name);
    for (auto& [name, lane] : lanes_) {
      const auto planned = plan->lanes.find(name);
      auto useless = lane->Use(planned == plan->lanes.end() ? nullptr : &planned->second, clock_);
      if (useless) retired_.push_back(std::move(useless));
    }
    std::erase_if(lanes_, [&](const auto& entry) {
      return entry.second->lane.pending() == 0 && !plan->lanes.contains(entry.first);
    });
    settling_.clear();
    for (const auto& [name, lane] : lanes_) {
      if (lane->lane.settles()) settling_.push_back(lane.get());
    }
    plan_ = std::move(plan);
    PublishLanes();
  }
  inbox_->Kick();
}

void Dispatcher::Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries,
                        std::uint64_t ended_call) {
  inbox_->Accept({.event = std::move(event), .deliveries = std::move(deliveries), .ended_call = ended_call});
}

void Dispatcher::Revise(std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes,
                        std::uint64_t ended_call) {
  inbox_->Accept({std::move(event), changes.added, seq, changes.canceled, ended_call});
}

void Dispatcher::Follow(OthersChanges changes) {
  for (const EventSeq event : changes.revised) inbox_->Accept({.event = nullptr, .deliveries = {}, .revises = event});
  inbox_->Accept({.event = nullptr, .deliveries = std::move(changes.opened), .unwanted = std::move(changes.canceled)});
  for (const auto& [call_key, event] : changes.ended_calls) {
    inbox_->Accept({.event = nullptr, .deliveries = {}, .revises = event, .ended_call = call_key});
  }
  if (changes.lanes.empty()) return;
  {
    MutexLock lock(mu_);
    for (const LaneDue& lane : changes.lanes) FollowPause(lane);
    PublishLanes();
  }
  inbox_->Kick();
}

void Dispatcher::FollowPause(const LaneDue& stored) {
  if (stored.pause) {
    paused_[stored.sink] = *stored.pause;
  } else {
    paused_.erase(stored.sink);
  }
  const auto found = lanes_.find(stored.sink);
  if (found == lanes_.end()) return;
  LaneRuntime& lane = *found->second;
  SetPause(lane, stored.pause);
  if (stored.pause) {
    lane.paused_since = clock_.Wall();
    log::Warn("lane_paused", {{"sink", stored.sink}, {"reason", "paused at another router"}});
    return;
  }
  lane.lane.Resume(clock_.Mono());
  lane.log_next_probe = lane.lane.in_trouble();
  log::Info("lane_resumed", {{"sink", stored.sink}, {"reason", "resumed at another router"}});
}

Status Dispatcher::StorePause(const std::string& sink, const std::optional<hookswitch::Pause>& pause) {
  {
    MutexLock lock(mu_);
    if (!lanes_.contains(sink)) return Error{ErrorCode::kNotFound, "no sink has the name \"" + sink + "\""};
  }
  Status saved = history_.SavePause(sink, pause);
  if (!saved) {
    log::Warn("pause_not_stored", {{"sink", sink}, {"paused", pause.has_value()}, {"reason", saved.error().message}});
  }
  return saved;
}

Status Dispatcher::Pause(const std::string& sink, const hookswitch::Pause& pause) {
  Status stored = StorePause(sink, pause);
  if (!stored && stored.error().code == ErrorCode::kNotFound) return stored;
  {
    MutexLock lock(mu_);
    const auto found = lanes_.find(sink);
    if (found == lanes_.end()) return stored;
    paused_[sink] = pause;
    SetPause(*found->second, pause);
    found->second->paused_since = clock_.Wall();
    PublishLanes();
    const std::string reason =
        pause.because.empty() ? "paused by the operator" : "paused by the operator: " + pause.because;
    log::Warn("lane_paused", {{"sink", sink}, {"reason", reason}});
  }
  inbox_->Kick();
  return stored;
}

Dispatcher::Resumed Dispatcher::Resume(const std::string& sink, std::chrono::milliseconds patience) {
  Resumed result;
  result.stored = StorePause(sink, std::nullopt);
  std::uint64_t before = 0;
  {
    MutexLock lock(mu_);
    paused_.erase(sink);
    const auto found = lanes_.find(sink);
    if (found == lanes_.end()) return result;
    LaneRuntime& lane = *found->second;
    SetPause(lane, std::nullopt);
    lane.lane.Resume(clock_.Mono());
    lane.log_next_probe = lane.lane.in_trouble();
    PublishLanes();
    before = lane.concluded;
    log::Info("lane_resumed",
              {{"sink", sink},
               {"reason", lane.log_next_probe ? "resumed by the operator, and tried" : "resumed by the operator"}});
    if (lane.lane.pending() == 0) {
      result.how = Resumed::How::kNothingToTry;
      return result;
    }
  }
  inbox_->Kick();
  const auto until = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mu_);
  ++waiting_;
  for (;;) {
    const auto found = lanes_.find(sink);
    if (found == lanes_.end()) break;
    const LaneRuntime& lane = *found->second;
    if (lane.concluded != before) {
      const bool works = lane.last_outcome.kind == Outcome::Kind::kDelivered ||
                         lane.last_outcome.kind == Outcome::Kind::kNext || !lane.lane.in_trouble();
      result.how = works ? Resumed::How::kWorks : Resumed::How::kFails;
      if (!works) result.because = lane.last_outcome.reason;
      break;
    }
    if (std::chrono::steady_clock::now() >= until) break;
    concluded_.WaitUntil(mu_, until);
  }
  --waiting_;
  return result;
}

std::optional<std::string> Dispatcher::PlaceThatHolds(const std::string& sink, DeliverySeq delivery) const {
  MutexLock lock(mu_);
  const auto found = lanes_.find(sink);
  const auto* place = found == lanes_.end() ? nullptr : found->second->lane.PlaceThatHolds(delivery);
  if (!place) return {};
  return place->name + " is refused: " + place->reason;
}

void Dispatcher::Announce(const Message& notice) {
  MutexLock lock(mu_);
  if (plan_) Notify("hookswitch", plan_->notify_problems_to, notice);
}

std::vector<DeliverySeq> Dispatcher::Release(std::vector<DeliverySeq> deliveries) {
  std::sort(deliveries.begin(), deliveries.end());
  std::vector<DeliverySeq> released;
  MutexLock lock(mu_);
  for (auto& [name, lane] : lanes_) {
    for (const auto& [seq, ref] : lane->lane.Release(deliveries)) {
      lane->Forget(ref);
      ForgetLoaded(seq);
      released.push_back(seq);
    }
  }
  return released;
}

std::vector<LaneStatus> Dispatcher::Lanes() const {
  MutexLock lock(mu_);
  return StatusOfLanes();
}

std::uint64_t Dispatcher::Passes() {
  if (!started_.load(std::memory_order_acquire)) return passes_.fetch_add(1, std::memory_order_relaxed);
  // Read before the kick: if the requested pass were counted already, the next caller might see the same number.
  const std::uint64_t passes = passes_.load(std::memory_order_relaxed);
  inbox_->Kick();
  return passes;
}

std::optional<MonoTime> Dispatcher::AwaitIdle(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mu_);
  // The pass under way may have taken its reports before this call; the one after it has them all.
  const std::uint64_t enough = passes_.load(std::memory_order_relaxed) + 2;
  const auto is_idle = [&]() REQUIRES(mu_) {
    return passes_.load(std::memory_order_relaxed) >= enough && in_flight_.empty() && next_look_ > clock_.Mono();
  };
  ++awaiting_;
  while (!is_idle() && std::chrono::steady_clock::now() < until) {
    if (passes_.load(std::memory_order_relaxed) < enough) inbox_->Kick();
    passed_.WaitUntil(mu_, until);
  }
  --awaiting_;
  return is_idle() ? std::optional(next_look_) : std::nullopt;
}

void Dispatcher::Drain(std::chrono::milliseconds timeout) {
  MutexLock lock(mu_);
  draining_ = true;
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!in_flight_.empty() && std::chrono::steady_clock::now() < until) {
    drained_.WaitUntil(mu_, until);
  }
  CancelAll();
  if (marks_) marks_->Clear();
}

}  // namespace hookswitch
