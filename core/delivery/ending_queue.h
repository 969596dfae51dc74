#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/delivery/lane_slots.h"
#include "core/delivery/refused_places.h"

namespace hookswitch {

/// Why a delivery ends without another attempt.
enum class EndReason : std::uint8_t {
  kReplaced,  ///< canceled: superseded by a later status of its call
  kSettled,   ///< canceled: the final event of its call is delivered instead
  kTooOld,    ///< dead: past max_age
  kGivenUp,   ///< dead: the sink has been failing for give_up_after
  kRefused,   ///< dead: its place keeps refusing while others work
};

struct LaneEnding {
  LaneSlots::Ref ref = 0;
  EndReason why{};
  RefusedPlaces::Key place = 0;  ///< with kRefused
};

/// Deliveries that end without another attempt, until they leave the lane. Not thread-safe.
class EndingQueue {
 public:
  /// A sweep adds none while there are this many, and the lane takes none while it has taken this many.
  static constexpr std::size_t kMost = 1000;

  /// Puts the delivery in phase kEnding.
  void Add(LaneSlots& slots, const LaneEnding& ending) {
    slots[ending.ref].phase = LaneSlot::Phase::kEnding;
    waiting_.push_back(ending);
  }
  bool empty() const { return waiting_.empty(); }
  /// Must not be empty.
  LaneEnding Take() {
    const LaneEnding ending = waiting_.front();
    waiting_.pop_front();
    ++taken_;
    return ending;
  }
  /// One that was taken leaves the lane.
  void Remove() { --taken_; }
  std::size_t taken() const { return taken_; }                   ///< taken and not yet removed
  std::size_t size() const { return waiting_.size() + taken_; }  ///< all, taken or not

 private:
  std::deque<LaneEnding> waiting_;
  std::size_t taken_ = 0;
};

}  // namespace hookswitch
