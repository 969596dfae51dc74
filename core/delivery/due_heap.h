#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"

namespace hookswitch {

/// Deliveries of a lane by a time, the earliest first; equal times in DeliverySeq order. 16 bytes each. Not
/// thread-safe.
///
/// An entry stays when its delivery changes or leaves the lane, and its ref may then name another delivery: the caller
/// says which entries are current, and drops the others from the front.
class DueHeap {
 public:
  using Ref = std::uint32_t;
  struct Entry {
    MonoTime due;
    Ref ref;
    std::uint32_t seq;  ///< low half of the DeliverySeq
  };
  /// A type, not a function, so that it is inlined into the heap's functions.
  struct IsLater {
    bool operator()(const Entry& a, const Entry& b) const { return a.due != b.due ? a.due > b.due : a.seq > b.seq; }
  };

  void Push(MonoTime due, Ref ref, DeliverySeq seq) {
    entries_.push_back({due, ref, static_cast<std::uint32_t>(seq)});
    std::push_heap(entries_.begin(), entries_.end(), IsLater());
  }
  bool empty() const { return entries_.empty(); }
  const Entry& front() const { return entries_.front(); }
  void Pop() {
    std::pop_heap(entries_.begin(), entries_.end(), IsLater());
    entries_.pop_back();
  }
  /// The time of the first entry, current or not; MonoTime::max() if empty.
  MonoTime Next() const { return entries_.empty() ? MonoTime::max() : entries_.front().due; }
  /// Removes entries from the front until `is_current(entry)`.
  template <class IsCurrent>
  void DropStale(IsCurrent is_current) {
    while (!entries_.empty() && !is_current(entries_.front())) Pop();
  }
  /// Empties it, and frees its memory.
  void Clear() { std::vector<Entry>().swap(entries_); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace hookswitch
