#include "core/ingress/reach_proof.h"

#include <openssl/rand.h>

#include <charconv>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/sha256.h"

namespace hookswitch {
namespace {

std::int64_t SecondsOf(MonoTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

ReachProof::ReachProof() {
  std::string key(32, '\0');
  HSW_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) == 1,
            "the system gives random bytes");
  key_ = Secret(std::move(key));
}

std::string ReachProof::Sum(std::string_view text) const {
  return Hex(HmacSha256(key_.Reveal(), text));
}

ReachProof::Challenge ReachProof::Make(MonoTime now) const {
  const std::string time = std::to_string(SecondsOf(now));
  std::string nonce = time + '-' + Sum("nonce " + time);
  std::string proof = Sum("proof " + nonce);
  return {std::move(nonce), std::move(proof)};
}

std::string ReachProof::ProofFor(std::string_view query, MonoTime now) const {
  while (const auto parameter = TakeParameter(query)) {
    if (parameter->name != kParameter || !parameter->value) continue;
    const std::string_view nonce = *parameter->value;
    const auto dash = nonce.find('-');
    if (dash == std::string_view::npos) return {};
    const std::string_view time = nonce.substr(0, dash);
    if (!Secret(Sum("nonce " + std::string(time))).Equals(nonce.substr(dash + 1))) return {};
    std::int64_t seconds = 0;
    std::from_chars(time.data(), time.data() + time.size(), seconds);
    if (SecondsOf(now) - seconds > kLife.count()) return {};
    return Sum("proof " + std::string(nonce));
  }
  return {};
}

}  // namespace hookswitch
