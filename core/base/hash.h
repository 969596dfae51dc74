#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hookswitch {

/// `sum` with `bytes` mixed in. Stored, so it must stay the same in every version. Not for attacker-chosen input.
inline std::uint64_t MixIn(std::uint64_t sum, std::string_view bytes) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  sum = (sum ^ bytes.size()) * kOdd;
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    sum = (sum ^ word) * kOdd;
    sum ^= sum >> 32;
    bytes.remove_prefix(8);
  }
  std::uint64_t word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  sum = (sum ^ word) * kOdd;
  return sum ^ (sum >> 32);
}

}  // namespace hookswitch
