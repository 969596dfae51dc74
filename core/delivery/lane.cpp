#include "core/delivery/lane.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstProbe{250};
constexpr milliseconds kLongestProbe = std::chrono::minutes(10);
// Deliveries refused in a row until the sink is to blame; fewer if the response blames the sink itself.
constexpr std::uint32_t kRefusedInARow = 4, kRefusedInARowBySink = 2;
// A delivery refused this often while others get through is itself at fault.
constexpr std::uint8_t kRefusalsOfOne = 3;
constexpr milliseconds kAfterFirstRefusal = std::chrono::seconds(5), kAfterRefusal = std::chrono::seconds(30);
constexpr milliseconds kSoon = std::chrono::seconds(1);
// Chunks that are kept when the lane becomes empty.
constexpr std::size_t kChunksKept = 4;
constexpr std::size_t kEndingsAtOnce = 1000;
constexpr std::size_t kEndedCallsKept = 100'000;
constexpr std::chrono::seconds kSweepEvery{1};

}  // namespace

void Lane::SetPolicy(LanePolicy policy) {
  policy_ = std::move(policy);
  policy_.concurrency = std::max(policy_.concurrency, 1);
  bucket_.SetRate(policy_.rate);
  breaker_.SetPolicy(policy_.breaker);
  SweepAnew();
}

Lane::Ref Lane::Add(const LaneDelivery& delivery) {
  if (free_ == kNone) {
    const Ref first = static_cast<Ref>(chunks_.size() * kChunk);
    chunks_.push_back(std::make_unique<std::vector<Slot>>(kChunk));
    for (Ref ref = first + kChunk; ref-- > first;) {
      At(ref).next = free_;
      free_ = ref;
    }
  }
  const Ref ref = free_;
  Slot& slot = At(ref);
  free_ = slot.next;
  static_cast<LaneDelivery&>(slot) = delivery;
  slot.phase = Phase::kWaiting;
  slot.in_call = slot.in_line = false;
  slot.next = kNone;
  ++pending_;
  const bool in_order = index_.Insert(slot.seq, ref) && slot.accepted >= newest_;
  if (in_order) {
    newest_ = slot.accepted;
  } else {
    late_.push_back(Entry(slot.accepted, ref));
    std::push_heap(late_.begin(), late_.end(), &Later);
  }
  NoteDeadline(Deadline(slot));
  if (slot.call_key != 0) {
    if (slot.is_held) {
      Hold(ref);
      return ref;
    }
    if (slot.ends_call) {
      EndHeld(slot.call_key, End::kSettled);
      RememberEnd(slot);
    }
  }
  Enqueue(ref);
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return ref;
}

void Lane::Hold(Ref ref) {
  const Slot& slot = At(ref);
  const auto ended = ended_calls_.find(slot.call_key);
  if (ended != ended_calls_.end() && slot.accepted - ended->second <= policy_.settle) {
    return MarkEnding(ref, End::kSettled);
  }
  EndHeld(slot.call_key, End::kReplaced);
  At(ref).phase = Phase::kHeld;
  held_[slot.call_key] = ref;
  held_due_.push_back(Entry(slot.due, ref));
  std::push_heap(held_due_.begin(), held_due_.end(), &Later);
}

void Lane::EndHeld(std::uint64_t call_key, End why) {
  const auto found = held_.find(call_key);
  if (found == held_.end()) return;
  MarkEnding(found->second, why);
  held_.erase(found);
}

// A soft end may arrive after the real one: senders reorder events.
void Lane::RememberEnd(const Slot& slot) {
  if (policy_.settle == milliseconds(0)) return;
  ended_calls_[slot.call_key] = slot.accepted;
  ended_order_.emplace_back(slot.accepted, slot.call_key);
  while (ended_order_.size() > kEndedCallsKept || slot.accepted - ended_order_.front().first > policy_.settle) {
    const auto [at, call_key] = ended_order_.front();
    ended_order_.pop_front();
    if (const auto found = ended_calls_.find(call_key); found != ended_calls_.end() && found->second == at) {
      ended_calls_.erase(found);
    }
  }
}

