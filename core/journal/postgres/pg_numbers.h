#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/check.h"

namespace hookswitch::pg {

/// Numbers that one transaction has taken from a sequence, in rising order. They have gaps where another router took
/// some at the same time. Not thread-safe.
class TakenNumbers {
 public:
  void clear() {
    numbers_.clear();
    next_ = 0;
  }
  void Add(std::int64_t number) { numbers_.push_back(number); }
  /// Skips to `count` numbers that follow one another; false if there are none.
  bool SkipTo(std::size_t count) {
    for (; next_ + count <= numbers_.size(); ++next_) {
      if (count == 0 || numbers_[next_ + count - 1] - numbers_[next_] == static_cast<std::int64_t>(count) - 1) {
        return true;
      }
    }
    return false;
  }
  std::int64_t Peek() const {
    HSW_CHECK(next_ < numbers_.size(), "SkipTo comes first");
    return numbers_[next_];
  }
  std::int64_t Take() {
    const std::int64_t number = Peek();
    ++next_;
    return number;
  }
  bool empty() const { return numbers_.empty(); }
  std::int64_t lowest() const { return numbers_.front(); }
  std::int64_t highest() const { return numbers_.back(); }

 private:
  std::vector<std::int64_t> numbers_;
  std::size_t next_ = 0;
};

}  // namespace hookswitch::pg
