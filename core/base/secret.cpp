#include "core/base/secret.h"

#include <openssl/crypto.h>

#include "core/base/sha256.h"

namespace hookswitch {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    value_ = std::move(other.value_);
    other.Wipe();
  }
  return *this;
}

bool Secret::Equals(std::string_view candidate) const {
  // Compares digests, which have one length, so the time does not reveal the secret's length either.
  const Sha256Digest a = Sha256Of(value_), b = Sha256Of(candidate);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Secret::Wipe() {
  // Grow to the capacity first, to wipe bytes left behind by a longer value.
  if (value_.capacity() != 0) {
    value_.resize(value_.capacity());
    OPENSSL_cleanse(value_.data(), value_.size());
    value_.clear();
  }
}

}  // namespace hookswitch