void Lane::ReleaseHeld(MonoTime now) {
  while (!held_due_.empty()) {
    const Due first = held_due_.front();
    Slot& slot = At(first.ref);
    const bool current = slot.phase == Phase::kHeld && slot.due == first.due;
    if (current && first.due > now) return;
    std::pop_heap(held_due_.begin(), held_due_.end(), &Later);
    held_due_.pop_back();
    if (!current) continue;
    held_.erase(slot.call_key);
    slot.phase = Phase::kWaiting;
    NoteDeadline(Deadline(slot));
    Enqueue(first.ref);
  }
}

void Lane::Enqueue(Ref ref) {
  Slot& slot = At(ref);
  if (slot.call_key == 0) return Push(ref);
  slot.in_call = true;
  auto [found, is_new] = calls_.try_emplace(slot.call_key);
  Call& call = found->second;
  if (is_new) {
    call.head = call.tail = ref;
    return Push(ref);
  }
  if (At(call.tail).seq < slot.seq) {
    At(call.tail).next = ref;
    call.tail = ref;
    return;
  }
  // Commits are in order, but threads may enqueue committed deliveries out of order, and replays come back late.
  if (slot.seq < At(call.head).seq && At(call.head).phase == Phase::kWaiting) {
    slot.next = call.head;
    call.head = ref;
    return Push(ref);
  }
  Ref before = call.head;
  while (At(before).next != kNone && At(At(before).next).seq < slot.seq) before = At(before).next;
  slot.next = At(before).next;
  At(before).next = ref;
  if (slot.next == kNone) call.tail = ref;
}

// Ends all newest_only deliveries of a call except the newest and those that have begun. Compares DeliverySeq, because
// a late arrival may be queued behind one that was in flight.
void Lane::ReplaceOlder(std::uint64_t call_key) {
  const auto call = calls_.find(call_key);
  if (call == calls_.end()) return;
  DeliverySeq newest = 0;
  for (Ref ref = call->second.head; ref != kNone; ref = At(ref).next) {
    if (At(ref).newest_only && At(ref).phase != Phase::kEnding) newest = std::max(newest, At(ref).seq);
  }
  for (Ref ref = call->second.head; ref != kNone; ref = At(ref).next) {
    const Slot& slot = At(ref);
    const bool gives_way = slot.newest_only && slot.phase == Phase::kWaiting && slot.step == 0 && !slot.is_replay;
    if (gives_way && slot.seq < newest) MarkEnding(ref, End::kReplaced);
  }
}

void Lane::MarkEnding(Ref ref, End why, RefusedPlaces::Key place) {
  At(ref).phase = Phase::kEnding;
  endings_.push_back({ref, why, place});
}

// When a waiting delivery expires.
MonoTime Lane::Deadline(const Slot& slot) const {
  MonoTime deadline = MonoTime::max();
  if (policy_.max_age) deadline = slot.accepted + *policy_.max_age;
  if (trouble_ == Trouble::kFailing) {
    const MonoTime since =
        slot.first_failed != MonoTime{} ? FirstFailed(slot) : std::max(slot.accepted, troubled_since_);
    deadline = std::min(deadline, std::max(since, kept_from_sweep_) + policy_.retry.give_up_after);
  }
  return deadline;
}

void Lane::NoteDeadline(MonoTime deadline) {
  next_sweep_ = std::min(next_sweep_, deadline);
  sweep_min_ = std::min(sweep_min_, deadline);
}

void Lane::SweepAnew() {
  next_sweep_ = MonoTime{};
  sweep_from_ = 0;
}

void Lane::Sweep(MonoTime now) {
  if (sweep_from_ == 0) sweep_min_ = MonoTime::max();
  if (policy_.max_age || trouble_ == Trouble::kFailing) {
    for (Ref ref = sweep_from_; ref < chunks_.size() * kChunk; ++ref) {
      const Slot& slot = At(ref);
      if (slot.phase != Phase::kWaiting) continue;
      const MonoTime deadline = Deadline(slot);
      // Deliveries of one call expire in order, one per sweep, so that a fallback delivers them in order.
      const bool first = !slot.in_call || calls_.at(slot.call_key).head == ref;
      if (deadline > now || !first) {
        sweep_min_ = std::min(sweep_min_, deadline);
      } else if (endings_.size() + ending_ >= kEndingsAtOnce) {
        sweep_from_ = ref;
        next_sweep_ = now;
        return;
      } else {
        const bool too_old = policy_.max_age && slot.accepted + *policy_.max_age <= now;
        MarkEnding(ref, too_old ? End::kTooOld : End::kGivenUp);
      }
    }
  }
  sweep_from_ = 0;
  next_sweep_ = sweep_min_ == MonoTime::max() ? sweep_min_ : std::max(sweep_min_, now + kSweepEvery);
}

