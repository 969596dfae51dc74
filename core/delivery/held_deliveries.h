#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/delivery/due_heap.h"
#include "core/delivery/lane_slots.h"

namespace hookswitch {

/// Deliveries held back until their call ends, or until they are due, whichever is first; at most one per call. They
/// are in no call's queue. Not thread-safe.
///
/// `slots` is the lane's, the same in each call.
class HeldDeliveries {
 public:
  using Ref = LaneSlots::Ref;

  /// Puts the delivery in phase kHeld. Its call must have none held.
  void Add(LaneSlots& slots, Ref ref);
  /// The held delivery of the call, which is held no longer; empty if none.
  std::optional<Ref> Take(std::uint64_t call_key);
  /// The next that was held until it was due. It is held no longer, and in phase kWaiting.
  std::optional<Ref> TakeDue(LaneSlots& slots, MonoTime now);
  /// When TakeDue may next return one; MonoTime::max() for never.
  MonoTime Next() const { return due_.Next(); }
  std::size_t size() const { return by_call_.size(); }
  /// Frees memory. Only when none is held.
  void Clear() { due_.Clear(); }

 private:
  std::unordered_map<std::uint64_t, Ref> by_call_;
  DueHeap due_;
};

}  // namespace hookswitch
