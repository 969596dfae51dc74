#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/token_bucket.h"
#include "core/config/config.h"
#include "core/delivery/admission.h"
#include "core/delivery/call_queues.h"
#include "core/delivery/delivery_index.h"
#include "core/delivery/delivery_refusals.h"
#include "core/delivery/ended_calls.h"
#include "core/delivery/ending_queue.h"
#include "core/delivery/expiry.h"
#include "core/delivery/held_deliveries.h"
#include "core/delivery/lane_slots.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/refused_places.h"
#include "core/delivery/retry_policy.h"
#include "core/delivery/sink_trouble.h"
#include "core/delivery/start_queue.h"
#include "core/delivery/wait_log.h"
#include "core/event/outcome.h"
#include "core/event/wait.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// What the config says of one sink's deliveries.
struct LanePolicy {
  config::Rate rate;
  int concurrency = 8;
  config::Retry retry;
  config::Breaker breaker{};
  std::optional<std::chrono::milliseconds> max_age{};  ///< from acceptance; a delivery that waits longer ends as dead
  std::chrono::milliseconds settle{};                  ///< how long an ended call is remembered, to drop late soft ends
};

/// Schedules one sink's deliveries: which may start now, when to look again, and what follows each outcome.
///
/// A state machine driven by the times passed in; no I/O, not thread-safe. A delivery goes Add → Start → Finish →
/// Settle, and back to Start after a failure that is not final. It counts against `concurrency` from Start to Settle;
/// Settle is called once the outcome is durable, so a crash can duplicate at most `concurrency` deliveries. Deliveries
/// of one call start in DeliverySeq order, one at a time. A canceled or expired delivery goes Add → NextEnding → Settle
/// and does not count against `concurrency`.
///
/// While the sink is in trouble (misconfigured or failing: see SinkTrouble) one delivery at a time goes out as a probe,
/// and failed probes do not count as retries. While failing, every second probe prefers a delivery not tried before;
/// while misconfigured, every probe does.
///
/// A refusal (Outcome kMisconfigured) puts the whole sink in trouble only if nothing gets through: several deliveries
/// in a row were refused, or there is no other to try. Until then a refused delivery waits alone, 5 and then 30
/// seconds, or with everything for the same place (see RefusedPlaces). It is dead after the third refusal that counts:
/// others of the sink got through in between, and the wait before it was over.
class Lane {
 public:
  using Ref = LaneSlots::Ref;

  enum class Gate : std::uint8_t { kOpen, kUnavailable, kRemoved };
  using State = LaneStatus::State;

  /// How an outcome changed the lane's state.
  enum class Change : std::uint8_t {
    kNone,
    kThrottled,
    kPausedItself,  ///< now misconfigured: nothing gets through
    kFailing,
    kProbeFailed,
    kReopened
  };

  using End = EndReason;
  using Ending = LaneEnding;

  struct Verdict {
    DeliveryState state = DeliveryState::kPending;
    std::chrono::milliseconds wait{};  ///< with kPending: shortest time until the next start
    bool gave_up = false;              ///< with kDead: out of retries
    bool refused = false;              ///< with kDead: refused repeatedly while others got through
    Change change = Change::kNone;
    bool place_refused = false;  ///< the outcome's place is newly refused
    bool place_works = false;    ///< a refused place works again
  };

  explicit Lane(LanePolicy policy) { SetPolicy(std::move(policy)); }

  /// Applies to starts and outcomes from now on.
  void SetPolicy(LanePolicy policy);
  const LanePolicy& policy() const { return policy_; }
  /// Whether the end of a call changes anything here.
  bool settles() const { return policy_.settle.count() > 0 || held_.size() > 0; }

  /// Adds a delivery, which waits until it is due and the first of its call. One with `is_held` (and a call) is
  /// canceled by the delivery that ends its call; once due it is sent all the same. One with `newest_only` cancels
  /// older ones of its call that have not begun.
  Ref Add(const LaneDelivery& delivery);
  /// `event`, the final one of the call, has come, wanted here or not: what is held for the call, or will be, is
  /// canceled. What is held of `event` itself, which was revised to be final, is held no longer.
  void EndCall(std::uint64_t call_key, EventSeq event, MonoTime at);
  /// Moves the next delivery to in flight and returns it; empty if none may start at `now`. Call it until it is empty.
  std::optional<Ref> Start(MonoTime now);
  using Target = SendTarget;
  /// What the delivery that Start gave at `started` waited for, since its acceptance or its last attempt. Call it
  /// before Admit; `target`: where its request goes, if that is known.
  Waits WaitsOf(Ref ref, MonoTime started, const Target& target = {}) const;
  /// Asks whether the rendered request of a delivery in flight may be sent. False: the delivery waits for its turn, no
  /// longer in flight, as if never started. A Retry-After in response to an admitted request with a place throttles
  /// that place only.
  bool Admit(Ref ref, const Target& target, MonoTime now);
  /// When Start may next return a delivery if nothing else happens; MonoTime::max() for never.
  MonoTime NextLook() const;
  /// Applies an outcome to a delivery in flight. With kPending the delivery has its new due time, attempts and step.
  /// Does not limit the number of steps; the plugin host does.
  Verdict Finish(Ref ref, const Outcome& outcome, MonoTime now, Jitter& jitter);
  /// The next delivery that ends without an attempt; empty if none. A bounded number may be unsettled at a time.
  std::optional<Ending> NextEnding(MonoTime now);
  /// When NextEnding may next return one if nothing else happens; MonoTime::max() for never.
  MonoTime NextEndingLook() const;
  /// Call when the verdict or ending is durable. Removes the delivery (invalidating `ref`) after a final verdict or an
  /// ending; else it waits again. `ends`: removes it whatever the verdict.
  void Settle(Ref ref, bool ends = false);
  /// Removes the waiting deliveries among `seqs`, as if never added, and returns them. Their refs are invalid for this
  /// lane.
  std::vector<std::pair<DeliverySeq, Ref>> Release(const std::vector<DeliverySeq>& seqs);

