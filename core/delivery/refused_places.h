#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace hookswitch {

/// Places behind one sink (channels, topics, recipients) that refused a delivery, and the deliveries that wait for each
/// until a probe succeeds. One probe at a time per place, after 5 s, 30 s, 1, 2, 5 and then every 10 minutes.
///
/// Driven by the times passed in; not thread-safe. A delivery that has left the lane may still wait here: the caller
/// must check, and Drop it.
class RefusedPlaces {
 public:
  using Key = std::uint64_t;
  using Ref = std::uint32_t;
  static Key KeyOf(const std::string& name) { return std::hash<std::string>{}(name); }

  struct Place {
    std::string name;
    std::string reason;  ///< reason of the last refusal
    MonoTime since{}, probe_at{};
    std::uint32_t refusals = 0;          ///< in a row, including the first
    std::uint64_t delivered_before = 0;  ///< the lane's `delivered` at the first refusal
    std::optional<Ref> probe{};
    std::set<std::tuple<bool, DeliverySeq, Ref>> waiting{};  ///< untried first, then by DeliverySeq
  };

  bool empty() const { return places_.empty(); }
  const std::unordered_map<Key, Place>& all() const { return places_; }
  const Place* Find(Key key) const;

  /// Records that the place refused `ref`. Returns whether it was not refused before.
  bool Refused(Key key, const std::string& name, const std::string& reason, Ref ref, std::uint64_t delivered,
               MonoTime now);
  /// If `ref` is a probe: its attempt showed nothing about the place. Another follows after the same wait.
  void ShowsNothing(Ref ref, MonoTime now);
  /// If `ref` is a probe: it leaves, goes elsewhere or waits for something else. Another may follow at once.
  void EndProbe(Ref ref);
  /// The refused place that `ref` probes, if any.
  std::optional<Key> ProbedBy(Ref ref) const;
  /// The place works again: forgets it and returns the waiting deliveries, in order.
  std::vector<std::pair<DeliverySeq, Ref>> Works(Key key);
  /// Queues a delivery for a refused place.
  void Wait(Key key, bool tried, DeliverySeq seq, Ref ref);
  /// Whether a delivery to `key` may be sent now: the place is not refused, or `ref` becomes (or is) its probe.
  bool MayGo(Key key, Ref ref, MonoTime now);

  /// A delivery that waits for a place whose probe is due.
  struct Waiting {
    Key key = 0;
    DeliverySeq seq = 0;
    Ref ref = 0;
  };
  std::optional<Waiting> First(MonoTime now) const;
  void Take(const Waiting& first);
  void Drop(const Waiting& first);
  /// When First may next return a delivery; MonoTime::max() for never.
  MonoTime Next() const { return turns_.empty() ? MonoTime::max() : turns_.begin()->first; }

  /// On the operator's request: probes each place at once.
  void Resume(MonoTime now);
  /// Forgets all places and returns the waiting deliveries.
  std::vector<std::pair<DeliverySeq, Ref>> Clear();
  /// All deliveries are gone: forgets those that wait and the probes, but keeps the places.
  void ClearQueues();

 private:
  template <class Change>
  void Alter(Key key, Place& place, Change change);
  void StartProbe(Key key, Place& place, Ref ref);

  std::unordered_map<Key, Place> places_;
  std::unordered_map<Ref, Key> probes_;       ///< the place that each probe is for
  std::set<std::pair<MonoTime, Key>> turns_;  ///< places with waiting deliveries and no probe in flight
};

}  // namespace hookswitch
