#include "core/base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

constexpr std::size_t kEd25519KeyBytes = 32;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

const EVP_MD* MethodOf(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1: return EVP_sha1();
    case HashAlgorithm::kSha256: return EVP_sha256();
    case HashAlgorithm::kSha384: return EVP_sha384();
    case HashAlgorithm::kSha512: return EVP_sha512();
  }
  Unreachable();
}

// What stands between the lines of PEM; anything else as it is.
std::string WithoutArmor(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----", kEnd = "-----END PUBLIC KEY-----";
  text = Trim(text);
  if (text.starts_with(kBegin) && text.ends_with(kEnd)) {
    text.remove_prefix(kBegin.size());
    text.remove_suffix(kEnd.size());
  }
  std::string plain;
  for (const char c : text) {
    if (c != '\n' && c != '\r') plain += c;
  }
  return plain;
}

}  // namespace

std::string Hmac(HashAlgorithm algorithm, std::string_view key, std::string_view text) {
  std::string code(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  // For OpenSSL a null pointer is not an empty text.
  if (key.empty()) key = "";
  if (text.empty()) text = "";
  HSW_CHECK(HMAC(MethodOf(algorithm), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(),
                 reinterpret_cast<unsigned char*>(code.data()), &size),
            "hashing what is in memory does not fail");
  code.resize(size);
  return code;
}

std::string Md5Of(std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_md5(),
                 nullptr) != 1) {
    size = 0;
  }
  digest.resize(size);
  return digest;
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<Ed25519Key> Ed25519Key::Parse(std::string_view text) {
  const std::string plain = WithoutArmor(text);
  auto bytes = FromHex(plain);
  if (!bytes) bytes = FromBase64(plain);
  if (!bytes) return {};
  EVP_PKEY* key = nullptr;
  if (bytes->size() == kEd25519KeyBytes) {
    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(*bytes), bytes->size());
  } else {
    const unsigned char* at = Bytes(*bytes);
    key = d2i_PUBKEY(nullptr, &at, static_cast<long>(bytes->size()));
  }
  ERR_clear_error();  // what another use of OpenSSL on this thread would take for its own
  if (!key) return {};
  std::shared_ptr<void> owned(key, [](void* one) { EVP_PKEY_free(static_cast<EVP_PKEY*>(one)); });
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) return {};
  return Ed25519Key(std::move(owned));
}

bool Ed25519Key::Verifies(std::string_view text, std::string_view signature) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  HSW_CHECK(context, "memory does not run out");
  const bool verifies =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) == 1 &&
      EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text), text.size()) == 1;
  ERR_clear_error();
  return verifies;
}

}  // namespace hookswitch