  void SetGate(Gate gate) { gate_ = gate; }
  void Pause() { paused_ = true; }
  bool paused() const { return paused_; }
  /// Misconfigured, and enough refusals in a row show that it is the sink, not a single delivery.
  bool certainly_misconfigured() const { return is_misconfigured() && trouble_.is_certain(); }
  bool is_misconfigured() const { return trouble_.kind() == Trouble::kMisconfigured; }
  bool in_trouble() const { return trouble_.kind() != Trouble::kNone; }
  std::uint32_t delivered() const { return delivered_; }  ///< successful deliveries and steps; wraps
  /// Starts nothing before `until`: for a Retry-After, also one from before a restart.
  void Throttle(MonoTime until) { throttled_until_ = std::max(throttled_until_, until); }
  /// On the operator's request: lifts pause and throttle, and probes a sink in trouble at once.
  void Resume(MonoTime now);
  /// The sink was replaced: clears its trouble, and ignores refusals of attempts that the old one started.
  void Renew(MonoTime now);

  State StateAt(MonoTime now) const;
  MonoTime throttled_until() const { return throttled_until_; }
  /// With kThrottled, kMisconfigured and kFailing: the next try.
  MonoTime Until() const { return trouble_ ? std::max(trouble_.probe_at(), throttled_until_) : throttled_until_; }
  /// With kMisconfigured, kFailing and kProbing: the start of the trouble, or the last Resume.
  MonoTime troubled_since() const { return trouble_.since(); }

  const LaneDelivery& operator[](Ref ref) const { return slots_[ref]; }
  std::size_t pending() const { return slots_.size(); }  ///< in flight included
  std::size_t in_flight() const { return in_flight_; }   ///< started, not settled
  std::size_t held() const { return held_.size(); }      ///< until their calls end
  /// Acceptance of the oldest pending delivery; empty if none.
  std::optional<MonoTime> Oldest() const { return index_.Oldest(slots_); }
  const RefusedPlaces& refused_places() const { return admission_.places(); }
  /// The refused place that this delivery waits for; nullptr if none. Valid until the lane changes.
  const RefusedPlaces::Place* PlaceThatHolds(DeliverySeq seq);

 private:
  using Phase = LaneSlot::Phase;
  using Trouble = SinkTrouble::Kind;

  // lane.cpp
  void Hold(Ref ref);
  void ReleaseHeld(MonoTime now);
  void Enqueue(Ref ref);
  /// Queues a waiting delivery again, unless one before it in its call goes first.
  void Requeue(Ref ref);
  void RequeueAll(const std::vector<Ref>& refs);
  void ReplaceOlder(std::uint64_t call_key);
  void Unhold(Ref ref);
  void MarkEnding(Ref ref, End why, RefusedPlaces::Key place = 0);
  std::optional<Ref> NextDue(MonoTime now);
  void Remove(Ref ref);
  void Shrink();

  // lane_waits.cpp
  std::nullopt_t FoundNone(MonoTime now);
  std::optional<WaitKind> WhatHolds(MonoTime now) const;

  // lane_outcomes.cpp
  /// An attempt that has its outcome.
  struct Attempted {
    LaneSlot& slot;
    const Outcome& outcome;
    Admission::Sent sent;
    bool is_probe;  ///< of the sink
    MonoTime now;
  };
  /// What a response showed.
  struct Response {
    Change change = Change::kNone;
    bool place_works = false;
  };
  Verdict Judge(const Attempted& attempted, Jitter& jitter);
  Response Answered(const Attempted& attempted);
  void ShowsNothing(const Attempted& attempted);
  Verdict Throttled(const Attempted& attempted, Jitter& jitter);
  Verdict Failed(const Attempted& attempted, Jitter& jitter);
  Verdict Refused(const Attempted& attempted);
  Verdict RefusedByPlace(const Attempted& attempted);
  Change SinkWorks(MonoTime now);
  void MakeDue(MonoTime now, bool failed, bool refused);
  void RetryRefused(MonoTime now);
  static Verdict TryAgain(LaneSlot& slot, MonoTime due, std::chrono::milliseconds wait = {},
                          Change change = Change::kNone);
  static Verdict GiveUp(LaneSlot& slot, Change change);

  LanePolicy policy_;
  TokenBucket bucket_;
  Gate gate_ = Gate::kOpen;
  bool paused_ = false;
  std::uint8_t generation_ : 6 = 0;  ///< of the sink; see Renew
  MonoTime throttled_until_{};
  MonoTime latest_{};  ///< of an outcome, or of a Start that found nothing; Settle is not given a time
  std::uint32_t delivered_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t running_ = 0;  ///< in flight, without a verdict

  LaneSlots slots_;
  DeliveryIndex index_;
  CallQueues calls_;
  StartQueue queue_;
  HeldDeliveries held_;
  EndedCalls ended_calls_;
  Admission admission_;
  SinkTrouble trouble_;
  DeliveryRefusals refusals_;
  EndingQueue endings_;
  Expiry expiry_;
  WaitLog wait_log_;
};

}  // namespace hookswitch
