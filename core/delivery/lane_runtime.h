#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/token_bucket.h"
#include "core/delivery/delivery_plan.h"
#include "core/delivery/hour_counts.h"
#include "core/delivery/lane.h"
#include "core/delivery/lane_series.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/sink_notices.h"
#include "core/delivery/workers.h"

namespace hookswitch {

/// Interns (rule, template) pairs, so that a million deliveries do not each store two strings.
class Origins {
 public:
  std::uint32_t NumberOf(const std::string& rule, const std::string& template_name);
  const std::string& Rule(std::uint32_t number) const { return *names_[number].first; }
  const std::string& Template(std::uint32_t number) const { return *names_[number].second; }

 private:
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
  std::vector<std::pair<const std::string*, const std::string*>> names_;
};

/// A lane with its sink, call threads and metrics. Not thread-safe; guarded by the dispatcher's mutex.
class LaneRuntime {
 public:
  LaneRuntime(std::string name, Metrics& metrics);

  /// Applies the plan; nullptr: the plan no longer has the lane. Returns replaced workers, which may still be busy; the
  /// caller keeps them until idle.
  std::shared_ptr<Workers> Use(const DeliveryPlan::Lane* planned, const Clock& clock);

  /// Stores what only a few deliveries have, outside LaneDelivery.
  void Remember(Lane::Ref ref, std::shared_ptr<const CallEvent> event, std::string state);
  /// Replaces the cached event of deliveries of `seq`.
  void Revise(EventSeq seq, const std::shared_ptr<const CallEvent>& event);
  void RememberStory(Lane::Ref ref, std::string story);
  /// For a delivery whose state contains credentials, and is therefore not written to the journal.
  struct SecretState {
    std::vector<std::string> secrets;  ///< the credentials
    std::uint32_t stored_step = 0;     ///< where it resumes after a restart
    std::string stored_state;
  };
  /// The delivery's new state contains `secrets` (may be empty). `step` and `state` are the previous ones: the journal
  /// keeps them, or older ones if those contained secrets too.
  void RememberSecrets(Lane::Ref ref, std::vector<std::string> secrets, std::uint32_t step, const std::string& state);
  /// nullptr: its state is stored unchanged.
  const SecretState* SecretStateOf(Lane::Ref ref) const;
  std::vector<std::string> SecretsOf(Lane::Ref ref) const {
    const auto* secret = SecretStateOf(ref);
    return secret ? secret->secrets : std::vector<std::string>();
  }
  void Forget(Lane::Ref ref);
  std::shared_ptr<const CallEvent> EventOf(Lane::Ref ref) const;
  const std::string& StateOf(Lane::Ref ref) const;
  const std::string& StoryOf(Lane::Ref ref) const;

  /// Counts a plugin call that has not returned; the calling thread keeps `call` alive until it does. Each holds a
  /// thread, so too many close the lane until all have returned or a reload replaces the sink. Returns whether this one
  /// closed it.
  bool CountStuck(std::weak_ptr<const void> call, WallTime now);
  /// Reopens the lane once the stuck calls have returned.
  void CheckStuck();

  /// Rate limit for log lines about failures. Empty: do not log; else the number of lines suppressed before this one.
  std::optional<std::uint64_t> LimitFailureLog(MonoTime now);

  LaneStatus Status(MonoTime now, WallTime wall) const;
  bool is_call_sink() const { return sink && sink->kind() == Sink::Kind::kCall; }
  bool is_ordered() const { return sink && sink->Advice().ordered; }

  const std::string name;
  const std::uint64_t strand;
  Lane lane;
  std::shared_ptr<Sink> sink;
  std::chrono::milliseconds timeout{};
  bool paces_itself = false;  ///< the config sets its rate, which overrides destination rates
  std::string fallback;
  std::string notify;  ///< the sink that gets notices about this one; "" for none
  SinkNotices notices;
  std::string reason;  ///< reason of the latest throttle or trouble
  /// Trouble was logged, its end not yet.
  bool trouble_logged = false;
  /// Log the next probe's result even if it fails: the operator has resumed the sink.
  bool log_next_probe = false;
  std::optional<Pause> pause;               ///< the operator's
  std::optional<WallTime> paused_since;     ///< with `pause`; empty: since before the start
  MonoTime paused_until = MonoTime::max();  ///< with `pause`
  std::uint64_t concluded = 0;              ///< attempts with an outcome
  Outcome last_outcome;                     ///< of the latest attempt: kind, code, reason, action
  std::shared_ptr<Workers> call_workers;
  const std::shared_ptr<HourCounts> last_hour = std::make_shared<HourCounts>();

  const LaneSeries series;

 private:
  std::string plugin_, unavailable_reason_;
  std::optional<WallTime> closed_since_;  ///< since when it is unavailable or removed; empty: since before the start
  std::vector<std::weak_ptr<const void>> stuck_;  ///< plugin calls that have not returned
  bool closed_by_stuck_ = false;
  TokenBucket failure_lines_{config::Rate{2, std::chrono::seconds(1), 20}};
  std::uint64_t suppressed_ = 0;
  std::unordered_map<Lane::Ref, std::shared_ptr<const CallEvent>> events_;
  std::unordered_map<Lane::Ref, std::string> states_, stories_;
  std::unordered_map<Lane::Ref, SecretState> secret_states_;
};

}  // namespace hookswitch
