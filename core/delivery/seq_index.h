#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/base/ids.h"

namespace hookswitch {

/// Finds a delivery's slot in a lane by DeliverySeq. Most come and go in order, so a sorted queue holds them at 16
/// bytes each; the others go into a map. Not thread-safe.
class SeqIndex {
 public:
  using Ref = std::uint32_t;

  /// Returns whether it was inserted in order.
  bool Insert(DeliverySeq seq, Ref ref) {
    if (sorted_.empty() || sorted_.back().seq < seq) {
      sorted_.push_back({seq, ref, true});
      return true;
    }
    late_[seq] = ref;
    return false;
  }
  /// The first of those inserted in order.
  std::optional<Ref> Front() const {
    if (sorted_.empty()) return {};
    return sorted_.front().ref;
  }
  std::optional<Ref> Find(DeliverySeq seq) {
    if (const auto found = At(seq); found != sorted_.end() && found->is_there) return found->ref;
    const auto late = late_.find(seq);
    if (late == late_.end()) return {};
    return late->second;
  }
  void Erase(DeliverySeq seq) {
    if (const auto found = At(seq); found != sorted_.end() && found->is_there) {
      found->is_there = false;
      ++gone_;
      while (!sorted_.empty() && !sorted_.front().is_there) sorted_.pop_front(), --gone_;
      if (gone_ > sorted_.size() / 2) {
        std::erase_if(sorted_, [](const Entry& entry) { return !entry.is_there; });
        gone_ = 0;
      }
    } else {
      late_.erase(seq);
    }
  }
  void Clear() { *this = SeqIndex(); }

 private:
  struct Entry {
    DeliverySeq seq;
    Ref ref;
    bool is_there;
  };
  std::deque<Entry>::iterator At(DeliverySeq seq) {
    const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), seq,
                                     [](const Entry& entry, DeliverySeq wanted) { return entry.seq < wanted; });
    return at != sorted_.end() && at->seq == seq ? at : sorted_.end();
  }

  std::deque<Entry> sorted_;
  std::size_t gone_ = 0;
  std::unordered_map<DeliverySeq, Ref> late_;
};

}  // namespace hookswitch
