#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/delivery/short_time.h"

namespace hookswitch {

/// Orders requests that change the same remote thing, across calls and retries: per key one delivery at a time has its
/// turn, the oldest seen so far, until it ends. Not thread-safe.
class SendOrder {
 public:
  using Key = std::uint64_t;
  using Ref = std::uint32_t;

  /// Whether `ref` has its turn; else it is queued. `is_out(ref)`: whether the current holder is in flight. Call End
  /// first if it had another key.
  template <class IsOut>
  bool Admit(Key key, DeliverySeq seq, Ref ref, IsOut is_out) {
    const auto [found, is_new] = turns_.try_emplace(key, Turn{seq, ref, {}});
    Turn& turn = found->second;
    if (is_new || turn.ref == ref) {
      key_of_[ref] = key;
      return true;
    }
    key_of_[ref] = key;
    if (seq < turn.seq && !is_out(turn.ref)) {
      // An older delivery arrived late, as after a restart, and the holder is not in flight: swap them.
      turn.waiting.insert({turn.seq, turn.ref});
      turn.waiting.erase({seq, ref});
      turn.seq = seq;
      turn.ref = ref;
      turn.given = {};
      return true;
    }
    turn.waiting.insert({seq, ref});
    return false;
  }

  bool HasOtherKey(Key key, Ref ref) const {
    const auto found = key_of_.find(ref);
    return found != key_of_.end() && found->second != key;
  }

  /// `ref` has ended, or gets another key. Returns the delivery that gets the turn, if one waits.
  std::optional<Ref> End(DeliverySeq seq, Ref ref, MonoTime now) {
    const auto key = key_of_.find(ref);
    if (key == key_of_.end()) return {};
    const auto found = turns_.find(key->second);
    key_of_.erase(key);
    Turn& turn = found->second;
    if (turn.ref != ref) {
      turn.waiting.erase({seq, ref});
      return {};
    }
    if (turn.waiting.empty()) {
      turns_.erase(found);
      return {};
    }
    std::tie(turn.seq, turn.ref) = *turn.waiting.begin();
    turn.waiting.erase(turn.waiting.begin());
    turn.given = ShortTime(now);
    return turn.ref;
  }

  /// When `ref` got the turn that it has, if it had to wait for it.
  std::optional<ShortTime> TurnOf(Ref ref) const {
    const auto key = key_of_.find(ref);
    if (key == key_of_.end()) return {};
    const Turn& turn = turns_.at(key->second);
    if (turn.ref != ref || !turn.given) return {};
    return turn.given;
  }

 private:
  struct Turn {
    DeliverySeq seq = 0;
    Ref ref = 0;
    ShortTime given{};  ///< by End; none: it had the turn at once
    std::set<std::pair<DeliverySeq, Ref>> waiting{};
  };
  std::unordered_map<Key, Turn> turns_;
  std::unordered_map<Ref, Key> key_of_;
};

}  // namespace hookswitch
