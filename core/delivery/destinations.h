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

/// The places behind one sink that have a pace of their own, as the channels that a bot writes to: when each may be
/// written to next, and what waits in line for it. One that is slow or asks for a pause holds its own line only.
///
/// Driven by the times it is given: no thread, no lock. Lines are in the order of DeliverySeq. What has left the lane
/// meanwhile may still stand in line: the caller knows, and drops it.
class Destinations {
 public:
  using Key = std::uint64_t;
  using Ref = std::uint32_t;
  struct Waiting {
    Key key = 0;
    DeliverySeq seq = 0;
    Ref ref = 0;
  };

  /// True: it may be sent now, and counts. False: it stands in line.
  bool Admit(const Waiting& delivery, const config::Rate& pace, MonoTime now);
  /// Nothing goes to `key` before `until`.
  void Hold(Key key, MonoTime until);
  /// Lifts every hold.
  void Resume();

  /// The first in a line whose turn it is; empty if there is none.
  std::optional<Waiting> First(MonoTime now) const;
  /// It is sent now, and counts.
  void Take(const Waiting& first, MonoTime now);
  /// It leaves the line, and does not count.
  void Drop(const Waiting& first);
  /// Whatever waits leaves its line.
  void DropLines();
  /// When First may have something; MonoTime::max() for never.
  MonoTime Next() const { return turns_.empty() ? MonoTime::max() : turns_.begin()->first; }

  std::size_t size() const { return destinations_.size(); }

 private:
  struct Destination {
    TokenBucket bucket{};
    MonoTime held_until{};
    std::set<std::pair<DeliverySeq, Ref>> line{};

    MonoTime Next() const { return std::max(bucket.Next(), held_until); }
  };

  template <class Change>
  void Alter(Key key, Destination& destination, Change change);
  void ForgetIdle(MonoTime now);

  std::unordered_map<Key, Destination> destinations_;
  std::set<std::pair<MonoTime, Key>> turns_;  ///< those with a line, by the time of its first
  std::size_t look_again_at_ = 64;            ///< so many destinations: time to forget idle ones
};

}  // namespace hookswitch
