#include "core/delivery/call_queues.h"

#include "core/base/check.h"

namespace hookswitch {

bool CallQueues::Add(LaneSlots& slots, Ref ref) {
  constexpr Ref kNone = LaneSlots::kNone;
  LaneSlot& slot = slots[ref];
  if (slot.call_key == 0) return true;
  slot.in_call = true;
  const auto [found, is_new] = calls_.try_emplace(slot.call_key);
  Call& call = found->second;
  if (is_new) {
    call.head = call.tail = ref;
    return true;
  }
  if (slots[call.tail].seq < slot.seq) {
    slots[call.tail].next = ref;
    call.tail = ref;
    return false;
  }
  // Commits are in order, but threads may enqueue committed deliveries out of order, and replays come back late.
  if (slot.seq < slots[call.head].seq && slots[call.head].phase == LaneSlot::Phase::kWaiting) {
    slot.next = call.head;
    call.head = ref;
    return true;
  }
  Ref before = call.head;
  while (slots[before].next != kNone && slots[slots[before].next].seq < slot.seq) before = slots[before].next;
  slot.next = slots[before].next;
  slots[before].next = ref;
  if (slot.next == kNone) call.tail = ref;
  return false;
}

std::optional<CallQueues::Ref> CallQueues::Remove(LaneSlots& slots, Ref ref) {
  LaneSlot& slot = slots[ref];
  if (!slot.in_call) return std::nullopt;
  const auto found = calls_.find(slot.call_key);
  HSW_CHECK(found != calls_.end(), "a call is known while deliveries of it wait");
  Call& call = found->second;
  if (call.head == ref) {
    if (slot.next == LaneSlots::kNone) {
      calls_.erase(found);
      return std::nullopt;
    }
    call.head = slot.next;
    return call.head;
  }
  Ref before = call.head;
  while (slots[before].next != ref) before = slots[before].next;
  slots[before].next = slot.next;
  if (call.tail == ref) call.tail = before;
  return std::nullopt;
}

const CallQueues::Call* CallQueues::Find(std::uint64_t call_key) const {
  const auto found = calls_.find(call_key);
  return found == calls_.end() ? nullptr : &found->second;
}

}  // namespace hookswitch
