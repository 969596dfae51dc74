#include "core/journal/pending_set.h"

#include <bit>

namespace hookswitch {

bool PendingSet::Contains(DeliverySeq delivery) const {
  const std::int64_t index = delivery / 64 - first_word_;
  if (index < 0 || index >= static_cast<std::int64_t>(words_.size())) return false;
  return (words_[static_cast<std::size_t>(index)] >> (delivery % 64)) & 1;
}

bool PendingSet::Set(DeliverySeq delivery, bool pending) {
  const bool was = Contains(delivery);
  if (was == pending) return was;
  if (pending) {
    const std::int64_t word = delivery / 64;
    if (words_.empty()) first_word_ = word;
    while (word < first_word_) words_.push_front(0), --first_word_;
    while (word >= first_word_ + static_cast<std::int64_t>(words_.size())) words_.push_back(0);
  }
  words_[static_cast<std::size_t>(delivery / 64 - first_word_)] ^= std::uint64_t{1} << (delivery % 64);
  size_ += pending ? 1 : -1;
  while (!words_.empty() && words_.front() == 0) words_.pop_front(), ++first_word_;
  return was;
}

DeliverySeq PendingSet::Floor(DeliverySeq next) const {
  if (words_.empty()) return next;
  return first_word_ * 64 + std::countr_zero(words_.front());
}

}  // namespace hookswitch
