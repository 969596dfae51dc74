#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/token_bucket.h"
#include "core/config/config.h"
#include "core/delivery/breaker.h"
#include "core/delivery/destinations.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/refused_places.h"
#include "core/delivery/retry_policy.h"
#include "core/delivery/send_order.h"
#include "core/delivery/seq_index.h"
#include "core/event/outcome.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// What a lane keeps of a delivery. Small, because a lane may hold a million.
struct LaneDelivery {
  DeliverySeq seq = 0;
  EventSeq event = 0;
  std::uint64_t call_key = 0;  ///< 0: no order
  MonoTime accepted{};
  MonoTime due{};              ///< not before
  MonoTime first_failed{};     ///< the first of `failures`, also of an earlier process; the zero time: none
  std::uint32_t attempts = 0;  ///< finished so far
  std::uint32_t failures = 0;  ///< those that count for the retry schedule
  std::uint32_t origin = 0;    ///< the owner's own number for rule and template
  std::uint16_t step = 0;
  bool is_fallback = false;  ///< another sink gave it up: it does not fall back again
  bool is_replay = false;    ///< the operator asked for it: nothing takes its place
  bool is_held = false;      ///< waits until `due` for a delivery that ends its call
  bool newest_only = false;  ///< a later one of its call takes its place
  bool ends_call = false;    ///< takes the place of one that is held
};

struct LanePolicy {
  config::Rate rate;
  int concurrency = 8;
  config::Retry retry;
  config::Breaker breaker{};
  std::optional<std::chrono::milliseconds> max_age{};  ///< from acceptance; what waits longer ends
  std::chrono::milliseconds settle{};  ///< how long an ended call is remembered, for a soft end that comes late
};

/// One sink's deliveries: which may start now, when to look again, and what becomes of each after an attempt.
///
/// A state machine driven by the times it is given: no thread, no lock, no I/O. A delivery goes
/// Add → Start → Finish → Settle, and after a failure that is not final → Start again. It holds one of `concurrency`
/// slots from Start to Settle, and Settle is called when the outcome is durable: so after a crash at most that many
/// deliveries can be sent twice. Deliveries of one call start in the order of their DeliverySeq, one at a time.
/// One that is not worth an attempt any more goes Add → End → Settle, without a slot.
///
/// While the sink is in trouble (misconfigured, or failing: see Breaker) one delivery at a time is a probe, and nothing
/// burns tries. A probe takes one that was not tried yet: always while misconfigured, every second time while failing.
///
/// A misconfiguration is about the sink only if nothing gets through: a few deliveries in a row have been refused, or
/// there is no other to try. Until then one that is refused waits alone, 5 and then 30 seconds, or with all that goes
/// to the same place (see RefusedPlaces); refused for the third time while others of the sink were delivered, and not
/// sooner than after those 35 seconds, it ends.
class Lane {
 public:
  using Ref = std::uint32_t;

  enum class Gate : std::uint8_t { kOpen, kUnavailable, kRemoved };
  using State = LaneStatus::State;

  /// What an outcome did to the lane.
  enum class Change : std::uint8_t {
    kNone,
    kThrottled,
    kPausedItself,  ///< it is misconfigured: nothing gets through
    kFailing,
    kProbeFailed,
    kReopened
  };

  /// Why a delivery ends without another attempt.
  enum class End : std::uint8_t {
    kReplaced,  ///< canceled: a later status of its call took its place
    kSettled,   ///< canceled: its call has really ended, and that is told instead
    kTooOld,    ///< dead: past max_age
    kGivenUp,   ///< dead: the sink has failed for all of give_up_after
    kRefused,   ///< dead: its place is refused again and again, while others get through
  };
  struct Ending {
    Ref ref = 0;
    End why{};
    RefusedPlaces::Key place = 0;  ///< with kRefused
  };

  struct Verdict {
    DeliveryState state = DeliveryState::kPending;
    std::chrono::milliseconds wait{};  ///< with kPending: until the next start, at least
    bool gave_up = false;              ///< with kDead: it might have worked with more time
    bool refused = false;              ///< with kDead: misconfigured again and again, while others got through
    Change change = Change::kNone;
    bool place_refused = false;  ///< the outcome's place, and all was right with it before
    bool place_works = false;    ///< one that was refused works again
  };

  explicit Lane(LanePolicy policy) { SetPolicy(std::move(policy)); }

  /// For starts and outcomes from now on.
  void SetPolicy(LanePolicy policy);
  const LanePolicy& policy() const { return policy_; }

