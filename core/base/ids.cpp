#include "core/base/ids.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "core/base/check.h"

namespace hookswitch {
namespace {
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kUlidLength = 26;

/// What SHA256() looks up, makes and frees for each text, which takes longer than hashing a short one.
struct Sha256 {
  Sha256() : algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context(EVP_MD_CTX_new()) {
    HSW_CHECK(algorithm && context, "memory does not run out, and OpenSSL has SHA-256");
  }
  ~Sha256() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  EVP_MD* algorithm;
  EVP_MD_CTX* context;
};
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
  thread_local const Sha256 sha;
  unsigned char full[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  Digest digest;
  const bool done = EVP_DigestInit_ex2(sha.context, sha.algorithm, nullptr) == 1 &&
                    EVP_DigestUpdate(sha.context, text.data(), text.size()) == 1 &&
                    EVP_DigestFinal_ex(sha.context, full, &size) == 1 && size >= digest.size();
  HSW_CHECK(done, "hashing memory does not fail");
  std::copy_n(full, digest.size(), digest.begin());
  return digest;
}

}  // namespace hookswitch
