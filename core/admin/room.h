#pragma once
#include <atomic>

namespace hookswitch {

/// A slot for a slow request; false if all are taken.
class Room {
 public:
  Room(std::atomic<int>& taken, int most) : taken_(taken), has_(taken.fetch_add(1) < most) {
    if (!has_) taken_.fetch_sub(1);
  }
  ~Room() {
    if (has_) taken_.fetch_sub(1);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  explicit operator bool() const { return has_; }

 private:
  std::atomic<int>& taken_;
  const bool has_;
};

}  // namespace hookswitch