std::optional<Lane::Ending> Lane::NextEnding(MonoTime now) {
  if (NextEndingLook() > now) return std::nullopt;
  if (endings_.empty()) Sweep(now);
  if (endings_.empty()) return std::nullopt;
  const Ending ending = endings_.front();
  endings_.pop_front();
  ++ending_;
  return ending;
}

MonoTime Lane::NextEndingLook() const {
  if (!endings_.empty()) return ending_ >= kEndingsAtOnce ? MonoTime::max() : MonoTime{};
  // Sweep in large batches: each sweep may visit all deliveries. Nothing expires while the sink is paused or removed.
  const bool none = ending_ > kEndingsAtOnce / 2 || paused_ || gate_ == Gate::kRemoved;
  return none ? MonoTime::max() : next_sweep_;
}

void Lane::Push(Ref ref) {
  Heap& heap = At(ref).tried() ? tried_ : fresh_;
  heap.push_back(Entry(At(ref).due, ref));
  std::push_heap(heap.begin(), heap.end(), &Later);
}

void Lane::Pop(Heap& heap) {
  std::pop_heap(heap.begin(), heap.end(), &Later);
  heap.pop_back();
}

bool Lane::IsCurrent(const Due& entry) const {
  const Slot& slot = At(entry.ref);
  return slot.phase == Phase::kWaiting && !slot.in_line && slot.due == entry.due && IsNext(entry.ref);
}

// Whether it is the first delivery of its call.
bool Lane::IsNext(Ref ref) const {
  if (At(ref).call_key == 0) return true;
  const auto call = calls_.find(At(ref).call_key);
  return call != calls_.end() && call->second.head == ref;
}

void Lane::DropStale() {
  for (Heap* heap : {&fresh_, &tried_}) {
    while (!heap->empty() && !IsCurrent(heap->front())) Pop(*heap);
  }
}

std::optional<Lane::Ref> Lane::Start(MonoTime now) {
  ReleaseHeld(now);
  DropStale();
  if (NextLook() > now) return std::nullopt;
  auto next = NextInLine(now);
  if (!next && NextLook() <= now) next = NextPlaceProbe(now);
  if (!next && NextLook() <= now) next = NextDue(now);
  if (!next) return std::nullopt;
  const Ref ref = *next;
  bucket_.Take(now);
  At(ref).phase = Phase::kRunning;
  At(ref).era = era_;
  At(ref).in_line = false;
  DropStale();
  ++in_flight_;
  ++running_;
  if (trouble_ != Trouble::kNone) probe_ = ref;
  return ref;
}

std::optional<Lane::Ref> Lane::NextDue(MonoTime now) {
  Heap* heap = nullptr;
  const bool has_fresh = !fresh_.empty(), has_tried = !tried_.empty();
  switch (trouble_) {
    case Trouble::kNone:
      if (has_fresh && (!has_tried || !Later(fresh_.front(), tried_.front()))) {
        heap = &fresh_;
      } else if (has_tried) {
        heap = &tried_;
      }
      if (heap && heap->front().due > now) heap = nullptr;
      break;
    case Trouble::kFailing:
      // The probe may be a delivery that is not due: nothing else can go out.
      if (has_fresh && (probe_untried_ || !has_tried)) {
        heap = &fresh_;
      } else if (has_tried) {
        heap = &tried_;
      }
      probe_untried_ = !probe_untried_;
      break;
    case Trouble::kMisconfigured:
      if (has_fresh && fresh_.front().due <= now) {
        heap = &fresh_;
      } else if (has_tried && tried_.front().due <= now && probe_at_ <= now) {
        heap = &tried_;
      }
      break;
  }
  if (!heap) return std::nullopt;
  const Ref ref = heap->front().ref;
  Pop(*heap);
  return ref;
}

