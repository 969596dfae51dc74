#pragma once
#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/clock.h"
#include "core/delivery/call_queues.h"
#include "core/delivery/ending_queue.h"
#include "core/delivery/lane_slots.h"
#include "core/delivery/sink_trouble.h"

namespace hookswitch {

/// Ends waiting deliveries that are past max_age, or whose sink has been failing for give_up_after. Driven by the times
/// passed in; not thread-safe.
///
/// Deadlines are not kept sorted, because all of them change when the sink starts or stops failing. Instead a sweep
/// visits all deliveries, at most once a second, and not before the earliest deadline found. `slots`, `calls` and
/// `trouble` are the lane's, the same in each call.
class Expiry {
 public:
  /// `max_age`: from acceptance; empty: no limit. `give_up_after`: from a delivery's first failure, or from the start
  /// of the sink's trouble if it was not tried. Applies while the sink is failing.
  void SetLimits(std::optional<std::chrono::milliseconds> max_age, std::chrono::milliseconds give_up_after);

  /// Call when a delivery begins to wait.
  void NoteDeadlineOf(const LaneSlot& slot, const SinkTrouble& trouble);
  /// Call when deadlines may be earlier than they were: the next sweep starts at once, from the first slot.
  void SweepAnew();
  /// When Sweep should be called next; MonoTime::max() for never.
  MonoTime Next() const { return next_sweep_; }
  /// Moves expired deliveries to `endings` until that is full; the next sweep then continues from there. Of one call
  /// one delivery ends per sweep, the first, so that a fallback delivers them in order.
  void Sweep(LaneSlots& slots, const CallQueues& calls, const SinkTrouble& trouble, EndingQueue& endings, MonoTime now);
  /// All slots were freed.
  void Clear() { sweep_from_ = 0; }

  /// Start of the delivery's failures that count against give_up_after. It must have failed.
  MonoTime FailingSince(const LaneSlot& slot) const { return std::max(slot.first_failed, excused_until_); }
  /// The sink was misconfigured until now: earlier failures count from now.
  void ExcuseUntil(MonoTime now) { excused_until_ = now; }
  /// The operator resumed or replaced the sink: a sweep gives up nothing before give_up_after from now.
  void RestartGiveUpTime(MonoTime now) { not_before_ = now; }

 private:
  MonoTime Deadline(const LaneSlot& slot, const SinkTrouble& trouble) const;

  std::optional<std::chrono::milliseconds> max_age_;
  std::chrono::milliseconds give_up_after_{};
  MonoTime excused_until_{};
  MonoTime not_before_{};
  MonoTime next_sweep_ = MonoTime::max();
  LaneSlots::Ref sweep_from_ = 0;        ///< where an interrupted sweep continues
  MonoTime earliest_ = MonoTime::max();  ///< deadline found by this sweep or noted since it began
};

}  // namespace hookswitch
