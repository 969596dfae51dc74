#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/delivery/lane_slots.h"

namespace hookswitch {

/// Deliveries that the sink refused, and how often each. A delivery is at fault when kMost refusals of it count: the
/// first, and each later one if others were delivered in between and the wait before it was over. A value; not
/// thread-safe.
class DeliveryRefusals {
 public:
  using Ref = LaneSlots::Ref;
  static constexpr std::uint32_t kMost = 3;

  struct Refusal {
    bool is_last = false;              ///< the delivery is at fault; the other fields are not set
    bool is_first_in_run = false;      ///< its first one in this run of refusals
    std::chrono::milliseconds wait{};  ///< until it is tried again
  };
  /// Records a refusal. `delivered`: how many deliveries got through so far. `run`: see SinkTrouble.
  Refusal Add(Ref ref, std::uint32_t delivered, std::uint32_t run, MonoTime now);
  /// The delivery left the lane, or a step of it got through.
  void Remove(Ref ref) { by_ref_.erase(ref); }
  /// When the delivery should be tried again now that the sink works; empty if it was not refused. One that was refused
  /// for its own content would go out at each reopening, so it gets one early retry; after that it waits until a
  /// refusal counts again.
  std::optional<MonoTime> RetryAt(Ref ref, MonoTime now) const;
  /// The cause may be fixed: each may have one early retry again.
  void AllowEarlyRetries();

 private:
  struct Refusals {
    std::uint8_t count = 0;              ///< those that count
    bool came_early = false;             ///< the last one was too early to count
    std::uint32_t run = 0;               ///< at the last one
    std::uint32_t delivered_before = 0;  ///< at the last one that counted
    MonoTime counts_from{};              ///< an earlier refusal does not count
  };
  std::unordered_map<Ref, Refusals> by_ref_;
};

}  // namespace hookswitch
