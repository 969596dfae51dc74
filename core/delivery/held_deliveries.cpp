#include "core/delivery/held_deliveries.h"

namespace hookswitch {

void HeldDeliveries::Add(LaneSlots& slots, Ref ref) {
  LaneSlot& slot = slots[ref];
  slot.phase = LaneSlot::Phase::kHeld;
  by_call_[slot.call_key] = ref;
  due_.Push(slot.due, ref, slot.seq);
}

std::optional<HeldDeliveries::Ref> HeldDeliveries::Take(std::uint64_t call_key) {
  const auto found = by_call_.find(call_key);
  if (found == by_call_.end()) return std::nullopt;
  const Ref ref = found->second;
  by_call_.erase(found);
  return ref;
}

std::optional<HeldDeliveries::Ref> HeldDeliveries::TakeDue(LaneSlots& slots, MonoTime now) {
  due_.DropStale([&slots](const DueHeap::Entry& entry) {
    const LaneSlot& slot = slots[entry.ref];
    return slot.phase == LaneSlot::Phase::kHeld && slot.due == entry.due;
  });
  if (due_.Next() > now) return std::nullopt;
  const Ref ref = due_.front().ref;
  due_.Pop();
  LaneSlot& slot = slots[ref];
  by_call_.erase(slot.call_key);
  slot.phase = LaneSlot::Phase::kWaiting;
  return ref;
}

}  // namespace hookswitch