  Ref Add(const LaneDelivery& delivery);
  /// The next delivery, which is in flight from now on; empty if none may start at `now`.
  std::optional<Ref> Start(MonoTime now);
  /// What the request of a delivery is about to go to.
  struct Target {
    std::optional<Destinations::Key> place{};  ///< one of those that the sink writes to
    config::Rate pace{};                       ///< of that place
    std::optional<SendOrder::Key> order{};     ///< what it changes over there
  };
  /// The request of a delivery in flight is made. True: send it. False: it waits for its turn, no longer in flight and
  /// as if it had not been started. A pause that is asked for in answer to what was admitted holds its place only.
  bool Admit(Ref ref, const Target& target, MonoTime now);
  /// When Start may have something if nothing else happens; MonoTime::max() for never.
  MonoTime NextLook() const;
  /// Decides what becomes of a delivery in flight. With kPending the delivery has its new due time, attempts and step.
  /// How often a delivery may ask for a next step is its sink's business: the plugin host counts them.
  Verdict Finish(Ref ref, const Outcome& outcome, MonoTime now, Jitter& jitter);
  /// The next delivery that ends without an attempt; empty if there is none. Only so many wait for Settle at a time.
  std::optional<Ending> NextEnding(MonoTime now);
  /// When NextEnding may have something if nothing else happens; MonoTime::max() for never.
  MonoTime NextEndingLook() const;
  /// The verdict or the ending is durable: frees the slot. After a final verdict `ref` is gone. `ends`: also after any
  /// other, because the verdict cannot be stored.
  void Settle(Ref ref, bool ends = false);
  /// Lets go of the waiting deliveries among `seqs`, as if they had never been added. Returns their refs.
  std::vector<std::pair<DeliverySeq, Ref>> Release(const std::vector<DeliverySeq>& seqs);

  void SetGate(Gate gate) { gate_ = gate; }
  void Pause() { paused_ = true; }
  bool paused() const { return paused_; }
  /// It is misconfigured, and so many were refused in a row that it is not one of them.
  bool certainly_misconfigured() const { return trouble_ == Trouble::kMisconfigured && closed_; }
  bool is_misconfigured() const { return trouble_ == Trouble::kMisconfigured; }
  bool in_trouble() const { return trouble_ != Trouble::kNone; }
  std::uint32_t delivered() const { return delivered_; }  ///< deliveries and steps that got through; wraps
  /// Nothing starts before `until`: a pause that began before this lane was made.
  void Throttle(MonoTime until) { throttled_until_ = std::max(throttled_until_, until); }
  /// The operator says it works: lifts a pause and a throttle, and probes a sink in trouble at once.
  void Resume(MonoTime now);
  /// A new sink stands behind the lane: forgets that the old one was misconfigured, and what it may still say of that.
  void Renew(MonoTime now);

  State StateAt(MonoTime now) const;
  MonoTime throttled_until() const { return throttled_until_; }
  /// With kThrottled, kMisconfigured and kFailing: when it is tried again.
  MonoTime Until() const {
    return trouble_ != Trouble::kNone ? std::max(probe_at_, throttled_until_) : throttled_until_;
  }
  /// With kMisconfigured, kFailing and kProbing: since when.
  MonoTime troubled_since() const { return troubled_since_; }

  const LaneDelivery& operator[](Ref ref) const { return At(ref); }
  std::size_t pending() const { return pending_; }      ///< in flight included
  std::size_t in_flight() const { return in_flight_; }  ///< started and not settled
  /// Acceptance of the oldest pending delivery; empty if none.
  std::optional<MonoTime> Oldest() const;
  const RefusedPlaces& refused_places() const { return places_; }
  /// The place that a waiting delivery waits for because it is refused; nullptr if it does not.
  const RefusedPlaces::Place* PlaceThatHolds(DeliverySeq seq);

 private:
  enum class Phase : std::uint8_t { kFree, kHeld, kWaiting, kRunning, kAgain, kEnded, kEnding };
  enum class Trouble : std::uint8_t { kNone, kMisconfigured, kFailing };
  struct Slot : LaneDelivery {
    Phase phase = Phase::kFree;
    std::uint8_t era = 0;  ///< of the sink that it was started with
    bool in_call = false;  ///< it is in its call's queue
    bool in_line = false;  ///< it waits for a destination, a place or its order, not for its time
    Ref next = kNone;      ///< the next of the same call, or the next free slot

    bool tried() const { return attempts > 0; }
  };
  /// That it was refused as misconfigured.
  struct Refusals {
    std::uint8_t count = 0;              ///< those that count: others got through in between
    std::uint32_t streak = 0;            ///< in which it was refused last
    std::uint32_t delivered_before = 0;  ///< it was refused last
    MonoTime counts_from{};              ///< an earlier one does not
    bool came_early = false;             ///< one was earlier: the next waits until it counts
  };
  struct Due {
    MonoTime due;
    Ref ref;
    std::uint32_t seq;  ///< the DeliverySeq's low half: which of two that are due at once comes first
  };
  struct Call {
    Ref head = kNone, tail = kNone;
  };
  static constexpr Ref kNone = ~Ref{0};
  static constexpr std::size_t kChunk = 1024;

