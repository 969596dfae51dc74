#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/base/ids.h"

namespace hookswitch {

/// Keeps the order of requests that change one remote thing, across calls and retries: for each key one delivery at a
/// time has its turn, the oldest that has been seen, until it ends. No thread, no lock.
class SendOrder {
 public:
  using Key = std::uint64_t;
  using Ref = std::uint32_t;

  /// Whether `ref` has its turn; else it waits for it. `is_out` tells whether the one that has it now is in flight.
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
      // It came late, as after a restart; the other one has not been sent since.
      turn.waiting.insert({turn.seq, turn.ref});
      turn.waiting.erase({seq, ref});
      turn.seq = seq;
      turn.ref = ref;
      return true;
    }
    turn.waiting.insert({seq, ref});
    return false;
  }

  /// `ref` has ended. Returns the one whose turn it is now, if one waits.
  std::optional<Ref> End(DeliverySeq seq, Ref ref) {
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
    return turn.ref;
  }

  /// Whether `ref` waits for another one.
  bool Waits(Ref ref) const {
    const auto key = key_of_.find(ref);
    return key != key_of_.end() && turns_.at(key->second).ref != ref;
  }

 private:
  struct Turn {
    DeliverySeq seq = 0;
    Ref ref = 0;
    std::set<std::pair<DeliverySeq, Ref>> waiting{};
  };
  std::unordered_map<Key, Turn> turns_;
  std::unordered_map<Ref, Key> key_of_;
};

}  // namespace hookswitch
