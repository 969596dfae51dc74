#pragma once
#include <optional>

#include "core/base/clock.h"
#include "core/delivery/call_queues.h"
#include "core/delivery/due_heap.h"
#include "core/delivery/lane_slots.h"

namespace hookswitch {

/// Waiting deliveries that are the first of their calls, by due time. Those never tried are kept separately,
/// because a probe of a sink in trouble prefers them. Not thread-safe.
///
/// A delivery stays until it is taken. If meanwhile it started, ended, got another due time or was queued elsewhere,
/// its entry is stale: call DropStale before looking at the first ones.
class StartQueue {
 public:
  using Ref = LaneSlots::Ref;

  void Push(Ref ref, const LaneSlot& slot);
  void DropStale(const LaneSlots& slots, const CallQueues& calls);
  /// Frees all memory.
  void Clear();

  bool empty() const { return untried_.empty() && tried_.empty(); }
  bool has_untried() const { return !untried_.empty(); }
  /// The earliest due times; MonoTime::max() for none.
  MonoTime NextUntried() const { return untried_.Next(); }
  MonoTime NextTried() const { return tried_.Next(); }

  /// Each takes one delivery, if there is one.
  std::optional<Ref> TakeDue(MonoTime now);         ///< the first of all that are due
  std::optional<Ref> TakeUntriedDue(MonoTime now);  ///< the first that is due and was not tried
  std::optional<Ref> TakeTriedDue(MonoTime now);    ///< the first that is due and was tried
  std::optional<Ref> TakeAny(bool prefer_untried);  ///< due or not

 private:
  static std::optional<Ref> Take(DueHeap& heap);

  DueHeap untried_, tried_;
};

}  // namespace hookswitch
