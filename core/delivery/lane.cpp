#include "core/delivery/lane.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace hookswitch {

void Lane::SetPolicy(LanePolicy policy) {
  policy_ = std::move(policy);
  policy_.concurrency = std::max(policy_.concurrency, 1);
  bucket_.SetRate(policy_.rate);
  trouble_.SetPolicy(policy_.breaker);
  expiry_.SetLimits(policy_.max_age, policy_.retry.give_up_after);
}

Lane::Ref Lane::Add(const LaneDelivery& delivery) {
  const Ref ref = slots_.Add(delivery);
  const LaneSlot& slot = slots_[ref];
  index_.Add(ref, slot);
  expiry_.NoteDeadlineOf(slot, trouble_);
  if (slot.call_key != 0) {
    if (slot.is_held) {
      Hold(ref);
      return ref;
    }
    if (slot.ends_call) EndCall(slot.call_key, slot.event, slot.accepted);
  }
  Enqueue(ref);
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return ref;
}

void Lane::EndCall(std::uint64_t call_key, EventSeq event, MonoTime at) {
  if (const auto held = held_.Take(call_key)) {
    LaneSlot& slot = slots_[*held];
    if (slot.event == event) {
      slot.phase = LaneSlot::Phase::kWaiting;
      slot.due = at;
      Unhold(*held);
    } else {
      MarkEnding(*held, End::kSettled);
    }
  }
  if (!ended_calls_.Ended(call_key, at, policy_.settle)) ended_calls_.Add(call_key, at, policy_.settle);
}

void Lane::Hold(Ref ref) {
  const LaneSlot& slot = slots_[ref];
  if (ended_calls_.Ended(slot.call_key, slot.accepted, policy_.settle)) return MarkEnding(ref, End::kSettled);
  if (const auto older = held_.Take(slot.call_key)) MarkEnding(*older, End::kReplaced);
  held_.Add(slots_, ref);
}

void Lane::ReleaseHeld(MonoTime now) {
  while (const auto ref = held_.TakeDue(slots_, now)) Unhold(*ref);
}

void Lane::Unhold(Ref ref) {
  expiry_.NoteDeadlineOf(slots_[ref], trouble_);
  Enqueue(ref);
}

void Lane::Enqueue(Ref ref) {
  if (calls_.Add(slots_, ref)) queue_.Push(ref, slots_[ref]);
}

void Lane::ReplaceOlder(std::uint64_t call_key) {
  calls_.EndSuperseded(slots_, call_key, [this](Ref ref) { MarkEnding(ref, End::kReplaced); });
}

void Lane::MarkEnding(Ref ref, End why, RefusedPlaces::Key place) {
  endings_.Add(slots_, {ref, why, place});
}

std::optional<Lane::Ending> Lane::NextEnding(MonoTime now) {
  if (NextEndingLook() > now) return std::nullopt;
  if (endings_.empty()) expiry_.Sweep(slots_, calls_, trouble_, endings_, now);
  if (endings_.empty()) return std::nullopt;
  return endings_.Take();
}

MonoTime Lane::NextEndingLook() const {
  if (!endings_.empty()) return endings_.taken() >= EndingQueue::kMost ? MonoTime::max() : MonoTime{};
  // Sweep in large batches: each sweep may visit all deliveries. Nothing expires while the sink is paused or removed.
  const bool none = endings_.taken() > EndingQueue::kMost / 2 || paused_ || gate_ == Gate::kRemoved;
  return none ? MonoTime::max() : expiry_.Next();
}

std::optional<Lane::Ref> Lane::Start(MonoTime now) {
  ReleaseHeld(now);
  queue_.DropStale(slots_, calls_);
  if (NextLook() > now) return FoundNone(now);
  // Deliveries queued for a destination go before those not rendered yet: they are older.
  auto next = admission_.TakeNext(slots_, calls_, now);
  if (!next && NextLook() <= now) next = NextDue(now);
  if (!next) return FoundNone(now);
  const Ref ref = *next;
  wait_log_.Started(now);
  bucket_.Take(now);
  LaneSlot& slot = slots_[ref];
  slot.phase = Phase::kRunning;
  slot.generation = generation_;
  slot.awaits_admission = false;
  queue_.DropStale(slots_, calls_);
  ++in_flight_;
  ++running_;
  if (trouble_) trouble_.StartProbe(ref);
  return ref;
}

std::optional<Lane::Ref> Lane::NextDue(MonoTime now) {
  switch (trouble_.kind()) {
    case Trouble::kNone: return queue_.TakeDue(now);
    case Trouble::kFailing:
      // The probe may be a delivery that is not due: nothing else can go out.
      return queue_.empty() ? std::nullopt : queue_.TakeAny(trouble_.PreferUntried());
    case Trouble::kMisconfigured:
      if (const auto untried = queue_.TakeUntriedDue(now)) return untried;
      return trouble_.probe_at() <= now ? queue_.TakeTriedDue(now) : std::nullopt;
  }
  Unreachable();
}

bool Lane::Admit(Ref ref, const Target& target, MonoTime now) {
  LaneSlot& slot = slots_[ref];
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is admitted");
  if (const auto next = admission_.LeaveOtherOrder(slots_, ref, target, now)) Requeue(*next);
  if (admission_.Admit(slots_, ref, target, now)) return true;
  // It was queued: undo Start.
  slot.phase = Phase::kWaiting;
  --in_flight_;
  --running_;
  trouble_.EndProbe(ref);
  expiry_.NoteDeadlineOf(slot, trouble_);
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return false;
}

