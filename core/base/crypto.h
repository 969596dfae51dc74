#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// Checks of signatures. All functions accept any bytes. [thread: any]
namespace hookswitch {

enum class HashAlgorithm { kSha1, kSha256, kSha384, kSha512 };

/// HMAC (RFC 2104): the bytes of the code.
std::string Hmac(HashAlgorithm algorithm, std::string_view key, std::string_view text);

/// The 16 bytes of RFC 1321, for protocols that ask for it; proves nothing by itself. "" if this system forbids MD5.
std::string Md5Of(std::string_view text);

/// Compares in a time that depends on the lengths alone.
bool SameBytes(std::string_view a, std::string_view b);

/// A public key of Ed25519 (RFC 8032).
class Ed25519Key {
 public:
  /// Reads PEM, or base64 or hex of the 32 bytes or of a SubjectPublicKeyInfo (RFC 8410). Empty for anything else.
  static std::optional<Ed25519Key> Parse(std::string_view text);

  /// True if `signature`, 64 bytes, is that of `text`.
  bool Verifies(std::string_view text, std::string_view signature) const;

 private:
  explicit Ed25519Key(std::shared_ptr<void> key) : key_(std::move(key)) {}
  std::shared_ptr<void> key_;  // an EVP_PKEY
};

}  // namespace hookswitch