// Deliveries queued for a destination go before those not rendered yet: they are older.
std::optional<Lane::Ref> Lane::NextInLine(MonoTime now) {
  while (const auto first = destinations_.First(now)) {
    const Slot& slot = At(first->ref);
    const bool waits = slot.phase == Phase::kWaiting && slot.seq == first->seq && slot.in_line;
    if (waits && IsNext(first->ref)) {
      destinations_.Take(*first, now);
      sent_to_[first->ref] = first->key;
      return first->ref;
    }
    destinations_.Drop(*first);
    if (waits) At(first->ref).in_line = false;  // pushed when it becomes the first of its call
  }
  return std::nullopt;
}

std::optional<Lane::Ref> Lane::NextPlaceProbe(MonoTime now) {
  while (const auto first = places_.First(now)) {
    const Slot& slot = At(first->ref);
    const auto place = place_of_.find(first->ref);
    const bool waits = slot.phase == Phase::kWaiting && slot.seq == first->seq && slot.in_line &&
                       place != place_of_.end() && place->second == first->key;
    if (waits && IsNext(first->ref)) {
      places_.Take(*first);
      return first->ref;
    }
    places_.Drop(*first);
    if (waits) {
      place_of_.erase(first->ref);
      At(first->ref).in_line = false;
    }
  }
  return std::nullopt;
}

/// Undoes Start for a delivery that must wait.
bool Lane::BacksOff(Ref ref) {
  Slot& slot = At(ref);
  sent_to_.erase(ref);
  slot.phase = Phase::kWaiting;
  slot.in_line = true;
  --in_flight_;
  --running_;
  if (probe_ == ref) probe_ = kNone;
  NoteDeadline(Deadline(slot));
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return false;
}

bool Lane::Admit(Ref ref, const Target& target, MonoTime now) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is admitted");
  if (target.order) {
    const auto is_out = [this](Ref other) { return At(other).phase != Phase::kWaiting; };
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
  const MonoTime fresh = fresh_.empty() ? MonoTime::max() : fresh_.front().due;
  const MonoTime tried = tried_.empty() ? MonoTime::max() : tried_.front().due;
  const MonoTime held = held_due_.empty() ? MonoTime::max() : held_due_.front().due;
  MonoTime at = MonoTime::max();
  switch (trouble_) {
    case Trouble::kNone: at = std::min({fresh, tried, held, destinations_.Next(), places_.Next()}); break;
    case Trouble::kFailing:
      at = std::min({held, destinations_.Next(), places_.Next()});
      if (!fresh_.empty() || !tried_.empty()) at = MonoTime{};
      break;
    case Trouble::kMisconfigured: at = std::min({fresh, tried, held, destinations_.Next(), places_.Next()}); break;
  }
  if (at == MonoTime::max()) return at;
  if (trouble_ != Trouble::kNone) {
    if (probe_ != kNone) return MonoTime::max();
    // Until the sink is known to be at fault, untried deliveries need not wait for the probe.
    const bool at_once = trouble_ == Trouble::kMisconfigured && !closed_ && fresh <= std::max(at, probe_at_);
    at = at_once ? fresh : std::max(at, probe_at_);
  }
  return std::max({at, bucket_.Next(), throttled_until_});
}

Lane::Verdict Lane::Again(Slot& slot, MonoTime due, milliseconds wait, Change change) {
  slot.due = due;
  slot.phase = Phase::kAgain;
  return {.state = DeliveryState::kPending, .wait = wait, .change = change};
}

void Lane::Enter(Trouble trouble, milliseconds wait, MonoTime now) {
  trouble_ = trouble;
  troubled_since_ = now;
  probe_wait_ = wait;
  probe_at_ = now + wait;
  SweepAnew();
}

// Deliveries that waited because of the sink become due: they were not at fault.
void Lane::Leave(MonoTime now) {
  const Trouble trouble = std::exchange(trouble_, Trouble::kNone);
  const bool was_closed = std::exchange(closed_, false);
  if (trouble == Trouble::kMisconfigured) excused_until_ = now;
  if (trouble == Trouble::kFailing || was_closed) MakeDue(now, trouble == Trouble::kFailing, was_closed);
}

