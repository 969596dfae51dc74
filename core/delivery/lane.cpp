#include "core/delivery/lane.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSoon = std::chrono::seconds(1);
}  // namespace

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
  expiry_.Watch(slot, trouble_);
  if (slot.call_key != 0) {
    if (slot.is_held) {
      Hold(ref);
      return ref;
    }
    if (slot.ends_call) {
      if (const auto held = held_.Take(slot.call_key)) MarkEnding(*held, End::kSettled);
      ended_calls_.Add(slot.call_key, slot.accepted, policy_.settle);
    }
  }
  Enqueue(ref);
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return ref;
}

void Lane::Hold(Ref ref) {
  const LaneSlot& slot = slots_[ref];
  if (ended_calls_.Ended(slot.call_key, slot.accepted, policy_.settle)) return MarkEnding(ref, End::kSettled);
  if (const auto older = held_.Take(slot.call_key)) MarkEnding(*older, End::kReplaced);
  held_.Add(slots_, ref);
}

void Lane::ReleaseHeld(MonoTime now) {
  while (const auto ref = held_.TakeDue(slots_, now)) {
    expiry_.Watch(slots_[*ref], trouble_);
    Enqueue(*ref);
  }
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
  if (NextLook() > now) return std::nullopt;
  auto next = NextInLine(now);
  if (!next && NextLook() <= now) next = NextPlaceProbe(now);
  if (!next && NextLook() <= now) next = NextDue(now);
  if (!next) return std::nullopt;
  const Ref ref = *next;
  bucket_.Take(now);
  slots_[ref].phase = Phase::kRunning;
  slots_[ref].generation = generation_;
  slots_[ref].in_queue = false;
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
      return queue_.TakeAny(trouble_.PreferUntried());
    case Trouble::kMisconfigured:
      if (const auto untried = queue_.TakeUntriedDue(now)) return untried;
      return trouble_.probe_at() <= now ? queue_.TakeTriedDue(now) : std::nullopt;
  }
  Unreachable();
}

// Deliveries queued for a destination go before those not rendered yet: they are older.
std::optional<Lane::Ref> Lane::NextInLine(MonoTime now) {
  while (const auto first = destinations_.First(now)) {
    const LaneSlot& slot = slots_[first->ref];
    const bool waits = slot.phase == Phase::kWaiting && slot.seq == first->seq && slot.in_queue;
    if (waits && calls_.IsFirst(slots_, first->ref)) {
      destinations_.Take(*first, now);
      sent_to_[first->ref] = first->key;
      return first->ref;
    }
    destinations_.Drop(*first);
    if (waits) slots_[first->ref].in_queue = false;  // pushed when it becomes the first of its call
  }
  return std::nullopt;
}

std::optional<Lane::Ref> Lane::NextPlaceProbe(MonoTime now) {
  while (const auto first = places_.First(now)) {
    const LaneSlot& slot = slots_[first->ref];
    const auto place = place_of_.find(first->ref);
    const bool waits = slot.phase == Phase::kWaiting && slot.seq == first->seq && slot.in_queue &&
                       place != place_of_.end() && place->second == first->key;
    if (waits && calls_.IsFirst(slots_, first->ref)) {
      places_.Take(*first);
      return first->ref;
    }
    places_.Drop(*first);
    if (waits) {
      place_of_.erase(first->ref);
      slots_[first->ref].in_queue = false;
    }
  }
  return std::nullopt;
}

/// Undoes Start for a delivery that must wait.
bool Lane::BacksOff(Ref ref) {
  LaneSlot& slot = slots_[ref];
  sent_to_.erase(ref);
  slot.phase = Phase::kWaiting;
  slot.in_queue = true;
  --in_flight_;
  --running_;
  trouble_.EndProbe(ref);
  expiry_.Watch(slot, trouble_);
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return false;
}

bool Lane::Admit(Ref ref, const Target& target, MonoTime now) {
  LaneSlot& slot = slots_[ref];
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is admitted");
  if (target.order) {
    const auto is_out = [this](Ref other) { return slots_[other].phase != Phase::kWaiting; };
    if (!order_.Admit(*target.order, slot.seq, ref, is_out)) return BacksOff(ref);
  }
  if (!target.place) return true;
  if (!places_.MayGo(*target.place, ref, now)) {
    place_of_[ref] = *target.place;
    places_.Wait(*target.place, slot.tried(), slot.seq, ref);
    return BacksOff(ref);
  }
  const auto sent = sent_to_.find(ref);
  if (sent != sent_to_.end() && sent->second == *target.place) return true;  // NextInLine took it from that queue
  if (destinations_.Admit({*target.place, slot.seq, ref}, target.pace, now)) {
    sent_to_[ref] = *target.place;
    return true;
  }
  return BacksOff(ref);
}

