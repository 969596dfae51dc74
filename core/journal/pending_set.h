#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"

namespace hookswitch {

/// Which deliveries have not ended, one bit for each from the oldest such on, and how many of them each sink has. For
/// one thread.
class PendingSet {
 public:
  bool Contains(DeliverySeq delivery) const;
  /// `sink` is always the same for one delivery.
  void Set(DeliverySeq delivery, std::string_view sink, bool pending);
  std::uint64_t size() const { return size_; }
  std::uint64_t CountOf(std::string_view sink) const;
  /// The sinks that have at least `count`.
  std::vector<std::string> WithAtLeast(std::uint64_t count) const;
  /// All deliveries below this have ended. `next`: the number the next delivery will get.
  DeliverySeq Floor(DeliverySeq next) const;

  /// From here on changes can be taken back, all of them at once.
  void Begin() { changed_.clear(); }
  void TakeBack();

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  void Flip(DeliverySeq delivery, std::uint64_t& of_sink);

  std::deque<std::uint64_t> words_;
  std::int64_t first_word_ = 0;  ///< number of words_[0]
  std::uint64_t size_ = 0;
  Counts counts_;  ///< of all sinks there ever were, so that references to them stay good
  std::vector<std::pair<DeliverySeq, std::uint64_t*>> changed_;
};

}  // namespace hookswitch
