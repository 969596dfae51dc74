#include "core/delivery/lane.h"

#include <algorithm>

#include "core/base/check.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstProbe = std::chrono::seconds(30);
constexpr milliseconds kLongestProbe = std::chrono::minutes(10);

}  // namespace

void Lane::SetPolicy(LanePolicy policy) {
  policy_ = std::move(policy);
  policy_.concurrency = std::max(policy_.concurrency, 1);
  bucket_.SetRate(policy_.rate);
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
  slot.next = kNone;
  ++pending_;
  Enqueue(ref);
  return ref;
}

void Lane::Enqueue(Ref ref) {
  Slot& slot = At(ref);
  if (slot.call_key == 0) return Push(ref);
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

void Lane::Push(Ref ref) {
  heap_.push_back({At(ref).due, ref});
  std::push_heap(heap_.begin(), heap_.end(), &Later);
}

bool Lane::IsCurrent(const Due& entry) const {
  const Slot& slot = At(entry.ref);
  if (slot.phase != Phase::kWaiting || slot.due != entry.due) return false;
  if (slot.call_key == 0) return true;
  const auto call = calls_.find(slot.call_key);
  return call != calls_.end() && call->second.head == entry.ref;
}

void Lane::DropStale() {
  while (!heap_.empty() && !IsCurrent(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), &Later);
    heap_.pop_back();
  }
}

std::optional<Lane::Ref> Lane::Start(MonoTime now) {
  DropStale();
  if (NextLook() > now) return std::nullopt;
  const Ref ref = heap_.front().ref;
  std::pop_heap(heap_.begin(), heap_.end(), &Later);
  heap_.pop_back();
  DropStale();
  bucket_.Take(now);
  At(ref).phase = Phase::kRunning;
  At(ref).era = era_;
  ++in_flight_;
  if (misconfigured_) probe_ = ref;
  return ref;
}

MonoTime Lane::NextLook() const {
  if (gate_ != Gate::kOpen || paused_ || heap_.empty() || in_flight_ >= static_cast<std::size_t>(policy_.concurrency)) {
    return MonoTime::max();
  }
  MonoTime at = std::max({heap_.front().due, bucket_.Next(), throttled_until_});
  if (misconfigured_) {
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

Lane::Verdict Lane::Finish(Ref ref, const Outcome& outcome, MonoTime now, Jitter& jitter) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is finished, and once");
  const bool is_probe = probe_ == ref;
  if (is_probe) probe_ = kNone;
  ++slot.attempts;
  // The other side read a request and judged it: credential and destination work. What was never sent shows nothing.
  const auto reopen = [&] {
    if (!misconfigured_ || !outcome.answered) return Change::kNone;
    misconfigured_ = false;
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
    case Outcome::Kind::kNext:
      ++slot.step;
      slot.failures = 0;
      slot.first_failed = MonoTime{};
      return Again(slot, slot.accepted, milliseconds(0), reopen());  // before those that have not begun
    case Outcome::Kind::kMisconfigured: {
      Change change = Change::kNone;
      if (slot.era != era_) {
        // It speaks of a sink that has been replaced.
      } else if (!misconfigured_) {
        misconfigured_ = true;
        probe_wait_ = kFirstProbe;
        probe_at_ = now + probe_wait_;
        change = Change::kPausedItself;
      } else if (is_probe) {
        probe_wait_ = std::min(probe_wait_ * 2, kLongestProbe);
        probe_at_ = now + probe_wait_;
        change = Change::kProbeFailed;
      }
      return Again(slot, now, milliseconds(0), change);  // behind the others: the next probe takes another one
    }
    case Outcome::Kind::kRetry: break;
  }

  if (is_probe) probe_at_ = now + probe_wait_;
  if (outcome.retry_after && outcome.retry_after->count() > 0) {
    const milliseconds pause = PauseFor(*outcome.retry_after, jitter);
    throttled_until_ = std::max(throttled_until_, now + pause);
    const bool is_over = slot.first_failed != MonoTime{} && now - slot.first_failed >= policy_.retry.give_up_after;
    if (is_over && !misconfigured_) return dead(true, Change::kThrottled);
    return Again(slot, slot.due, pause, Change::kThrottled);  // keeps its place; the whole lane waits
  }
  if (misconfigured_) return Again(slot, now, milliseconds(0), Change::kNone);
  ++slot.failures;
  if (slot.first_failed == MonoTime{}) slot.first_failed = now;
  const auto failing_for = std::chrono::duration_cast<milliseconds>(now - slot.first_failed);
  const auto wait = NextTry(policy_.retry, slot.failures, failing_for, jitter);
  return wait ? Again(slot, now + *wait, *wait, Change::kNone) : dead(true, Change::kNone);
}

void Lane::Settle(Ref ref, bool ends) {
  Slot& slot = At(ref);
  HSW_CHECK(slot.phase == Phase::kAgain || slot.phase == Phase::kEnded, "only what has a verdict is settled, and once");
  --in_flight_;
  if (ends || slot.phase == Phase::kEnded) return Remove(ref);
  slot.phase = Phase::kWaiting;
  Push(ref);
}

void Lane::Remove(Ref ref) {
  Slot& slot = At(ref);
  if (slot.call_key != 0) {
    const auto found = calls_.find(slot.call_key);
    HSW_CHECK(found != calls_.end() && found->second.head == ref, "only the head of a call starts, so only it ends");
    if (slot.next == kNone) {
      calls_.erase(found);
    } else {
      found->second.head = slot.next;
      Push(slot.next);
    }
  }
  slot.phase = Phase::kFree;
  slot.next = free_;
  free_ = ref;
  --pending_;
}

void Lane::Resume(MonoTime now) {
  paused_ = false;
  throttled_until_ = MonoTime{};
  if (misconfigured_) {
    probe_wait_ = kFirstProbe;
    probe_at_ = now;
  }
}

void Lane::Renew() {
  misconfigured_ = false;
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
  if (misconfigured_) return probe_ != kNone ? State::kProbing : State::kMisconfigured;
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
