#include "core/journal/pending_set.h"

#include <bit>

namespace hookswitch {

bool PendingSet::Contains(DeliverySeq delivery) const {
  const std::int64_t index = delivery / 64 - first_word_;
  if (index < 0 || index >= static_cast<std::int64_t>(words_.size())) return false;
  return (words_[static_cast<std::size_t>(index)] >> (delivery % 64)) & 1;
}

void PendingSet::Set(DeliverySeq delivery, std::string_view sink, bool pending) {
  if (Contains(delivery) == pending) return;
  auto of_sink = counts_.find(sink);
  if (of_sink == counts_.end()) of_sink = counts_.emplace(sink, 0).first;
  Flip(delivery, of_sink->second);
  changed_.emplace_back(delivery, &of_sink->second);
}

void PendingSet::Flip(DeliverySeq delivery, std::uint64_t& of_sink) {
  const bool pending = !Contains(delivery);
  if (pending) {
    const std::int64_t word = delivery / 64;
    if (words_.empty()) first_word_ = word;
    while (word < first_word_) words_.push_front(0), --first_word_;
    while (word >= first_word_ + static_cast<std::int64_t>(words_.size())) words_.push_back(0);
  }
  words_[static_cast<std::size_t>(delivery / 64 - first_word_)] ^= std::uint64_t{1} << (delivery % 64);
  size_ += pending ? 1 : -1;
  of_sink += pending ? 1 : -1;
  while (!words_.empty() && words_.front() == 0) words_.pop_front(), ++first_word_;
}

void PendingSet::TakeBack() {
  for (auto it = changed_.rbegin(); it != changed_.rend(); ++it) Flip(it->first, *it->second);
  changed_.clear();
}

std::uint64_t PendingSet::CountOf(std::string_view sink) const {
  const auto found = counts_.find(sink);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<std::string> PendingSet::WithAtLeast(std::uint64_t count) const {
  std::vector<std::string> sinks;
  if (size_ < count) return sinks;
  for (const auto& [sink, waiting] : counts_) {
    if (waiting >= count) sinks.push_back(sink);
  }
  return sinks;
}

DeliverySeq PendingSet::Floor(DeliverySeq next) const {
  if (words_.empty()) return next;
  return first_word_ * 64 + std::countr_zero(words_.front());
}

}  // namespace hookswitch
