// What holds deliveries back, and what one waited for.
#include <algorithm>

#include "core/delivery/lane.h"

namespace hookswitch {

/// Start found nothing: notes why.
std::nullopt_t Lane::FoundNone(MonoTime now) {
  latest_ = now;
  wait_log_.Note(WhatHolds(now), now);
  return std::nullopt;
}

/// What keeps those that are due from starting; empty: none is due.
std::optional<WaitKind> Lane::WhatHolds(MonoTime now) const {
  const bool is_failing = trouble_.kind() == Trouble::kFailing;  // then what is queued need not be due
  const MonoTime due = is_failing && !queue_.empty() ? MonoTime{} : std::min(queue_.NextUntried(), queue_.NextTried());
  if (std::min(due, admission_.Next()) > now) return {};
  if (gate_ != Gate::kOpen) return WaitKind::kTrouble;
  if (paused_) return WaitKind::kPaused;
  if (trouble_) return WaitKind::kTrouble;
  if (throttled_until_ > now) return WaitKind::kThrottle;
  if (in_flight_ >= static_cast<std::size_t>(policy_.concurrency)) return WaitKind::kSlot;
  if (!bucket_.Ready(now)) return WaitKind::kPace;
  return {};
}

Waits Lane::WaitsOf(Ref ref, MonoTime started, const Target& target) const {
  const LaneSlot& slot = slots_[ref];
  const bool is_retry = slot.is_retry();
  if (is_retry && !slot.since) return {};
  const MonoTime since = slot.since.Before(started);
  const MonoTime from = is_retry ? since : slot.accepted;
  if (started - from < std::chrono::milliseconds(1)) return {};
  WaitShares shares(from, started);
  // Until it is due it waits for that, unless its sink is in trouble: then the retry schedule stands still.
  if (!is_retry && slot.is_held) shares.Claim(WaitKind::kSettle, from, slot.due);
  wait_log_.Claim(shares, WaitKind::kTrouble);
  if (is_retry) shares.Claim(WaitKind::kRetry, from, slot.due);
  wait_log_.Claim(shares, WaitKind::kPaused);
  wait_log_.Claim(shares, WaitKind::kThrottle);
  admission_.ClaimPlace(shares, ref, target);
  // A free slot would not have helped one that was not the first of its call.
  if (!is_retry && slot.since) shares.Claim(WaitKind::kOrder, from, since);
  wait_log_.Claim(shares, WaitKind::kSlot);
  wait_log_.Claim(shares, WaitKind::kPace);
  admission_.ClaimTurn(shares, ref, started);
  return shares.Result();
}

}  // namespace hookswitch
