#include "core/delivery/lane_runtime.h"

#include <algorithm>
#include <atomic>

#include "core/base/check.h"

namespace hookswitch {
namespace {

// Events cached per lane, plus some per slot, so that a fast sink that lags for a moment need not read them back.
constexpr std::size_t kKeptEvents = 64;
constexpr std::size_t kKeptForEachSlot = 8;
constexpr std::size_t kShownPlaces = 20;
constexpr int kDefaultConcurrency = 8;
// Each delivery that hangs counts twice, and is then dead by itself, so allow many; but each stuck call holds a thread.
constexpr std::size_t kMaxStuck = 32;
const std::string kNoText;

std::uint64_t NextStrand() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

LanePolicy PolicyOf(const config::Sink& config, const Sink* sink) {
  const SinkAdvice advice = sink ? sink->Advice() : SinkAdvice{};
  LanePolicy policy;
  policy.rate = config.rate_limit.value_or(config::Rate{advice.rate_max, advice.rate_per, advice.rate_burst});
  policy.retry = config.retry;
  policy.breaker = config.breaker;
  policy.max_age = config.max_age;
  policy.concurrency = config.concurrency > 0   ? config.concurrency
                       : advice.concurrency > 0 ? advice.concurrency
                                                : kDefaultConcurrency;
  // The plugin takes one call at a time: more threads would only wait.
  if (sink && sink->kind() == Sink::Kind::kCall && !advice.concurrent_calls) policy.concurrency = 1;
  return policy;
}

}  // namespace

std::string_view ToString(LaneStatus::State state) {
  switch (state) {
    case LaneStatus::State::kOpen: return "open";
    case LaneStatus::State::kThrottled: return "throttled";
    case LaneStatus::State::kPaused: return "paused";
    case LaneStatus::State::kMisconfigured: return "misconfigured";
    case LaneStatus::State::kFailing: return "failing";
    case LaneStatus::State::kProbing: return "probing";
    case LaneStatus::State::kUnavailable: return "unavailable";
    case LaneStatus::State::kRemoved: return "removed";
  }
  Unreachable();
}

std::uint32_t Origins::NumberOf(const std::string& rule, const std::string& template_name) {
  const auto [found, is_new] = numbers_.try_emplace({rule, template_name}, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.emplace_back(&found->first.first, &found->first.second);
  return found->second;
}

LaneRuntime::LaneRuntime(std::string the_name, Metrics& metrics)
    : name(std::move(the_name)), strand(NextStrand()), lane(LanePolicy{}), series(name, metrics) {
  lane.SetGate(Lane::Gate::kRemoved);
}

std::shared_ptr<Workers> LaneRuntime::Use(const DeliveryPlan::Lane* planned, const Clock& clock) {
  if (!planned) {
    lane.SetGate(Lane::Gate::kRemoved);
    if (!plugin_.empty()) closed_since_ = clock.Wall();
    plugin_.clear();
    unavailable_reason_.clear();
    sink.reset();
    return std::exchange(call_workers, nullptr);
  }
  LanePolicy policy = PolicyOf(planned->config, planned->sink.get());
  policy.settle = planned->settle;
  timeout = planned->config.timeout;
  paces_itself = planned->config.rate_limit.has_value();
  plugin_ = planned->config.plugin;
  fallback = planned->config.fallback;
  notify = planned->config.notify_problems_to;
  notices.SetPatience(planned->config.notify_after);
  const bool same_sink = sink == planned->sink && sink;
  std::shared_ptr<Workers> useless;
  if (!same_sink) {
    sink = planned->sink;
    lane.Renew(clock.Mono());
    stuck_.clear();
    closed_by_stuck_ = false;
  }
  if (!same_sink || policy.concurrency != lane.policy().concurrency) {
    useless = std::exchange(call_workers, nullptr);
    if (is_call_sink()) call_workers = std::make_shared<Workers>(clock, static_cast<std::size_t>(policy.concurrency));
  }
  lane.SetPolicy(std::move(policy));
  if (!closed_by_stuck_) {
    if (!sink && unavailable_reason_.empty()) closed_since_ = clock.Wall();
    unavailable_reason_ = planned->unavailable_reason;
    lane.SetGate(sink ? Lane::Gate::kOpen : Lane::Gate::kUnavailable);
  }
  return useless;
}

void LaneRuntime::Remember(Lane::Ref ref, std::shared_ptr<const CallEvent> event, std::string state) {
  const std::size_t most = kKeptEvents + kKeptForEachSlot * static_cast<std::size_t>(lane.policy().concurrency);
  if (event && events_.size() < most) events_.insert_or_assign(ref, std::move(event));
  if (state.empty()) {
    states_.erase(ref);
  } else {
    states_.insert_or_assign(ref, std::move(state));
  }
}

void LaneRuntime::Revise(EventSeq seq, const std::shared_ptr<const CallEvent>& event) {
  for (auto& [ref, kept] : events_) {
    if (lane[ref].event == seq) kept = event;
  }
}

void LaneRuntime::RememberStory(Lane::Ref ref, std::string story) {
  if (!story.empty()) stories_.insert_or_assign(ref, std::move(story));
}

void LaneRuntime::Forget(Lane::Ref ref) {
  events_.erase(ref);
  states_.erase(ref);
  stories_.erase(ref);
  secret_states_.erase(ref);
}

void LaneRuntime::RememberSecrets(Lane::Ref ref, std::vector<std::string> secrets, std::uint32_t step,
                                  const std::string& state) {
  if (secrets.empty()) {
    secret_states_.erase(ref);
    return;
  }
  const auto [kept, is_new] = secret_states_.try_emplace(ref);
  kept->second.secrets = std::move(secrets);
  if (!is_new) return;
  kept->second.stored_step = step;
  kept->second.stored_state = state;
}

const LaneRuntime::SecretState* LaneRuntime::SecretStateOf(Lane::Ref ref) const {
  const auto found = secret_states_.find(ref);
  return found == secret_states_.end() ? nullptr : &found->second;
}

std::shared_ptr<const CallEvent> LaneRuntime::EventOf(Lane::Ref ref) const {
  const auto found = events_.find(ref);
  return found == events_.end() ? nullptr : found->second;
}

const std::string& LaneRuntime::StateOf(Lane::Ref ref) const {
  const auto found = states_.find(ref);
  return found == states_.end() ? kNoText : found->second;
}

const std::string& LaneRuntime::StoryOf(Lane::Ref ref) const {
  const auto found = stories_.find(ref);
  return found == stories_.end() ? kNoText : found->second;
}

bool LaneRuntime::CountStuck(std::weak_ptr<const void> call, WallTime now) {
  std::erase_if(stuck_, [](const auto& one) { return one.expired(); });
  stuck_.push_back(std::move(call));
  if (stuck_.size() < kMaxStuck || closed_by_stuck_) return false;
  closed_by_stuck_ = true;
  closed_since_ = now;
  unavailable_reason_ =
      std::to_string(stuck_.size()) + " calls into its plugin never returned; replace the plugin and reload";
  lane.SetGate(Lane::Gate::kUnavailable);
  return true;
}

void LaneRuntime::CheckStuck() {
  if (!closed_by_stuck_) return;
  std::erase_if(stuck_, [](const auto& one) { return one.expired(); });
  if (!stuck_.empty()) return;
  closed_by_stuck_ = false;
  unavailable_reason_.clear();
  lane.SetGate(sink ? Lane::Gate::kOpen : Lane::Gate::kRemoved);
}

std::optional<std::uint64_t> LaneRuntime::LimitFailureLog(MonoTime now) {
  if (!failure_lines_.Ready(now)) {
    ++suppressed_;
    return std::nullopt;
  }
  failure_lines_.Take(now);
  return std::exchange(suppressed_, 0);
}

LaneStatus LaneRuntime::Status(MonoTime now, WallTime wall) const {
  const auto to_wall = [&](MonoTime time) {
    return wall + std::chrono::duration_cast<std::chrono::milliseconds>(time - now);
  };
  LaneStatus status;
  status.sink = name;
  status.state = lane.StateAt(now);
  status.pending = lane.pending();
  status.in_flight = lane.in_flight();
  status.settling = lane.held();
  status.refused_places = lane.refused_places().all().size();
  if (const auto oldest = lane.Oldest()) status.oldest = to_wall(*oldest);
  for (const auto& [key, place] : lane.refused_places().all()) {
    if (status.places.size() == kShownPlaces) break;
    status.places.push_back({place.name, place.reason, place.waiting.size(), to_wall(place.probe_at)});
  }
  status.last_hour = last_hour;
  if (status.state != LaneStatus::State::kRemoved) {
    status.plugin = plugin_;
    status.fallback = fallback;
    status.rate = lane.policy().rate;
    status.concurrency = lane.policy().concurrency;
  }
  switch (status.state) {
    case LaneStatus::State::kOpen:
      if (const MonoTime next = lane.NextLook();
          lane.pending() > lane.in_flight() && next > now && next < MonoTime::max())
        status.until = to_wall(next);
      break;
    case LaneStatus::State::kThrottled:
    case LaneStatus::State::kMisconfigured:
    case LaneStatus::State::kFailing:
      status.until = to_wall(std::max(lane.Until(), now));
      status.because = reason;
      if (status.state != LaneStatus::State::kThrottled) status.since = to_wall(lane.troubled_since());
      break;
    case LaneStatus::State::kProbing:
      status.until = wall;
      status.because = reason;
      status.since = to_wall(lane.troubled_since());
      break;
    case LaneStatus::State::kPaused:
      status.since = paused_since;
      status.because = "paused by the operator";
      if (pause && !pause->because.empty()) status.because += ": " + pause->because;
      if (pause && pause->until != WallTime{}) status.until = pause->until;
      break;
    case LaneStatus::State::kUnavailable:
      status.because = unavailable_reason_;
      status.since = closed_since_;
      break;
    case LaneStatus::State::kRemoved:
      status.because = "the config no longer has this sink";
      status.since = closed_since_;
      break;
  }
  return status;
}

}  // namespace hookswitch
