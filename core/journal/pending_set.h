#pragma once
#include <cstdint>
#include <deque>

#include "core/base/ids.h"

namespace hookswitch {

/// Which deliveries have not ended: one bit for each from the oldest such on. For one thread.
class PendingSet {
 public:
  bool Contains(DeliverySeq delivery) const;
  /// Returns whether it was in.
  bool Set(DeliverySeq delivery, bool pending);
  std::uint64_t size() const { return size_; }
  /// All deliveries below this have ended. `next`: the number the next delivery will get.
  DeliverySeq Floor(DeliverySeq next) const;

 private:
  std::deque<std::uint64_t> words_;
  std::int64_t first_word_ = 0;  ///< number of words_[0]
  std::uint64_t size_ = 0;
};

}  // namespace hookswitch
