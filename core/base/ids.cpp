#include "core/base/ids.h"

#include <algorithm>
#include <charconv>

#include "core/base/sha256.h"

namespace hookswitch {
namespace {
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kUlidLength = 26;
}  // namespace

std::string EventId(WallTime received, std::uint16_t salt, EventSeq seq) {
  const auto ms = static_cast<std::uint64_t>(received.time_since_epoch().count());
  // 128 bits: 48 of time, 16 of salt, 64 of seq.
  std::uint64_t high = (ms << 16) | salt;
  auto low = static_cast<std::uint64_t>(seq);
  std::string id(kUlidLength, '0');
  for (std::size_t i = kUlidLength; i-- > 0;) {
    id[i] = kAlphabet[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return id;
}

std::optional<EventSeq> EventSeqOf(std::string_view id) {
  if (id.size() != kUlidLength || id[0] > '7') return {};
  std::uint64_t low = 0;
  for (char c : id) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return {};
    low = (low << 5) | digit;
  }
  const auto seq = static_cast<EventSeq>(low);
  if (seq <= 0) return {};
  return seq;
}

std::string DeliveryId(DeliverySeq seq) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, seq, 16).ptr;
  return "d-" + std::string(digits, end);
}

std::optional<DeliverySeq> DeliverySeqOf(std::string_view id) {
  if (!id.starts_with("d-")) return {};
  id.remove_prefix(2);
  DeliverySeq seq = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), seq, 16);
  if (error != std::errc() || end != id.data() + id.size() || seq <= 0) return {};
  return seq;
}

Digest DigestOf(std::string_view text) {
  const Sha256Digest full = Sha256Of(text);
  Digest digest;
  std::copy_n(full.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace hookswitch
