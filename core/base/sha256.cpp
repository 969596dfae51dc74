#include "core/base/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/check.h"

namespace hookswitch {
namespace {

struct Hasher {
  Hasher() : algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context(EVP_MD_CTX_new()) {
    HSW_CHECK(algorithm && context, "memory does not run out, and OpenSSL has SHA-256");
  }
  ~Hasher() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
  }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  EVP_MD* algorithm;
  EVP_MD_CTX* context;
};

}  // namespace

Sha256Digest Sha256Of(std::string_view text) {
  thread_local const Hasher hasher;
  Sha256Digest digest;
  HSW_CHECK(EVP_DigestInit_ex2(hasher.context, hasher.algorithm, nullptr) == 1 &&
                EVP_DigestUpdate(hasher.context, text.data(), text.size()) == 1 &&
                EVP_DigestFinal_ex(hasher.context, digest.data(), nullptr) == 1,
            "hashing what is in memory does not fail");
  return digest;
}

Sha256Digest HmacSha256(std::string_view key, std::string_view text) {
  Sha256Digest digest;
  HSW_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr),
            "hashing what is in memory does not fail");
  return digest;
}

}  // namespace hookswitch
