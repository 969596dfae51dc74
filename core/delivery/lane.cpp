#include "core/delivery/lane.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstProbe = std::chrono::seconds(30);
constexpr milliseconds kLongestProbe = std::chrono::minutes(10);
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
  held_due_.push_back({slot.due, ref});
  std::push_heap(held_due_.begin(), held_due_.end(), &Later);
}

void Lane::EndHeld(std::uint64_t call_key, End why) {
  const auto found = held_.find(call_key);
  if (found == held_.end()) return;
  MarkEnding(found->second, why);
  held_.erase(found);
}

// A soft end may come after the real one: senders reorder.
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
    const auto [due, ref] = held_due_.front();
    Slot& slot = At(ref);
    const bool current = slot.phase == Phase::kHeld && slot.due == due;
    if (current && due > now) return;
    std::pop_heap(held_due_.begin(), held_due_.end(), &Later);
    held_due_.pop_back();
    if (!current) continue;
    held_.erase(slot.call_key);
    slot.phase = Phase::kWaiting;
    NoteDeadline(Deadline(slot));
    Enqueue(ref);
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
  // Commits are in order, but threads may hand over what was committed in any order, and replays come back late.
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

// Of a call's deliveries of which only the newest counts, leaves the newest and what has begun. The queue alone does
// not tell: one that comes late stands behind what was in flight then.
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

void Lane::MarkEnding(Ref ref, End why) {
  At(ref).phase = Phase::kEnding;
  endings_.push_back({ref, why});
}

// When a delivery that waits ends by itself.
MonoTime Lane::Deadline(const Slot& slot) const {
  MonoTime deadline = MonoTime::max();
  if (policy_.max_age) deadline = slot.accepted + *policy_.max_age;
  if (trouble_ == Trouble::kFailing) {
    deadline = std::min(deadline, std::max(slot.accepted, troubled_since_) + policy_.retry.give_up_after);
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
      // Those of one call end in their order, so that a fallback tells them in their order: the next one next time.
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
  // In large groups, for each may mean a look at all deliveries. What a pause or a sink that is gone holds is kept,
  // however old.
  const bool none = ending_ > kEndingsAtOnce / 2 || paused_ || gate_ == Gate::kRemoved;
  return none ? MonoTime::max() : next_sweep_;
}

void Lane::Push(Ref ref) {
  heap_.push_back({At(ref).due, ref});
  std::push_heap(heap_.begin(), heap_.end(), &Later);
}

bool Lane::IsCurrent(const Due& entry) const {
  const Slot& slot = At(entry.ref);
  return slot.phase == Phase::kWaiting && slot.due == entry.due && IsNext(entry.ref);
}

// No other delivery of its call comes before it.
bool Lane::IsNext(Ref ref) const {
  if (At(ref).call_key == 0) return true;
  const auto call = calls_.find(At(ref).call_key);
  return call != calls_.end() && call->second.head == ref;
}

void Lane::DropStale() {
  while (!heap_.empty() && !IsCurrent(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), &Later);
    heap_.pop_back();
  }
}

std::optional<Lane::Ref> Lane::Start(MonoTime now) {
  ReleaseHeld(now);
  DropStale();
  if (NextLook() > now) return std::nullopt;
  auto next = NextInLine(now);
  if (!next) {
    if (heap_.empty() || NextLook() > now) return std::nullopt;
    next = heap_.front().ref;
    std::pop_heap(heap_.begin(), heap_.end(), &Later);
    heap_.pop_back();
  }
  const Ref ref = *next;
  bucket_.Take(now);
  At(ref).phase = Phase::kRunning;
  At(ref).era = era_;
  At(ref).in_line = false;
  DropStale();
  ++in_flight_;
  if (trouble_ != Trouble::kNone) probe_ = ref;
  return ref;
}

// Who waits in line is older than who has not been looked at.
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
    if (waits) At(first->ref).in_line = false;  // it is pushed when it is the next of its call
  }
  return std::nullopt;
}

bool Lane::Admit(Ref ref, Destinations::Key destination, const config::Rate& pace, MonoTime now) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is admitted");
  const auto sent = sent_to_.find(ref);
  if (sent != sent_to_.end() && sent->second == destination) return true;  // it came out of that line
  if (destinations_.Admit({destination, slot.seq, ref}, pace, now)) {
    sent_to_[ref] = destination;
    return true;
  }
  sent_to_.erase(ref);
  slot.phase = Phase::kWaiting;
  slot.in_line = true;
  --in_flight_;
  if (probe_ == ref) probe_ = kNone;
  NoteDeadline(Deadline(slot));
  if (slot.newest_only) ReplaceOlder(slot.call_key);
  return false;
}

