#pragma once
#include <map>
#include <string>
#include <string_view>

namespace hookswitch::plugins {

/// What hides a secret.
inline constexpr std::string_view kMask = "***";
/// Shorter parts of a secret are words like "v1" that say nothing; a whole secret is hidden whatever its length.
inline constexpr std::size_t kShortestPart = 6;

/// What to look for, and what to show instead.
struct SecretPart {
  std::string shown{kMask};
  bool is_text = true;  ///< other texts may hold it encoded: false for a URL, of which only the parts are secret
};
using SecretParts = std::map<std::string, SecretPart, std::less<>>;

/// Adds `secret` and what of it opens something by itself: the token behind "Bearer ", the password of a DSN, of a URL,
/// of "user:password" and of their base64, the values of a cookie, the private key in a JSON document, the last segment
/// of a webhook's path.
void AddPartsOf(const std::string& secret, SecretParts& parts);

}  // namespace hookswitch::plugins