/// Makes failed and refused deliveries due. A delivery refused for its own content would go out each time the sink
/// reopens: after one early retry it waits until another refusal counts. Visits all deliveries.
void Lane::MakeDue(MonoTime now, bool failed, bool refused) {
  for (Ref ref = 0; ref < chunks_.size() * kChunk; ++ref) {
    Slot& slot = At(ref);
    const bool waits = slot.phase == Phase::kWaiting || slot.phase == Phase::kAgain;
    if (!waits || slot.in_line) continue;
    MonoTime due = failed && slot.failures > 0 ? now : slot.due;
    if (const auto found = refused ? refusals_.find(ref) : refusals_.end(); found != refusals_.end()) {
      due = std::min(due, found->second.came_early ? std::max(now, found->second.counts_from) : now);
    }
    if (slot.due <= due) continue;
    slot.due = due;
    GoOnWith(ref);
  }
}

Lane::Change Lane::ProbeFailed(MonoTime now, milliseconds longest) {
  probe_wait_ = std::min(probe_wait_ * 2, longest);
  probe_at_ = now + probe_wait_;
  return Change::kProbeFailed;
}

Lane::Verdict Lane::Finish(Ref ref, const Outcome& outcome, MonoTime now, Jitter& jitter) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is finished, and once");
  const bool is_probe = probe_ == ref;
  if (is_probe) probe_ = kNone;
  const auto sent_to = sent_to_.extract(ref);
  const auto place_of = place_of_.extract(ref);
  --running_;
  ++slot.attempts;
  slot.is_replay = false;
  // A response to a request shows that credential and destination work. A request that was never sent shows nothing.
  bool place_works = false;
  const auto reopen = [&] {
    if (!outcome.answered) return Change::kNone;
    breaker_.Worked(now);
    const RefusedPlaces::Key* place = sent_to ? &sent_to.mapped() : place_of ? &place_of.mapped() : nullptr;
    place_works = place && places_.Find(*place);
    if (place_works) GoOn(places_.Works(*place));
    GotThrough();
    if (trouble_ == Trouble::kNone) return Change::kNone;
    Leave(now);
    return Change::kReopened;
  };
  // The outcome proves nothing about the place or the sink: another probe may follow.
  const auto says_nothing = [&] {
    if (place_of) places_.SaidNothing(place_of.mapped(), ref, now);
    if (is_probe) probe_at_ = now + probe_wait_;
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
      refusals_.erase(ref);
      slot.first_failed = MonoTime{};
      const Change change = reopen();
      return Again(slot, slot.accepted, milliseconds(0), change);  // ahead of those that have not begun
    }
    case Outcome::Kind::kMisconfigured: {
      const bool has_place = outcome.scope == Outcome::Scope::kPlace && !outcome.place.empty();
      if (slot.era != era_) return Again(slot, now, milliseconds(0), Change::kNone);  // from a replaced sink
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
    const bool is_over = slot.first_failed != MonoTime{} && now - FirstFailed(slot) >= policy_.retry.give_up_after;
    if (is_over && trouble_ == Trouble::kNone) return dead(true, throttled);
    return Again(slot, slot.due, pause, throttled);  // keeps its position; the destination or the whole lane waits
  }
  if (trouble_ == Trouble::kMisconfigured) return Again(slot, now, milliseconds(0), Change::kNone);

  if (slot.first_failed == MonoTime{}) slot.first_failed = now;
  const auto failing_for = std::chrono::duration_cast<milliseconds>(now - FirstFailed(slot));
  if (is_probe) {
    const Change change = outcome.ours ? Change::kNone : ProbeFailed(now, policy_.breaker.max_wait);
    if (failing_for >= policy_.retry.give_up_after) return dead(true, change);
    return Again(slot, now, milliseconds(0), change);
  }
  Change change = Change::kNone;
  const bool tells = !outcome.ours && slot.era == era_ && trouble_ == Trouble::kNone;
  if (tells && breaker_.Failed(now)) {
    Enter(Trouble::kFailing, policy_.breaker.wait, now);
    change = Change::kFailing;
  }
  ++slot.failures;
  const auto wait = NextTry(policy_.retry, slot.failures, failing_for, jitter);
  return wait ? Again(slot, now + *wait, *wait, change) : dead(true, change);
}

/// A delivery got through, so the sink works.
void Lane::GotThrough() {
  ++streak_;
  refused_ = 0;
  if (trouble_ != Trouble::kMisconfigured) closed_ = false;
}

