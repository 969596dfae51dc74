#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/token_bucket.h"
#include "core/config/config.h"

namespace hookswitch {

/// Destinations behind one sink that have their own rate, such as the channels of a bot: when each may be sent to next,
/// and its queue. A slow or throttled destination delays only its own queue.
///
/// Driven by the times passed in; not thread-safe. Queues are in DeliverySeq order. A delivery that has left the lane
/// may still be queued here: the caller must check, and Drop it.
class Destinations {
 public:
  using Key = std::uint64_t;
  using Ref = std::uint32_t;
  struct Waiting {
    Key key = 0;
    DeliverySeq seq = 0;
    Ref ref = 0;
  };

  /// True: send it now; it counts against the rate. False: it was queued.
  bool Admit(const Waiting& delivery, const config::Rate& pace, MonoTime now);
  /// Sends nothing to `key` before `until`.
  void Hold(Key key, MonoTime until);
  /// Lifts every hold.
  void Resume();

  /// The first delivery of a queue that may send at `now`, if any.
  std::optional<Waiting> First(MonoTime now) const;
  /// Dequeues `first` and counts it against the rate: it is sent now.
  void Take(const Waiting& first, MonoTime now);
  /// Dequeues `first` without counting it.
  void Drop(const Waiting& first);
  /// Empties all queues.
  void ClearQueues();
  /// When First may next return a delivery; MonoTime::max() for never.
  MonoTime Next() const { return turns_.empty() ? MonoTime::max() : turns_.begin()->first; }

  std::size_t size() const { return destinations_.size(); }

 private:
  struct Destination {
    TokenBucket bucket{};
    MonoTime held_until{};
    std::set<std::pair<DeliverySeq, Ref>> queue{};

    MonoTime Next() const { return std::max(bucket.Next(), held_until); }
  };

  template <class Change>
  void Alter(Key key, Destination& destination, Change change);
  void ForgetIdle(MonoTime now);

  std::unordered_map<Key, Destination> destinations_;
  std::set<std::pair<MonoTime, Key>> turns_;  ///< destinations with a queue, by the time of its first
  std::size_t check_idle_at_ = 64;            ///< size at which idle destinations are removed
};

}  // namespace hookswitch
