#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"

namespace hookswitch {

/// Calls that ended recently. Senders reorder events, so an event that only suggests a call's end may arrive after the
/// real one. At most 100,000 calls; the oldest are dropped. A value; not thread-safe.
class EndedCalls {
 public:
  /// The call ended at `at`. Drops those that ended more than `keep` earlier; 0: remembers nothing.
  void Add(std::uint64_t call_key, MonoTime at, std::chrono::milliseconds keep);
  /// Whether the call ended, and at most `keep` before `at`.
  bool Ended(std::uint64_t call_key, MonoTime at, std::chrono::milliseconds keep) const;

 private:
  std::unordered_map<std::uint64_t, MonoTime> ended_at_;
  std::deque<std::pair<MonoTime, std::uint64_t>> in_order_;  ///< of Add; also ends that a later one replaced
};

}  // namespace hookswitch
