// What an outcome makes of a delivery, its place and the sink.
#include <algorithm>
#include <limits>

#include "core/base/check.h"
#include "core/delivery/lane.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSoon = std::chrono::seconds(1);

}  // namespace

Lane::Verdict Lane::Finish(Ref ref, const Outcome& outcome, MonoTime now, Jitter& jitter) {
  LaneSlot& slot = slots_[ref];
  HSW_CHECK(slot.phase == Phase::kRunning, "only what Start gave is finished, and once");
  // Another response may have ended the trouble that this was to probe.
  const bool is_probe = trouble_.EndProbe(ref) && trouble_;
  const Attempted attempted{slot, outcome, admission_.Finish(ref), is_probe, now};
  --running_;
  ++slot.attempts;
  slot.is_replay = false;
  slot.since = ShortTime(now);
  latest_ = now;
  const Verdict verdict = Judge(attempted, jitter);
  admission_.EndAttempt(attempted.sent, now);
  return verdict;
}

Lane::Verdict Lane::Judge(const Attempted& attempted, Jitter& jitter) {
  const auto& [slot, outcome, sent, is_probe, now] = attempted;
  switch (outcome.kind) {
    case Outcome::Kind::kDelivered: {
      ++delivered_;
      const Response response = Answered(attempted);
      slot.phase = Phase::kEnded;
      return {.state = DeliveryState::kDelivered, .change = response.change, .place_works = response.place_works};
    }
    case Outcome::Kind::kRejected: {
      if (!outcome.answered) ShowsNothing(attempted);
      const Response response = Answered(attempted);
      slot.phase = Phase::kEnded;
      return {.state = DeliveryState::kDead, .change = response.change, .place_works = response.place_works};
    }
    case Outcome::Kind::kNext: {
      ++delivered_;
      ++slot.step;
      slot.failures = 0;
      slot.first_failed = MonoTime{};
      refusals_.Remove(sent.ref);
      const Response response = Answered(attempted);
      // Due since its acceptance: it goes ahead of those that have not begun.
      Verdict verdict = TryAgain(slot, slot.accepted, milliseconds(0), response.change);
      verdict.place_works = response.place_works;
      return verdict;
    }
    case Outcome::Kind::kMisconfigured: {
      if (slot.generation != generation_) return TryAgain(slot, now);  // the sink was replaced meanwhile
      const bool blames_place = outcome.scope == Outcome::Scope::kPlace && !outcome.place.empty();
      return blames_place ? RefusedByPlace(attempted) : Refused(attempted);
    }
    case Outcome::Kind::kRetry:
      ShowsNothing(attempted);
      if (outcome.soon) return TryAgain(slot, now + kSoon, kSoon);
      if (outcome.retry_after && outcome.retry_after->count() > 0) return Throttled(attempted, jitter);
      if (trouble_.kind() == Trouble::kMisconfigured) return TryAgain(slot, now);
      return Failed(attempted, jitter);
  }
  Unreachable();
}

Lane::Verdict Lane::TryAgain(LaneSlot& slot, MonoTime due, milliseconds wait, Change change) {
  slot.due = due;
  slot.phase = Phase::kRetry;
  return {.state = DeliveryState::kPending, .wait = wait, .change = change};
}

Lane::Verdict Lane::GiveUp(LaneSlot& slot, Change change) {
  slot.phase = Phase::kEnded;
  return {.state = DeliveryState::kDead, .gave_up = true, .change = change};
}

// The outcome shows nothing about the sink: another probe may follow.
void Lane::ShowsNothing(const Attempted& attempted) {
  if (attempted.is_probe) trouble_.RepeatProbe(attempted.now);
}

// A response to a request shows that credential and place work. A request that was never sent shows nothing.
Lane::Response Lane::Answered(const Attempted& attempted) {
  if (!attempted.outcome.answered) return {};
  const auto waited = admission_.PlaceWorks(slots_, attempted.sent, attempted.now);
  if (waited) RequeueAll(*waited);
  return {.change = SinkWorks(attempted.now), .place_works = waited.has_value()};
}

// Deliveries that waited because of the sink become due: they were not at fault.
Lane::Change Lane::SinkWorks(MonoTime now) {
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
    if (!waits || slot.awaits_admission) continue;
    MonoTime due = failed && slot.failures > 0 ? now : slot.due;
    if (const auto at = refused ? refusals_.RetryAt(ref, now) : std::nullopt) due = std::min(due, *at);
    if (slot.due <= due) continue;
    slot.due = due;
    Requeue(ref);
  }
}

