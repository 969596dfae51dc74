#include "core/delivery/ended_calls.h"

namespace hookswitch {
namespace {
constexpr std::size_t kMostCalls = 100'000;
}  // namespace

void EndedCalls::Add(std::uint64_t call_key, MonoTime at, std::chrono::milliseconds keep) {
  if (keep == std::chrono::milliseconds(0)) return;
  ended_at_[call_key] = at;
  in_order_.emplace_back(at, call_key);
  while (in_order_.size() > kMostCalls || at - in_order_.front().first > keep) {
    const auto [first_at, first_key] = in_order_.front();
    in_order_.pop_front();
    const auto found = ended_at_.find(first_key);
    if (found != ended_at_.end() && found->second == first_at) ended_at_.erase(found);
  }
}

bool EndedCalls::Ended(std::uint64_t call_key, MonoTime at, std::chrono::milliseconds keep) const {
  const auto found = ended_at_.find(call_key);
  return found != ended_at_.end() && at - found->second <= keep;
}

}  // namespace hookswitch
