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
#include "core/delivery/lane.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/sink_notices.h"
#include "core/delivery/workers.h"

namespace hookswitch {

/// Small numbers for the (rule, template) pairs that deliveries come from, so that a million of them need not spell
/// them.
class Origins {
 public:
  std::uint32_t NumberOf(const std::string& rule, const std::string& template_name);
  const std::string& Rule(std::uint32_t number) const { return *names_[number].first; }
  const std::string& Template(std::uint32_t number) const { return *names_[number].second; }

 private:
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
  std::vector<std::pair<const std::string*, const std::string*>> names_;
};

/// A lane and what it takes to run it: its sink, its threads, its series. Guarded by its owner.
class LaneRuntime {
 public:
  LaneRuntime(std::string name, Metrics& metrics);

  /// Takes the plan's values; nullptr says that the plan no longer has the lane. Returns workers that have become
  /// useless and may still be at work.
  std::shared_ptr<Workers> Use(const DeliveryPlan::Lane* planned, const Clock& clock);

  /// Keep what is not worth a place in every LaneDelivery.
  void Remember(Lane::Ref ref, std::shared_ptr<const CallEvent> event, std::string state);
  /// The event that is kept of some is another one now.
  void Revise(EventSeq seq, const std::shared_ptr<const CallEvent>& event);
  void RememberStory(Lane::Ref ref, std::string story);
  /// A delivery whose state holds credentials, and is not stored.
  struct SecretState {
    std::vector<std::string> secrets;  ///< the credentials
    std::uint32_t stored_step = 0;     ///< where it goes on after a restart
    std::string stored_state;
  };
  /// The state that it has now holds `secrets`, which may be none. `step` and `state` are those before: they stay what
  /// is stored, unless older ones do.
  void RememberSecrets(Lane::Ref ref, std::vector<std::string> secrets, std::uint32_t step, const std::string& state);
  /// nullptr: its state is stored as it is.
  const SecretState* SecretStateOf(Lane::Ref ref) const;
  std::vector<std::string> SecretsOf(Lane::Ref ref) const {
    const auto* secret = SecretStateOf(ref);
    return secret ? secret->secrets : std::vector<std::string>();
  }
  void Forget(Lane::Ref ref);
  std::shared_ptr<const CallEvent> EventOf(Lane::Ref ref) const;
  const std::string& StateOf(Lane::Ref ref) const;
  const std::string& StoryOf(Lane::Ref ref) const;

  /// A call into its plugin never returned: whoever makes it keeps `call` until it does. With too many of them at a
  /// time, each of which holds a thread, the lane closes until they return or a reload brings another sink; returns
  /// whether this one closed it.
  bool CountStuck(std::weak_ptr<const void> call);
  /// Opens again if the calls that never returned have returned.
  void CheckStuck();

  /// Whether a failure deserves a log line of its own: a sink that is down must not flood the log. How many were left
  /// out before it; empty for one that is left out.
  std::optional<std::uint64_t> TellRetry(MonoTime now);

  LaneStatus Status(MonoTime now, WallTime wall) const;
  void SetGauges(MonoTime now) const;
  /// Before the lane ends: its series stay, and must not tell its last state for ever.
  void ClearGauges() const;
  bool is_call_sink() const { return sink && sink->kind() == Sink::Kind::kCall; }
  bool is_ordered() const { return sink && sink->Advice().ordered; }

  const std::string name;
  const std::uint64_t strand;
  Lane lane;
  std::shared_ptr<Sink> sink;
  std::chrono::milliseconds timeout{};
  bool paces_itself = false;  ///< the config sets its rate
  std::string fallback;
  std::string notify;  ///< the sink that hears of this one's troubles; "" for none
  SinkNotices notices;
  std::string because;  ///< of the newest throttle, pause or failing
  /// Trouble was logged, and its end was not.
  bool trouble_logged = false;
  /// The operator has resumed it: what becomes of the next probe is logged, too.
  bool log_next_probe = false;
  std::optional<Pause> pause;               ///< the operator's
  MonoTime paused_until = MonoTime::max();  ///< with `pause`
  std::uint64_t concluded = 0;              ///< attempts that have an outcome
  Outcome last_outcome;                     ///< of the newest of them: kind, code, reason, action
  std::shared_ptr<Workers> call_workers;

  struct Series {
    Series(const std::string& sink, Metrics& metrics);
    Counter delivered, retry, rejected, misconfigured, fell_back, dead, canceled;
    Histogram attempt_seconds, delivery_seconds;
    Gauge pending, oldest_seconds, open;
  };
  const Series series;

 private:
  std::string unavailable_because_;
  std::vector<std::weak_ptr<const void>> stuck_;  ///< calls that have not returned
  bool closed_by_stuck_ = false;
  TokenBucket retry_lines_{config::Rate{2, std::chrono::seconds(1), 20}};
  std::uint64_t untold_ = 0;
  std::unordered_map<Lane::Ref, std::shared_ptr<const CallEvent>> events_;
  std::unordered_map<Lane::Ref, std::string> states_, stories_;
  std::unordered_map<Lane::Ref, SecretState> secret_states_;
};

}  // namespace hookswitch
