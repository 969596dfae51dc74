#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"

namespace hookswitch {

/// Set of deliveries that have not ended, one bit per DeliverySeq from the oldest, with a count per sink. Not
/// thread-safe.
class PendingSet {
 public:
  bool Contains(DeliverySeq delivery) const;
  /// `sink` must be the same in every call for a delivery.
  void Set(DeliverySeq delivery, std::string_view sink, bool pending);
  std::uint64_t size() const { return size_; }
  std::uint64_t CountOf(std::string_view sink) const;
  /// Sinks with at least `count` pending deliveries.
  std::vector<std::string> WithAtLeast(std::uint64_t count) const;
  /// All deliveries below this have ended. `next`: number of the next new delivery.
  DeliverySeq Floor(DeliverySeq next) const;

  /// Starts recording changes, so that TakeBack can undo them all.
  void Begin() { changed_.clear(); }
  void TakeBack();

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  void Flip(DeliverySeq delivery, std::uint64_t& of_sink);

  std::deque<std::uint64_t> words_;
  std::int64_t first_word_ = 0;  ///< number of words_[0]
  std::uint64_t size_ = 0;
  Counts counts_;  ///< never erased, so that pointers to the counts stay valid
  std::vector<std::pair<DeliverySeq, std::uint64_t*>> changed_;
};

}  // namespace hookswitch
