#pragma once
#include <optional>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/delivery/due_heap.h"
#include "core/delivery/lane_slots.h"
#include "core/delivery/seq_index.h"

namespace hookswitch {

/// All deliveries of a lane: finds one by its number, and knows when the oldest was accepted. Not thread-safe.
class DeliveryIndex {
 public:
  using Ref = LaneSlots::Ref;

  void Add(Ref ref, const LaneSlot& slot);
  /// Call after the slot was freed.
  void Remove(const LaneSlots& slots, DeliverySeq seq);
  std::optional<Ref> Find(DeliverySeq seq) { return by_seq_.Find(seq); }
  /// When the oldest delivery was accepted; empty if there is none.
  std::optional<MonoTime> Oldest(const LaneSlots& slots) const;
  /// Frees all memory.
  void Clear();

 private:
  SeqIndex by_seq_;    ///< all; in order of acceptance too, except those in late_
  MonoTime newest_{};  ///< latest acceptance in that order
  DueHeap late_;       ///< added out of order, by acceptance
};

}  // namespace hookswitch
