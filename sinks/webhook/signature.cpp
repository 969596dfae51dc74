#include "signature.h"

namespace webhook {

std::optional<std::string> KeyOf(std::string_view secret, const hsw::Tools& tools) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return {};
  auto key = tools.FromBase64(secret.substr(kPrefix.size()));
  if (!key || key->size() < 24 || key->size() > 64) return {};
  return key;
}

std::string Sign(std::string_view key, std::string_view id, std::string_view timestamp, std::string_view body,
                 const hsw::Tools& tools) {
  std::string content;
  content.reserve(id.size() + timestamp.size() + body.size() + 2);
  content.append(id).append(".").append(timestamp).append(".").append(body);
  return "v1," + tools.Base64(tools.HmacSha256(key, content));
}

}  // namespace webhook
