#include "core/delivery/lane_slots.h"

namespace hookswitch {

LaneSlots::Ref LaneSlots::Add(const LaneDelivery& delivery) {
  if (free_ == kNone) {
    const Ref first = capacity();
    chunks_.push_back(std::make_unique<std::vector<LaneSlot>>(kChunk));
    for (Ref ref = first + kChunk; ref-- > first;) {
      (*this)[ref].next = free_;
      free_ = ref;
    }
  }
  const Ref ref = free_;
  LaneSlot& slot = (*this)[ref];
  free_ = slot.next;
  static_cast<LaneDelivery&>(slot) = delivery;
  slot.phase = LaneSlot::Phase::kWaiting;
  slot.in_call = slot.awaits_admission = false;
  slot.next = kNone;
  ++size_;
  return ref;
}

void LaneSlots::Remove(Ref ref) {
  LaneSlot& slot = (*this)[ref];
  slot.phase = LaneSlot::Phase::kFree;
  slot.next = free_;
  free_ = ref;
  --size_;
}

void LaneSlots::Clear() {
  chunks_.clear();
  chunks_.shrink_to_fit();
  free_ = kNone;
  size_ = 0;
}

}  // namespace hookswitch
