#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace webhook {

/// The bytes of a Standard Webhooks secret, "whsec_" and base64 of 24 to 64 bytes; empty if `secret` is none.
std::optional<std::string> KeyOf(std::string_view secret);

/// "v1,<base64>": HMAC-SHA256 over "id.timestamp.body" (standardwebhooks.com, specification 1.0.0).
std::string Sign(std::string_view key, std::string_view id, std::string_view timestamp, std::string_view body);

}  // namespace webhook
