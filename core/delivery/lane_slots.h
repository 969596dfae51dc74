#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/short_time.h"
#include "core/event/delivery.h"

namespace hookswitch {

/// A delivery as the lane stores it. Small, because a backlog may hold a million.
struct LaneDelivery : DeliveryCore {
  MonoTime accepted{};
  MonoTime due{};            ///< earliest start
  MonoTime first_failed{};   ///< start of the current run of failures, also from an earlier process; zero: none
  std::uint32_t origin = 0;  ///< number of its rule and template (see Origins)
  /// For WaitsOf. Tried before: the end of its last attempt. Else: when it became the first of its call; none if it
  /// always was.
  ShortTime since{};
  std::uint16_t failures = 0;  ///< finished attempts that count for the retry schedule
};

/// A delivery in a lane, with its state there.
struct LaneSlot : LaneDelivery {
  enum class Phase : std::uint8_t {
    kFree,
    kHeld,     ///< in HeldDeliveries
    kWaiting,  ///< starts when it is due, is the first of its call and is not queued for a target
    kRunning,  ///< started, without an outcome
    kRetry,    ///< its outcome was not final; not settled
    kEnded,    ///< its outcome was final; not settled
    kEnding,   ///< ends without another attempt; not settled
  };

  Phase phase = Phase::kFree;
  bool in_call : 1 = false;           ///< in its call's queue
  bool awaits_admission : 1 = false;  ///< queued in Admission: its due time does not matter
  std::uint8_t generation : 6 = 0;    ///< the lane's generation when it was started
  std::uint32_t next = 0;             ///< the next of the same call, or the next free slot

  bool tried() const { return attempts > 0; }
  /// Its next attempt follows another one, not its acceptance or replay.
  bool is_retry() const { return tried() && !is_replay; }
};
static_assert(sizeof(LaneSlot) <= 80, "a backlog of a million deliveries has a million slots");

/// The deliveries of one lane, in chunks that never move. A Ref names a slot, and is reused after Remove. Not
/// thread-safe.
class LaneSlots {
 public:
  using Ref = std::uint32_t;
  static constexpr Ref kNone = ~Ref{0};

  /// Stores the delivery in phase kWaiting, in no queue.
  Ref Add(const LaneDelivery& delivery);
  /// Frees the slot. It keeps its values, in phase kFree, until it is reused.
  void Remove(Ref ref);
  /// Empty, and keeps more memory than an empty lane should.
  bool IsOversized() const { return size_ == 0 && chunks_.size() > kChunksKept; }
  /// Frees all memory. Only when empty; all earlier refs become invalid.
  void Clear();

  LaneSlot& operator[](Ref ref) { return (*chunks_[ref / kChunk])[ref % kChunk]; }
  const LaneSlot& operator[](Ref ref) const { return (*chunks_[ref / kChunk])[ref % kChunk]; }
  std::size_t size() const { return size_; }
  /// All refs are below this; many may be free.
  Ref capacity() const { return static_cast<Ref>(chunks_.size() * kChunk); }

 private:
  static constexpr std::size_t kChunk = 1024;
  static constexpr std::size_t kChunksKept = 4;  ///< when the lane becomes empty

  std::vector<std::unique_ptr<std::vector<LaneSlot>>> chunks_;
  Ref free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace hookswitch