MonoTime Lane::NextLook() const {
  if (gate_ != Gate::kOpen || paused_ || in_flight_ >= static_cast<std::size_t>(policy_.concurrency)) {
    return MonoTime::max();
  }
  const MonoTime untried = queue_.NextUntried();
  MonoTime at = std::min(held_.Next(), admission_.Next());
  if (trouble_.kind() != Trouble::kFailing) {
    at = std::min({at, untried, queue_.NextTried()});
  } else if (!queue_.empty()) {
    at = MonoTime{};
  }
  if (at == MonoTime::max()) return at;
  if (trouble_) {
    if (trouble_.is_probing()) return MonoTime::max();
    // Until the sink is known to be at fault, untried deliveries need not wait for the probe.
    at = std::max(at, trouble_.probe_at());
    if (trouble_.kind() == Trouble::kMisconfigured && !trouble_.is_certain()) at = std::min(at, untried);
  }
  return std::max({at, bucket_.Next(), throttled_until_});
}

void Lane::Requeue(Ref ref) {
  const LaneSlot& slot = slots_[ref];
  if (slot.phase == Phase::kWaiting && calls_.IsFirst(slots_, ref)) queue_.Push(ref, slot);
}

void Lane::RequeueAll(const std::vector<Ref>& refs) {
  for (const Ref ref : refs) Requeue(ref);
}

void Lane::Settle(Ref ref, bool ends) {
  LaneSlot& slot = slots_[ref];
  HSW_CHECK(slot.phase == Phase::kRetry || slot.phase == Phase::kEnded || slot.phase == Phase::kEnding,
            "only what has a verdict is settled, and once");
  if (slot.phase == Phase::kEnding) {
    endings_.Remove();
  } else {
    --in_flight_;
  }
  if (ends || slot.phase != Phase::kRetry) return Remove(ref);
  slot.phase = Phase::kWaiting;
  expiry_.NoteDeadlineOf(slot, trouble_);
  if (!admission_.QueueForPlace(slots_, ref)) queue_.Push(ref, slot);
  if (slot.newest_only) ReplaceOlder(slot.call_key);
}

void Lane::Remove(Ref ref) {
  const DeliverySeq seq = slots_[ref].seq;
  if (const auto first = calls_.Remove(slots_, ref)) {
    LaneSlot& slot = slots_[*first];
    if (!slot.is_retry()) slot.since = ShortTime(latest_);
    if (slot.phase == Phase::kWaiting) queue_.Push(*first, slot);
  }
  refusals_.Remove(ref);
  if (const auto next = admission_.Remove(slots_, ref, latest_)) Requeue(*next);
  slots_.Remove(ref);
  index_.Remove(slots_, seq);
  if (slots_.IsOversized()) Shrink();
}

/// The lane is empty: frees the memory of the backlog. All remaining refs are stale.
void Lane::Shrink() {
  slots_.Clear();
  queue_.Clear();
  held_.Clear();
  index_.Clear();
  admission_.ClearQueues();
  expiry_.Clear();
}

std::vector<std::pair<DeliverySeq, Lane::Ref>> Lane::Release(const std::vector<DeliverySeq>& seqs) {
  std::vector<std::pair<DeliverySeq, Ref>> released;
  for (const DeliverySeq seq : seqs) {
    const auto ref = index_.Find(seq);
    if (!ref) continue;
    const LaneSlot& slot = slots_[*ref];
    if (slot.phase != Phase::kWaiting && slot.phase != Phase::kHeld) continue;
    if (slot.phase == Phase::kHeld) held_.Take(slot.call_key);
    released.emplace_back(seq, *ref);
    Remove(*ref);
  }
  return released;
}

const RefusedPlaces::Place* Lane::PlaceThatHolds(DeliverySeq seq) {
  const auto ref = index_.Find(seq);
  return ref ? admission_.PlaceOf(*ref) : nullptr;
}

void Lane::Resume(MonoTime now) {
  paused_ = false;
  throttled_until_ = MonoTime{};
  admission_.Resume(now);
  expiry_.RestartGiveUpTime(now);
  if (!trouble_) return;
  trouble_.Resume(now);
  RetryRefused(now);
  expiry_.SweepAnew();
}

void Lane::Renew(MonoTime now) {
  trouble_.Renew();
  expiry_.RestartGiveUpTime(now);
  RequeueAll(admission_.ForgetPlaces(slots_, now));
  RetryRefused(now);
  ++generation_;
}

Lane::State Lane::StateAt(MonoTime now) const {
  switch (gate_) {
    case Gate::kRemoved: return State::kRemoved;
    case Gate::kUnavailable: return State::kUnavailable;
    case Gate::kOpen: break;
  }
  if (paused_) return State::kPaused;
  if (trouble_ && trouble_.is_probing()) return State::kProbing;
  switch (trouble_.kind()) {
    case Trouble::kMisconfigured: return State::kMisconfigured;
    case Trouble::kFailing: return State::kFailing;
    case Trouble::kNone: break;
  }
  return throttled_until_ > now ? State::kThrottled : State::kOpen;
}

}  // namespace hookswitch
