#pragma once
#include <map>
#include <string>
#include <string_view>

namespace hookswitch::plugins {

/// Replacement for a secret.
inline constexpr std::string_view kMask = "***";
/// Shorter parts of a secret are words like "v1"; a whole secret is masked whatever its length.
inline constexpr std::size_t kShortestPart = 6;

/// A text to mask and its replacement.
struct SecretPart {
  std::string shown{kMask};
  bool is_text = true;  ///< search for encoded forms too; false for a URL, of which only the parts are secret
};
using SecretParts = std::map<std::string, SecretPart, std::less<>>;

/// Adds `secret` and those parts of it that are credentials by themselves: the token after "Bearer ", the password of a
/// DSN, a URL or "user:password" (also in base64), the values of a cookie, the private key in a JSON document, the last
/// path segment of a webhook.
void AddPartsOf(const std::string& secret, SecretParts& parts);

}  // namespace hookswitch::plugins