/// Whether another delivery could still show that the sink works.
bool Lane::AnotherToTry() const {
  return running_ > 0 || (!fresh_.empty() && IsCurrent(fresh_.front()));
}

/// Refused, and the response does not blame a single place.
Lane::Verdict Lane::Refused(Ref ref, const Outcome& outcome, bool is_probe, MonoTime now) {
  Slot& slot = At(ref);
  Refusals& refusals = refusals_[ref];
  const bool counts = delivered_ != refusals.delivered_before && now >= refusals.counts_from;
  refusals.came_early = now < refusals.counts_from;
  if (refusals.count == 0 || counts) {
    ++refusals.count;
    refusals.delivered_before = delivered_;
    refusals.counts_from = now + (refusals.count == 1 ? kAfterFirstRefusal : kAfterRefusal);
  }
  if (refusals.count >= kRefusalsOfOne) {
    slot.phase = Phase::kEnded;
    return {.state = DeliveryState::kDead, .refused = true};
  }
  if (std::exchange(refusals.streak, streak_) != streak_) ++refused_;
  const bool says_sink = outcome.scope == Outcome::Scope::kSink;
  closed_ = closed_ || refused_ >= (says_sink ? kRefusedInARowBySink : kRefusedInARow);
  Change change = Change::kNone;
  if (trouble_ != Trouble::kMisconfigured) {
    DropStale();
    if (closed_ || !AnotherToTry()) {
      Enter(Trouble::kMisconfigured, kFirstProbe, now);
      change = Change::kPausedItself;
    }
  } else if (is_probe) {
    change = ProbeFailed(now, kLongestProbe);
  }
  milliseconds wait = refusals.count == 1 ? kAfterFirstRefusal : kAfterRefusal;
  if (refusals.counts_from > now) wait = std::chrono::ceil<milliseconds>(refusals.counts_from - now);
  return Again(slot, now + wait, wait, change);
}

/// Refused by its place. The credential works, or the response could not blame a place.
Lane::Verdict Lane::RefusedByPlace(Ref ref, const Outcome& outcome, MonoTime now) {
  Slot& slot = At(ref);
  const RefusedPlaces::Key key = RefusedPlaces::KeyOf(outcome.place);
  const std::string& because = outcome.reason.empty() ? outcome.code : outcome.reason;
  const bool is_new = places_.Refused(key, outcome.place, because, ref, delivered_, now);
  const RefusedPlaces::Place& place = *places_.Find(key);
  Change change = Change::kNone;
  if (outcome.answered) {
    breaker_.Worked(now);
    GotThrough();
    if (trouble_ != Trouble::kNone) {
      Leave(now);
      change = Change::kReopened;
    }
  }
  if (place.refusals >= kRefusalsOfOne && delivered_ != place.delivered_before) {
    // Everything that waits for this place would be refused as well.
    for (const auto& [tried, seq, other] : place.waiting) {
      Slot& waits = At(other);
      if (waits.phase != Phase::kWaiting || waits.seq != seq || !waits.in_line) continue;
      waits.in_line = false;
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
    Slot& slot = At(ref);
    if (slot.phase != Phase::kWaiting || slot.seq != seq || !slot.in_line) continue;
    slot.in_line = false;
    place_of_.erase(ref);
    GoOnWith(ref);
  }
}

void Lane::GoOnWith(Ref ref) {
  const Slot& slot = At(ref);
  if (slot.phase == Phase::kWaiting && (!slot.in_call || calls_.at(slot.call_key).head == ref)) Push(ref);
}

void Lane::Settle(Ref ref, bool ends) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kAgain || slot.phase == Phase::kEnded || slot.phase == Phase::kEnding,
            "only what has a verdict is settled, and once");
  --(slot.phase == Phase::kEnding ? ending_ : in_flight_);
  if (ends || slot.phase != Phase::kAgain) return Remove(ref);
  slot.phase = Phase::kWaiting;
  NoteDeadline(Deadline(slot));
  const auto place = place_of_.find(ref);
  if (place != place_of_.end() && places_.Find(place->second)) {
    slot.in_line = true;
    places_.Wait(place->second, slot.tried(), slot.seq, ref);
  } else {
    if (place != place_of_.end()) place_of_.erase(place);
    Push(ref);
  }
  if (slot.newest_only) ReplaceOlder(slot.call_key);
}