MonoTime Lane::NextLook() const {
  if (gate_ != Gate::kOpen || paused_ || in_flight_ >= static_cast<std::size_t>(policy_.concurrency)) {
    return MonoTime::max();
  }
  MonoTime due = MonoTime::max();
  if (!heap_.empty()) due = trouble_ == Trouble::kFailing ? MonoTime{} : heap_.front().due;
  if (!held_due_.empty()) due = std::min(due, held_due_.front().due);
  due = std::min(due, destinations_.Next());
  if (due == MonoTime::max()) return due;
  MonoTime at = std::max({due, bucket_.Next(), throttled_until_});
  if (trouble_ != Trouble::kNone) {
    if (probe_ != kNone) return MonoTime::max();
    at = std::max(at, probe_at_);
  }
  return at;
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

// What waited because the sink failed is due: it was not its fault.
void Lane::Leave(MonoTime now) {
  const Trouble trouble = std::exchange(trouble_, Trouble::kNone);
  if (trouble == Trouble::kMisconfigured) excused_until_ = now;
  if (trouble != Trouble::kFailing) return;
  for (Ref ref = 0; ref < chunks_.size() * kChunk; ++ref) {
    Slot& slot = At(ref);
    const bool waits = slot.phase == Phase::kWaiting || slot.phase == Phase::kAgain;
    if (!waits || slot.failures == 0 || slot.due <= now) continue;
    slot.due = now;
    if (slot.phase == Phase::kWaiting && (!slot.in_call || calls_.at(slot.call_key).head == ref)) Push(ref);
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
  ++slot.attempts;
  slot.is_replay = false;
  // The other side read a request and judged it: credential and destination work. What was never sent shows nothing.
  const auto reopen = [&] {
    if (!outcome.answered) return Change::kNone;
    breaker_.Worked(now);
    if (trouble_ == Trouble::kNone) return Change::kNone;
    Leave(now);
    return Change::kReopened;
  };
  const auto dead = [&](bool gave_up, Change change) {
    slot.phase = Phase::kEnded;
    return Verdict{.state = DeliveryState::kDead, .gave_up = gave_up, .change = change};
  };

  switch (outcome.kind) {
    case Outcome::Kind::kDelivered:
      slot.phase = Phase::kEnded;
      return {.state = DeliveryState::kDelivered, .change = reopen()};
    case Outcome::Kind::kRejected: return dead(false, reopen());
    case Outcome::Kind::kNext: {
      ++slot.step;
      slot.failures = 0;
      slot.first_failed = MonoTime{};
      const Change change = reopen();
      return Again(slot, slot.accepted, milliseconds(0), change);  // before those that have not begun
    }
    case Outcome::Kind::kMisconfigured: {
      Change change = Change::kNone;
      if (slot.era != era_) {
        // It speaks of a sink that has been replaced.
      } else if (trouble_ != Trouble::kMisconfigured) {
        Enter(Trouble::kMisconfigured, kFirstProbe, now);
        change = Change::kPausedItself;
      } else if (is_probe) {
        change = ProbeFailed(now, kLongestProbe);
      }
      return Again(slot, now, milliseconds(0), change);  // behind the others: the next probe takes another one
    }
    case Outcome::Kind::kRetry: break;
  }

  if (is_probe) probe_at_ = now + probe_wait_;
  if (outcome.retry_after && outcome.retry_after->count() > 0) {
    const milliseconds pause = PauseFor(*outcome.retry_after, jitter);
    Change throttled = Change::kNone;
    if (sent_to) {
      destinations_.Hold(sent_to.mapped(), now + pause);
    } else {
      throttled_until_ = std::max(throttled_until_, now + pause);
      throttled = Change::kThrottled;
    }
    // A server that is in trouble has failed, whatever it asks for; one that is asked too often has not.
    if (outcome.http_status >= 500 && slot.first_failed == MonoTime{}) slot.first_failed = now;
    const bool is_over = slot.first_failed != MonoTime{} && now - FirstFailed(slot) >= policy_.retry.give_up_after;
    if (is_over && trouble_ == Trouble::kNone) return dead(true, throttled);
    return Again(slot, slot.due, pause, throttled);  // keeps its place; the destination or the whole lane waits
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

void Lane::Settle(Ref ref, bool ends) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kAgain || slot.phase == Phase::kEnded || slot.phase == Phase::kEnding,
            "only what has a verdict is settled, and once");
  --(slot.phase == Phase::kEnding ? ending_ : in_flight_);
  if (ends || slot.phase != Phase::kAgain) return Remove(ref);
  slot.phase = Phase::kWaiting;
  Push(ref);
  NoteDeadline(Deadline(slot));
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
  slot.phase = Phase::kFree;
  slot.next = free_;
  free_ = ref;
  --pending_;
}

std::vector<std::pair<DeliverySeq, Lane::Ref>> Lane::Release(const std::vector<DeliverySeq>& seqs) {
  std::vector<std::pair<DeliverySeq, Ref>> released;
  for (Ref ref = 0; ref < chunks_.size() * kChunk; ++ref) {
    const Slot& slot = At(ref);
    if (slot.phase != Phase::kWaiting && slot.phase != Phase::kHeld) continue;
    if (!std::binary_search(seqs.begin(), seqs.end(), slot.seq)) continue;
    if (slot.phase == Phase::kHeld) held_.erase(slot.call_key);
    released.emplace_back(slot.seq, ref);
    Remove(ref);
  }
  return released;
}

void Lane::Resume(MonoTime now) {
  paused_ = false;
  throttled_until_ = MonoTime{};
  destinations_.Resume();
  excused_until_ = now;
  if (trouble_ == Trouble::kNone) return;
  troubled_since_ = now;
  probe_wait_ = trouble_ == Trouble::kFailing ? policy_.breaker.wait : kFirstProbe;
  probe_at_ = now;
  SweepAnew();
}

void Lane::Renew(MonoTime now) {
  trouble_ = Trouble::kNone;
  breaker_ = Breaker(policy_.breaker);
  excused_until_ = now;
  probe_ = kNone;
  ++era_;
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

std::optional<MonoTime> Lane::Oldest() const {
  std::optional<MonoTime> oldest;
  for (const auto& chunk : chunks_) {
    for (const Slot& slot : *chunk) {
      if (slot.phase != Phase::kFree && (!oldest || slot.accepted < *oldest)) oldest = slot.accepted;
    }
  }
  return oldest;
}

}  // namespace hookswitch