// The other side asked for a pause.
Lane::Verdict Lane::Throttled(const Attempted& attempted, Jitter& jitter) {
  const auto& [slot, outcome, sent, is_probe, now] = attempted;
  const milliseconds pause = PauseFor(*outcome.retry_after, policy_.retry.max_retry_after, jitter);
  Change change = Change::kNone;
  if (!admission_.Throttle(sent, now, now + pause)) {
    Throttle(now + pause);
    change = Change::kThrottled;
  }
  // A 5xx with Retry-After is a failure; a 429 is not.
  if (outcome.http_status >= 500 && slot.first_failed == MonoTime{}) slot.first_failed = now;
  const bool has_failed = slot.first_failed != MonoTime{};
  const bool is_over = has_failed && now - expiry_.FailingSince(slot) >= policy_.retry.give_up_after;
  if (is_over && !trouble_) return GiveUp(slot, change);
  return TryAgain(slot, slot.due, pause, change);  // keeps its position; the destination or the whole lane waits
}

Lane::Verdict Lane::Failed(const Attempted& attempted, Jitter& jitter) {
  const auto& [slot, outcome, sent, is_probe, now] = attempted;
  if (slot.first_failed == MonoTime{}) slot.first_failed = now;
  const auto failing_for = std::chrono::duration_cast<milliseconds>(now - expiry_.FailingSince(slot));
  Change change = Change::kNone;
  if (is_probe) {
    if (!outcome.ours) {
      trouble_.ProbeFailed(now);
      change = Change::kProbeFailed;
    }
    if (failing_for >= policy_.retry.give_up_after) return GiveUp(slot, change);
    return TryAgain(slot, now, milliseconds(0), change);
  }
  const bool is_evidence = !outcome.ours && slot.generation == generation_ && !trouble_;
  if (is_evidence && trouble_.Failed(now)) {
    expiry_.SweepAnew();
    change = Change::kFailing;
  }
  if (slot.failures < std::numeric_limits<std::uint16_t>::max()) ++slot.failures;
  const auto wait = NextTry(policy_.retry, slot.failures, failing_for, jitter);
  return wait ? TryAgain(slot, now + *wait, *wait, change) : GiveUp(slot, change);
}

// Refused, and the response does not blame a single place.
Lane::Verdict Lane::Refused(const Attempted& attempted) {
  const auto& [slot, outcome, sent, is_probe, now] = attempted;
  const auto refusal = refusals_.Add(sent.ref, delivered_, trouble_.run(), now);
  if (refusal.is_last) {
    slot.phase = Phase::kEnded;
    return {.state = DeliveryState::kDead, .refused = true};
  }
  trouble_.Refused(refusal.is_first_in_run, outcome.scope == Outcome::Scope::kSink);
  Change change = Change::kNone;
  if (trouble_.kind() != Trouble::kMisconfigured) {
    queue_.DropStale(slots_, calls_);
    const bool may_work = running_ > 0 || queue_.has_untried();  // another delivery could still get through
    if (trouble_.is_certain() || !may_work) {
      trouble_.EnterMisconfigured(now);
      expiry_.SweepAnew();
      change = Change::kPausedItself;
    }
  } else if (is_probe) {
    trouble_.ProbeFailed(now);
    change = Change::kProbeFailed;
  }
  return TryAgain(slot, now + refusal.wait, refusal.wait, change);
}

// Refused by its place: the credential works, or the response could not blame a place.
Lane::Verdict Lane::RefusedByPlace(const Attempted& attempted) {
  const auto& [slot, outcome, sent, is_probe, now] = attempted;
  const Change change = outcome.answered ? SinkWorks(now) : Change::kNone;
  const std::string& reason = outcome.reason.empty() ? outcome.code : outcome.reason;
  const auto refusal = admission_.PlaceRefused(slots_, sent.ref, outcome.place, reason, delivered_, now);
  if (refusal.is_last) {
    for (const Ref other : refusal.ended) MarkEnding(other, End::kRefused, RefusedPlaces::KeyOf(outcome.place));
    slot.phase = Phase::kEnded;
    return {.state = DeliveryState::kDead, .refused = true, .change = change, .place_refused = refusal.is_new};
  }
  Verdict verdict = TryAgain(slot, now, refusal.wait, change);
  verdict.place_refused = refusal.is_new;
  return verdict;
}

// The cause may be fixed: makes refused deliveries due.
void Lane::RetryRefused(MonoTime now) {
  refusals_.AllowEarlyRetries();
  MakeDue(now, false, true);
}

}  // namespace hookswitch
