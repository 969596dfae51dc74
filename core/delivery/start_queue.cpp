#include "core/delivery/start_queue.h"

namespace hookswitch {

void StartQueue::Push(Ref ref, const LaneSlot& slot) {
  (slot.tried() ? tried_ : untried_).Push(slot.due, ref, slot.seq);
}

void StartQueue::DropStale(const LaneSlots& slots, const CallQueues& calls) {
  const auto is_current = [&](const DueHeap::Entry& entry) {
    const LaneSlot& slot = slots[entry.ref];
    return slot.phase == LaneSlot::Phase::kWaiting && !slot.awaits_admission && slot.due == entry.due &&
           calls.IsFirst(slots, entry.ref);
  };
  untried_.DropStale(is_current);
  tried_.DropStale(is_current);
}

void StartQueue::Clear() {
  untried_.Clear();
  tried_.Clear();
}

std::optional<StartQueue::Ref> StartQueue::TakeDue(MonoTime now) {
  const bool untried = !untried_.empty() && (tried_.empty() || !DueHeap::IsLater()(untried_.front(), tried_.front()));
  return untried ? TakeUntriedDue(now) : TakeTriedDue(now);
}

std::optional<StartQueue::Ref> StartQueue::TakeUntriedDue(MonoTime now) {
  return untried_.Next() <= now ? Take(untried_) : std::nullopt;
}

std::optional<StartQueue::Ref> StartQueue::TakeTriedDue(MonoTime now) {
  return tried_.Next() <= now ? Take(tried_) : std::nullopt;
}

std::optional<StartQueue::Ref> StartQueue::TakeAny(bool prefer_untried) {
  return Take(!untried_.empty() && (prefer_untried || tried_.empty()) ? untried_ : tried_);
}

std::optional<StartQueue::Ref> StartQueue::Take(DueHeap& heap) {
  if (heap.empty()) return std::nullopt;
  const Ref ref = heap.front().ref;
  heap.Pop();
  return ref;
}

}  // namespace hookswitch