void Lane::Remove(Ref ref) {
  Slot& slot = At(ref);
  if (slot.in_call) {
    const auto found = calls_.find(slot.call_key);
    HSW_CHECK(found != calls_.end(), "a call is known while deliveries of it wait");
    Call& call = found->second;
    if (call.head == ref) {
      if (slot.next == kNone) {
        calls_.erase(found);
      } else {
        call.head = slot.next;
        if (At(call.head).phase == Phase::kWaiting) Push(call.head);
      }
    } else {
      Ref before = call.head;
      while (At(before).next != ref) before = At(before).next;
      At(before).next = slot.next;
      if (call.tail == ref) call.tail = before;
    }
  }
  index_.Erase(slot.seq);
  place_of_.erase(ref);
  refusals_.erase(ref);
  if (const auto next = order_.End(slot.seq, ref)) {
    At(*next).in_line = false;
    GoOnWith(*next);
  }
  slot.phase = Phase::kFree;
  slot.next = free_;
  free_ = ref;
  --pending_;
  while (!late_.empty() && !IsThereStill(late_.front())) Pop(late_);
  if (pending_ == 0 && chunks_.size() > kChunksKept) Shrink();
}

/// The lane is empty: frees the memory of the backlog. All remaining refs are stale.
void Lane::Shrink() {
  chunks_.clear();
  chunks_.shrink_to_fit();
  free_ = kNone;
  for (Heap* heap : {&fresh_, &tried_, &late_, &held_due_}) Heap().swap(*heap);
  newest_ = MonoTime{};
  index_.Clear();
  destinations_.DropLines();
  places_.DropAll();
  place_of_.clear();
  sent_to_.clear();
  sweep_from_ = 0;
}

std::vector<std::pair<DeliverySeq, Lane::Ref>> Lane::Release(const std::vector<DeliverySeq>& seqs) {
  std::vector<std::pair<DeliverySeq, Ref>> released;
  for (const DeliverySeq seq : seqs) {
    const auto ref = index_.Find(seq);
    if (!ref) continue;
    const Slot& slot = At(*ref);
    if (slot.phase != Phase::kWaiting && slot.phase != Phase::kHeld) continue;
    if (slot.phase == Phase::kHeld) held_.erase(slot.call_key);
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
  kept_from_sweep_ = now;
  if (trouble_ == Trouble::kNone) return;
  troubled_since_ = now;
  probe_wait_ = trouble_ == Trouble::kFailing ? policy_.breaker.wait : kFirstProbe;
  probe_at_ = now;
  RetryRefused(now);
  SweepAnew();
}

void Lane::Renew(MonoTime now) {
  trouble_ = Trouble::kNone;
  breaker_ = Breaker(policy_.breaker);
  kept_from_sweep_ = now;
  closed_ = false;
  ++streak_;
  refused_ = 0;
  probe_ = kNone;
  GoOn(places_.Clear());
  place_of_.clear();
  RetryRefused(now);
  ++era_;
}

/// The cause may be fixed: makes refused deliveries due.
void Lane::RetryRefused(MonoTime now) {
  for (auto& [ref, refusals] : refusals_) refusals.came_early = false;
  MakeDue(now, false, true);
}

Lane::State Lane::StateAt(MonoTime now) const {
  switch (gate_) {
    case Gate::kRemoved: return State::kRemoved;
    case Gate::kUnavailable: return State::kUnavailable;
    case Gate::kOpen: break;
  }
  if (paused_) return State::kPaused;
  if (trouble_ != Trouble::kNone && probe_ != kNone) return State::kProbing;
  if (trouble_ == Trouble::kMisconfigured) return State::kMisconfigured;
  if (trouble_ == Trouble::kFailing) return State::kFailing;
  return throttled_until_ > now ? State::kThrottled : State::kOpen;
}

bool Lane::IsThereStill(const Due& entry) const {
  const Slot& slot = At(entry.ref);
  return slot.phase != Phase::kFree && slot.accepted == entry.due;
}

std::optional<MonoTime> Lane::Oldest() const {
  if (pending_ == 0) return std::nullopt;
  const auto first = index_.Front();
  const MonoTime oldest = first ? At(*first).accepted : MonoTime::max();
  return late_.empty() ? oldest : std::min(oldest, late_.front().due);
}

}  // namespace hookswitch