  Slot& At(Ref ref) { return (*chunks_[ref / kChunk])[ref % kChunk]; }
  const Slot& At(Ref ref) const { return (*chunks_[ref / kChunk])[ref % kChunk]; }
  static bool Later(const Due& a, const Due& b) { return a.due != b.due ? a.due > b.due : a.seq > b.seq; }
  Due Entry(MonoTime due, Ref ref) const { return {due, ref, static_cast<std::uint32_t>(At(ref).seq)}; }
  using Heap = std::vector<Due>;
  void Push(Ref ref);
  static void Pop(Heap& heap);
  void DropStale();
  bool IsNext(Ref ref) const;
  std::optional<Ref> NextInLine(MonoTime now);
  std::optional<Ref> NextPlaceProbe(MonoTime now);
  std::optional<Ref> NextDue(MonoTime now);
  bool BacksOff(Ref ref);
  void GoOn(const std::vector<std::pair<DeliverySeq, Ref>>& waited);
  void GoOnWith(Ref ref);
  bool IsThereStill(const Due& entry) const;
  Verdict Refused(Ref ref, const Outcome& outcome, bool is_probe, MonoTime now);
  Verdict RefusedByPlace(Ref ref, const Outcome& outcome, MonoTime now);
  bool AnotherToTry() const;
  void GotThrough();
  void Shrink();
  bool IsCurrent(const Due& entry) const;
  void Hold(Ref ref);
  void EndHeld(std::uint64_t call_key, End why);
  void RememberEnd(const Slot& slot);
  void ReleaseHeld(MonoTime now);
  void Enqueue(Ref ref);
  void ReplaceOlder(std::uint64_t call_key);
  void MarkEnding(Ref ref, End why, RefusedPlaces::Key place = 0);
  void NoteDeadline(MonoTime deadline);
  void SweepAnew();
  void Sweep(MonoTime now);
  MonoTime FirstFailed(const Slot& slot) const { return std::max(slot.first_failed, excused_until_); }
  void MakeDue(MonoTime now, bool failed, bool refused);
  void RetryRefused(MonoTime now);
  MonoTime Deadline(const Slot& slot) const;
  void Remove(Ref ref);
  void Enter(Trouble trouble, std::chrono::milliseconds wait, MonoTime now);
  void Leave(MonoTime now);
  Change ProbeFailed(MonoTime now, std::chrono::milliseconds longest);
  static Verdict Again(Slot& slot, MonoTime due, std::chrono::milliseconds wait, Change change);

  LanePolicy policy_;
  TokenBucket bucket_;
  Gate gate_ = Gate::kOpen;
  bool paused_ = false;
  std::uint8_t era_ = 0;
  MonoTime throttled_until_{};
  Trouble trouble_ = Trouble::kNone;
  MonoTime troubled_since_{};
  Breaker breaker_;
  MonoTime probe_at_{};
  std::chrono::milliseconds probe_wait_{};
  Ref probe_ = kNone;

  std::vector<std::unique_ptr<std::vector<Slot>>> chunks_;
  Ref free_ = kNone;
  Heap fresh_, tried_;  ///< heads of calls that wait; entries that no longer are true are skipped
  SeqIndex index_;      ///< all; those in it are in the order of their acceptance, but for late_
  MonoTime newest_{};   ///< acceptance of the newest of them
  Heap late_;  ///< those accepted before one that stands before them; entries that no longer are true are skipped
  Destinations destinations_;
  RefusedPlaces places_;
  std::unordered_map<Ref, RefusedPlaces::Key> place_of_;  ///< those that wait for a place, or probe it
  std::unordered_map<Ref, Refusals> refusals_;
  SendOrder order_;
  std::unordered_map<Ref, Destinations::Key> sent_to_;  ///< those in flight that were admitted to one
  std::unordered_map<std::uint64_t, Call> calls_;
  std::unordered_map<std::uint64_t, Ref> held_;  ///< by call
  std::vector<Due> held_due_;                    ///< a heap, with entries that no longer are true
  std::unordered_map<std::uint64_t, MonoTime> ended_calls_;
  std::deque<std::pair<MonoTime, std::uint64_t>> ended_order_;
  std::deque<Ending> endings_;  ///< marked, and not given out
  std::size_t ending_ = 0;      ///< given out, and not settled
  MonoTime next_sweep_ = MonoTime::max();
  Ref sweep_from_ = 0;                    ///< where a sweep that was cut short goes on
  MonoTime sweep_min_ = MonoTime::max();  ///< the earliest deadline that it has met
  MonoTime excused_until_{};              ///< failures before count as if they were then: the sink was misconfigured
  MonoTime kept_from_sweep_{};            ///< what has failed before is tried once more before it ends
  std::uint32_t delivered_ = 0;           ///< so many got through
  std::uint32_t streak_ = 1;              ///< the number of this run of refusals without a success
  std::uint32_t refused_ = 0;             ///< deliveries that were refused in it
  bool closed_ = false;                   ///< so many that nothing is tried but probes
  bool probe_untried_ = true;             ///< the next probe of a failing sink
  std::size_t pending_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t running_ = 0;  ///< of those in flight: without a verdict
};

}  // namespace hookswitch