MonoTime Lane::NextLook() const {
  if (gate_ != Gate::kOpen || paused_ || in_flight_ >= static_cast<std::size_t>(policy_.concurrency)) {
    return MonoTime::max();
  }
  const MonoTime untried = queue_.NextUntried();
  MonoTime at = std::min({held_.Next(), destinations_.Next(), places_.Next()});
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

Lane::Verdict Lane::Again(LaneSlot& slot, MonoTime due, milliseconds wait, Change change) {
  slot.due = due;
  slot.phase = Phase::kRetry;
  return {.state = DeliveryState::kPending, .wait = wait, .change = change};
}

// The sink works. Deliveries that waited because of it become due: they were not at fault.
Lane::Change Lane::GotThrough(MonoTime now) {
  trouble_.GotThrough(now);
  if (!trouble_) return Change::kNone;
  const bool was_failing = trouble_.kind() == Trouble::kFailing, was_certain = trouble_.is_certain();
  if (!was_failing) expiry_.ExcuseUntil(now);
  trouble_.Leave();
  if (was_failing || was_certain) MakeDue(now, was_failing, was_certain);
  return Change::kReopened;
}

// Makes failed and refused deliveries due. Visits all deliveries.
void Lane::MakeDue(MonoTime now, bool failed, bool refused) {
  for (Ref ref = 0; ref < slots_.capacity(); ++ref) {
    LaneSlot& slot = slots_[ref];
    const bool waits = slot.phase == Phase::kWaiting || slot.phase == Phase::kRetry;
    if (!waits || slot.in_queue) continue;
    MonoTime due = failed && slot.failures > 0 ? now : slot.due;
    if (const auto at = refused ? refusals_.RetryAt(ref, now) : std::nullopt) due = std::min(due, *at);
    if (slot.due <= due) continue;
    slot.due = due;
    GoOnWith(ref);
  }
}

Lane::Verdict Lane::Finish(Ref ref, const Outcome& outcome, MonoTime now, Jitter& jitter) {
  LaneSlot& slot = slots_[ref];
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is finished, and once");
  const bool is_probe = trouble_.EndProbe(ref);
  const auto sent_to = sent_to_.extract(ref);
  const auto place_of = place_of_.extract(ref);
  --running_;
  ++slot.attempts;
  slot.is_replay = false;
  // A response to a request shows that credential and destination work. A request that was never sent shows nothing.
  bool place_works = false;
  const auto reopen = [&] {
    if (!outcome.answered) return Change::kNone;
    const RefusedPlaces::Key* place = sent_to ? &sent_to.mapped() : place_of ? &place_of.mapped() : nullptr;
    place_works = place && places_.Find(*place);
    if (place_works) GoOn(places_.Works(*place));
    return GotThrough(now);
  };
  // The outcome proves nothing about the place or the sink: another probe may follow.
  const auto says_nothing = [&] {
    if (place_of) places_.SaidNothing(place_of.mapped(), ref, now);
    if (is_probe) trouble_.RepeatProbe(now);
  };
  const auto dead = [&](bool gave_up, Change change) {
    slot.phase = Phase::kEnded;
    return Verdict{.state = DeliveryState::kDead, .gave_up = gave_up, .change = change, .place_works = place_works};
  };

  switch (outcome.kind) {
    case Outcome::Kind::kDelivered:
      slot.phase = Phase::kEnded;
      ++delivered_;
      return {.state = DeliveryState::kDelivered, .change = reopen(), .place_works = place_works};
    case Outcome::Kind::kRejected:
      if (!outcome.answered) says_nothing();
      return dead(false, reopen());
    case Outcome::Kind::kNext: {
      ++slot.step;
      ++delivered_;
      slot.failures = 0;
      refusals_.Remove(ref);
      slot.first_failed = MonoTime{};
      const Change change = reopen();
      return Again(slot, slot.accepted, milliseconds(0), change);  // ahead of those that have not begun
    }
    case Outcome::Kind::kMisconfigured: {
      const bool has_place = outcome.scope == Outcome::Scope::kPlace && !outcome.place.empty();
      if (slot.generation != generation_)
        return Again(slot, now, milliseconds(0), Change::kNone);  // from a replaced sink
      return has_place ? RefusedByPlace(ref, outcome, now) : Refused(ref, outcome, is_probe, now);
    }
    case Outcome::Kind::kRetry: break;
  }

  says_nothing();
  if (outcome.soon) return Again(slot, now + kSoon, kSoon, Change::kNone);
  if (outcome.retry_after && outcome.retry_after->count() > 0) {
    const milliseconds pause = PauseFor(*outcome.retry_after, policy_.retry.max_retry_after, jitter);
    Change throttled = Change::kNone;
    if (sent_to) {
      destinations_.Hold(sent_to.mapped(), now + pause);
    } else {
      throttled_until_ = std::max(throttled_until_, now + pause);
      throttled = Change::kThrottled;
    }
    // A 5xx with Retry-After is a failure; a 429 is not.
    if (outcome.http_status >= 500 && slot.first_failed == MonoTime{}) slot.first_failed = now;
    const bool is_over =
        slot.first_failed != MonoTime{} && now - expiry_.FailingSince(slot) >= policy_.retry.give_up_after;
    if (is_over && !trouble_) return dead(true, throttled);
    return Again(slot, slot.due, pause, throttled);  // keeps its position; the destination or the whole lane waits
  }
  if (trouble_.kind() == Trouble::kMisconfigured) return Again(slot, now, milliseconds(0), Change::kNone);

  if (slot.first_failed == MonoTime{}) slot.first_failed = now;
  const auto failing_for = std::chrono::duration_cast<milliseconds>(now - expiry_.FailingSince(slot));
  if (is_probe) {
    if (!outcome.ours) trouble_.ProbeFailed(now);
    const Change change = outcome.ours ? Change::kNone : Change::kProbeFailed;
    if (failing_for >= policy_.retry.give_up_after) return dead(true, change);
    return Again(slot, now, milliseconds(0), change);
  }
  Change change = Change::kNone;
  const bool is_evidence = !outcome.ours && slot.generation == generation_ && !trouble_;
  if (is_evidence && trouble_.Failed(now)) {
    expiry_.SweepAnew();
    change = Change::kFailing;
  }
  ++slot.failures;
  const auto wait = NextTry(policy_.retry, slot.failures, failing_for, jitter);
  return wait ? Again(slot, now + *wait, *wait, change) : dead(true, change);
}

/// Whether another delivery could still show that the sink works.
bool Lane::AnotherToTry() const {
  return running_ > 0 || queue_.has_untried();
}

/// Refused, and the response does not blame a single place.
Lane::Verdict Lane::Refused(Ref ref, const Outcome& outcome, bool is_probe, MonoTime now) {
  LaneSlot& slot = slots_[ref];
  const auto refusal = refusals_.Add(ref, delivered_, trouble_.run(), now);
  if (refusal.is_last) {
    slot.phase = Phase::kEnded;
    return {.state = DeliveryState::kDead, .refused = true};
  }
  trouble_.Refused(refusal.is_first_in_run, outcome.scope == Outcome::Scope::kSink);
  Change change = Change::kNone;
  if (trouble_.kind() != Trouble::kMisconfigured) {
    queue_.DropStale(slots_, calls_);
    if (trouble_.is_certain() || !AnotherToTry()) {
      trouble_.EnterMisconfigured(now);
      expiry_.SweepAnew();
      change = Change::kPausedItself;
    }
  } else if (is_probe) {
    trouble_.ProbeFailed(now);
    change = Change::kProbeFailed;
  }
  return Again(slot, now + refusal.wait, refusal.wait, change);
}

/// Refused by its place. The credential works, or the response could not blame a place.
Lane::Verdict Lane::RefusedByPlace(Ref ref, const Outcome& outcome, MonoTime now) {
  LaneSlot& slot = slots_[ref];
  const RefusedPlaces::Key key = RefusedPlaces::KeyOf(outcome.place);
  const std::string& because = outcome.reason.empty() ? outcome.code : outcome.reason;
  const bool is_new = places_.Refused(key, outcome.place, because, ref, delivered_, now);
  const RefusedPlaces::Place& place = *places_.Find(key);
  const Change change = outcome.answered ? GotThrough(now) : Change::kNone;
  if (place.refusals >= DeliveryRefusals::kMost && delivered_ != place.delivered_before) {
    // Everything that waits for this place would be refused as well.
    for (const auto& [tried, seq, other] : place.waiting) {
      LaneSlot& waits = slots_[other];
      if (waits.phase != Phase::kWaiting || waits.seq != seq || !waits.in_queue) continue;
      waits.in_queue = false;
      place_of_.erase(other);
      MarkEnding(other, End::kRefused, key);
    }
    slot.phase = Phase::kEnded;
    return {.state = DeliveryState::kDead, .refused = true, .change = change, .place_refused = is_new};
  }
  place_of_[ref] = key;
  const auto wait = std::max(std::chrono::ceil<milliseconds>(place.probe_at - now), milliseconds(0));
  Verdict verdict = Again(slot, now, wait, change);
  verdict.place_refused = is_new;
  return verdict;
}

/// Requeues deliveries that waited for a place.
void Lane::GoOn(const std::vector<std::pair<DeliverySeq, Ref>>& waited) {
  for (const auto& [seq, ref] : waited) {
    LaneSlot& slot = slots_[ref];
    if (slot.phase != Phase::kWaiting || slot.seq != seq || !slot.in_queue) continue;
    slot.in_queue = false;
    place_of_.erase(ref);
    GoOnWith(ref);
  }
}

void Lane::GoOnWith(Ref ref) {
  const LaneSlot& slot = slots_[ref];
  if (slot.phase == Phase::kWaiting && calls_.IsFirst(slots_, ref)) queue_.Push(ref, slots_[ref]);
}

void Lane::Settle(Ref ref, bool ends) {
  LaneSlot& slot = slots_[ref];
  HSW_CHECK(slot.phase == Phase::kRetry || slot.phase == Phase::kEnded || slot.phase == Phase::kEnding,
            "only what has a verdict is settled, and once");
  if (slot.phase == Phase::kEnding) {
    endings_.Settle();
  } else {
    --in_flight_;
  }
  if (ends || slot.phase != Phase::kRetry) return Remove(ref);
  slot.phase = Phase::kWaiting;
  expiry_.Watch(slot, trouble_);
  const auto place = place_of_.find(ref);
  if (place != place_of_.end() && places_.Find(place->second)) {
    slot.in_queue = true;
    places_.Wait(place->second, slot.tried(), slot.seq, ref);
  } else {
    if (place != place_of_.end()) place_of_.erase(place);
    queue_.Push(ref, slots_[ref]);
  }
  if (slot.newest_only) ReplaceOlder(slot.call_key);
}

void Lane::Remove(Ref ref) {
  const LaneSlot& slot = slots_[ref];
  const DeliverySeq seq = slot.seq;
  if (const auto first = calls_.Remove(slots_, ref); first && slots_[*first].phase == Phase::kWaiting)
    queue_.Push(*first, slots_[*first]);
  place_of_.erase(ref);
  refusals_.Remove(ref);
  if (const auto next = order_.End(seq, ref)) {
    slots_[*next].in_queue = false;
    GoOnWith(*next);
  }
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
  destinations_.DropLines();
  places_.DropAll();
  place_of_.clear();
  sent_to_.clear();
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
  const auto place = ref ? place_of_.find(*ref) : place_of_.end();
  return place == place_of_.end() ? nullptr : places_.Find(place->second);
}

void Lane::Resume(MonoTime now) {
  paused_ = false;
  throttled_until_ = MonoTime{};
  destinations_.Resume();
  places_.Resume(now);
  expiry_.GiveTimeFrom(now);
  if (!trouble_) return;
  trouble_.Resume(now);
  RetryRefused(now);
  expiry_.SweepAnew();
}

void Lane::Renew(MonoTime now) {
  trouble_.Renew();
  expiry_.GiveTimeFrom(now);
  GoOn(places_.Clear());
  place_of_.clear();
  RetryRefused(now);
  ++generation_;
}

/// The cause may be fixed: makes refused deliveries due.
void Lane::RetryRefused(MonoTime now) {
  refusals_.AllowEarlyRetries();
  MakeDue(now, false, true);
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
