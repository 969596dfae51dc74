#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace webhook {

/// The bytes of a Standard Webhooks secret ("whsec_" and base64 of 24 to 64 bytes); empty if `secret` is not one.
std::optional<std::string> KeyOf(std::string_view secret, const hsw::Tools& tools);

/// "v1,<base64>": HMAC-SHA256 over "id.timestamp.body" (standardwebhooks.com, specification 1.0.0).
std::string Sign(std::string_view key, std::string_view id, std::string_view timestamp, std::string_view body,
                 const hsw::Tools& tools);

}  // namespace webhook
