#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/base/ids.h"
#include "core/delivery/lane_slots.h"

namespace hookswitch {

/// Keeps the order of deliveries that belong to one call: a queue per call in DeliverySeq order, of which only the
/// first may start. Linked through the slots, so a queued delivery takes no other memory. Not thread-safe.
///
/// `slots` is the lane's, the same in each call.
class CallQueues {
 public:
  using Ref = LaneSlots::Ref;

  /// Queues a delivery. Returns whether it is now the first of its call; always for one without a call. It does not
  /// go ahead of one that has started.
  bool Add(LaneSlots& slots, Ref ref);
  /// Removes a delivery, which need not be queued. Returns the one that is now the first of the call, if that changed.
  std::optional<Ref> Remove(LaneSlots& slots, Ref ref);
  /// Whether it is the first of its call. Only for one that was added.
  bool IsFirst(const LaneSlots& slots, Ref ref) const {
    const std::uint64_t call_key = slots[ref].call_key;
    if (call_key == 0) return true;
    const Call* call = Find(call_key);
    return call && call->head == ref;
  }
  /// Calls `end(ref)` for each waiting newest_only delivery of the call that a newer one supersedes. One that has begun
  /// its steps, or was replayed, stays. `end` may change the slot's phase, but not this object.
  template <class End>
  void EndSuperseded(const LaneSlots& slots, std::uint64_t call_key, End end) const;

 private:
  struct Call {
    Ref head = LaneSlots::kNone, tail = LaneSlots::kNone;
  };
  const Call* Find(std::uint64_t call_key) const;

  std::unordered_map<std::uint64_t, Call> calls_;
};

template <class End>
void CallQueues::EndSuperseded(const LaneSlots& slots, std::uint64_t call_key, End end) const {
  using Phase = LaneSlot::Phase;
  const Call* call = Find(call_key);
  if (!call) return;
  // By DeliverySeq, not by position: one that came late is queued behind one that was in flight.
  DeliverySeq newest = 0;
  for (Ref ref = call->head; ref != LaneSlots::kNone; ref = slots[ref].next) {
    const LaneSlot& slot = slots[ref];
    if (slot.newest_only && slot.phase != Phase::kEnding && slot.seq > newest) newest = slot.seq;
  }
  for (Ref ref = call->head; ref != LaneSlots::kNone; ref = slots[ref].next) {
    const LaneSlot& slot = slots[ref];
    const bool has_begun = slot.phase != Phase::kWaiting || slot.step > 0;
    if (slot.newest_only && !has_begun && !slot.is_replay && slot.seq < newest) end(ref);
  }
}

}  // namespace hookswitch
