#include "core/delivery/delivery_index.h"

#include <algorithm>

namespace hookswitch {

void DeliveryIndex::Add(Ref ref, const LaneSlot& slot) {
  const bool in_order = by_seq_.Insert(slot.seq, ref) && slot.accepted >= newest_;
  if (in_order) {
    newest_ = slot.accepted;
  } else {
    late_.Push(slot.accepted, ref, slot.seq);
  }
}

void DeliveryIndex::Remove(const LaneSlots& slots, DeliverySeq seq) {
  by_seq_.Erase(seq);
  late_.DropStale([&slots](const DueHeap::Entry& entry) {
    const LaneSlot& slot = slots[entry.ref];
    return slot.phase != LaneSlot::Phase::kFree && slot.accepted == entry.due;
  });
}

std::optional<MonoTime> DeliveryIndex::Oldest(const LaneSlots& slots) const {
  if (slots.size() == 0) return std::nullopt;
  const auto first = by_seq_.Front();
  return std::min(first ? slots[*first].accepted : MonoTime::max(), late_.Next());
}

void DeliveryIndex::Clear() {
  by_seq_.Clear();
  newest_ = MonoTime{};
  late_.Clear();
}

}  // namespace hookswitch
