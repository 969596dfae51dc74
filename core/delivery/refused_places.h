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

/// The places behind one sink (channels, topics, recipients) that have refused a delivery, and what waits for each
/// until a probe finds it mended. One probe at a time for each place, after 5 s, 30 s, 1, 2, 5 and 10 minutes.
///
/// Driven by the times it is given: no thread, no lock. What has left the lane meanwhile may still wait here: the
/// caller knows, and drops it.
class RefusedPlaces {
 public:
  using Key = std::uint64_t;
  using Ref = std::uint32_t;
  static Key KeyOf(const std::string& name) { return std::hash<std::string>{}(name); }

  struct Place {
    std::string name;
    std::string because;  ///< what was answered last
    MonoTime since{}, probe_at{};
    std::uint32_t refusals = 0;          ///< in a row, of probes; the first one counts
    std::uint64_t delivered_before = 0;  ///< what the lane had delivered when the place refused first
    std::optional<Ref> probe{};
    std::set<std::tuple<bool, DeliverySeq, Ref>> waiting{};  ///< those never tried first, then in order
  };

  bool empty() const { return places_.empty(); }
  const std::unordered_map<Key, Place>& all() const { return places_; }
  const Place* Find(Key key) const;

  /// The place has refused `ref`. Returns whether it was all right before.
  bool Refused(Key key, const std::string& name, const std::string& because, Ref ref, std::uint64_t delivered,
               MonoTime now);
  /// An attempt at it ended in a way that says nothing of the place: another probe may follow.
  void SaidNothing(Key key, Ref ref, MonoTime now);
  /// It works again. Returns what waited for it, in order.
  std::vector<std::pair<DeliverySeq, Ref>> Works(Key key);
  /// Waits for the place, which is refused.
  void Wait(Key key, bool tried, DeliverySeq seq, Ref ref);
  /// Whether a delivery to `key` may be sent now: true if the place is not refused, or `ref` is its probe from now on.
  bool MayGo(Key key, Ref ref, MonoTime now);

  /// One that waits for a place whose probe is due; it is the probe then. Empty if there is none.
  struct Waiting {
    Key key = 0;
    DeliverySeq seq = 0;
    Ref ref = 0;
  };
  std::optional<Waiting> First(MonoTime now) const;
  void Take(const Waiting& first);
  void Drop(const Waiting& first);
  /// When First may have something; MonoTime::max() for never.
  MonoTime Next() const { return turns_.empty() ? MonoTime::max() : turns_.begin()->first; }

  /// The operator says that they work: each is probed at once.
  void Resume(MonoTime now);
  /// Forgets all places. Returns what waited.
  std::vector<std::pair<DeliverySeq, Ref>> Clear();
  /// Forgets what waits, and no place.
  void DropAll();

 private:
  template <class Change>
  void Alter(Key key, Place& place, Change change);

  std::unordered_map<Key, Place> places_;
  std::set<std::pair<MonoTime, Key>> turns_;  ///< those that something waits for and that are not being probed
};

}  // namespace hookswitch
