#pragma once
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/delivery/call_queues.h"
#include "core/delivery/destinations.h"
#include "core/delivery/lane_slots.h"
#include "core/delivery/place_log.h"
#include "core/delivery/refused_places.h"
#include "core/delivery/send_order.h"
#include "core/delivery/wait_shares.h"

namespace hookswitch {

/// Where a rendered request goes.
struct SendTarget {
  std::optional<Destinations::Key> place{};  ///< the destination behind the sink
  config::Rate pace{};                       ///< rate of that destination
  std::optional<SendOrder::Key> order{};     ///< the remote thing that it changes
};

/// Whether a rendered request may be sent: its turn in an order, its place (see RefusedPlaces) and the rate of its
/// destination must allow it. Queues the deliveries that have to wait. Driven by the times passed in; not thread-safe.
///
/// A queued delivery has LaneSlot::awaits_admission set. `slots` and `calls` are the lane's, the same in each call. A
/// key names both the destination and the place.
class Admission {
 public:
  using Ref = LaneSlots::Ref;
  using Key = RefusedPlaces::Key;

  /// Call before Admit. A delivery whose last request named another order, as an earlier step or config may, leaves it.
  /// Returns the one that has its turn there now, no longer queued.
  std::optional<Ref> LeaveOtherOrder(LaneSlots& slots, Ref ref, const SendTarget& target, MonoTime now);
  /// Whether a delivery in flight may be sent; if not, it is queued.
  bool Admit(LaneSlots& slots, Ref ref, const SendTarget& target, MonoTime now);
  /// Takes the next queued delivery that may start: one whose destination has its turn, or the probe of a refused
  /// place. One that waits for its turn in an order is returned by Remove or LeaveOtherOrder instead.
  std::optional<Ref> TakeNext(LaneSlots& slots, const CallQueues& calls, MonoTime now);
  /// When TakeNext may next return one; MonoTime::max() for never.
  MonoTime Next() const { return std::min(destinations_.Next(), places_.Next()); }

  /// Where an attempt went.
  struct Sent {
    Ref ref = LaneSlots::kNone;
    std::optional<Key> destination{};  ///< that admitted it
    std::optional<Key> probed{};       ///< the refused place that it probed, or waited for
  };
  /// The attempt has an outcome. Pass the result to the functions below, as the outcome requires.
  Sent Finish(Ref ref);
  /// The request was answered, so its place works. Returns the deliveries that waited for the place, in DeliverySeq
  /// order and no longer queued; empty if the place was not refused.
  std::optional<std::vector<Ref>> PlaceWorks(LaneSlots& slots, const Sent& sent, MonoTime now);
  /// Call last. If the attempt was the probe of a place, and its outcome showed nothing about it, another follows.
  void EndAttempt(const Sent& sent, MonoTime now);
  /// From `now` on sends nothing to the attempt's destination before `until`. Returns whether it had one.
  bool Throttle(const Sent& sent, MonoTime now, MonoTime until);
  struct PlaceRefusal {
    bool is_new = false;               ///< the place was not refused before
    bool is_last = false;              ///< the place is at fault: this delivery and those in `ended` end
    std::chrono::milliseconds wait{};  ///< until the place is probed; not with `is_last`
    std::vector<Ref> ended{};          ///< those that waited for the place, no longer queued
  };
  /// The place refused the delivery. `delivered`: how many deliveries got through so far.
  PlaceRefusal PlaceRefused(LaneSlots& slots, Ref ref, const std::string& name, const std::string& reason,
                            std::uint32_t delivered, MonoTime now);
  /// A delivery waits again after its attempt. Returns whether it was queued, for a place that refused it.
  bool QueueForPlace(LaneSlots& slots, Ref ref);
  /// The delivery leaves the lane. Returns the one that has its turn in the order now, no longer queued.
  std::optional<Ref> Remove(LaneSlots& slots, Ref ref, MonoTime now);

  /// On the operator's request: lifts throttles, and probes each refused place at once.
  void Resume(MonoTime now);
  /// Forgets all refused places. Returns the deliveries that waited for them, as PlaceWorks does.
  std::vector<Ref> ForgetPlaces(LaneSlots& slots, MonoTime now);
  /// All slots were freed: empties the queues. Keeps what is known of destinations and places.
  void ClearQueues();

  // For a delivery that has started, before it is admitted.
  /// Claims the times in which its place took nothing. `target`: its request's, if that is known.
  void ClaimPlace(WaitShares& shares, Ref ref, const SendTarget& target) const;
  /// Claims what is left, if it was queued: for the rate of its destination, or until it got its turn in an order.
  void ClaimTurn(WaitShares& shares, Ref ref, MonoTime now) const;

  const RefusedPlaces& places() const { return places_; }
  /// The refused place that the delivery waits for, or probes; nullptr if none. Valid until this object changes.
  const RefusedPlaces::Place* PlaceOf(Ref ref) const;

 private:
  std::optional<Ref> TakeFromDestination(LaneSlots& slots, const CallQueues& calls, MonoTime now);
  std::optional<Ref> TakePlaceProbe(LaneSlots& slots, const CallQueues& calls, MonoTime now);
  bool MayGo(const LaneSlots& slots, Ref ref, const SendTarget& target, MonoTime now);
  void LeaveProbe(Ref ref);
  std::optional<Ref> LeaveOrder(LaneSlots& slots, Ref ref, MonoTime now);
  bool LeavePlace(LaneSlots& slots, Ref ref, DeliverySeq seq);
  std::vector<Ref> LeavePlaces(LaneSlots& slots, const std::vector<std::pair<DeliverySeq, Ref>>& waited);

  Destinations destinations_;
  RefusedPlaces places_;
  SendOrder order_;
  PlaceLog place_log_;
  std::unordered_map<Ref, Key> place_of_;  ///< deliveries that wait for a refused place, or probe it
  std::unordered_map<Ref, Key> sent_to_;   ///< in flight, admitted to a destination
};

}  // namespace hookswitch
