#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Bytes as text that other systems take. All functions take any bytes.
namespace hookswitch {

/// RFC 4648 4, with padding.
std::string Base64(std::string_view bytes);
/// RFC 4648 5, without padding.
std::string Base64Url(std::string_view bytes);
/// What base64 of either alphabet, with or without its padding, stands for; empty for what is none.
std::optional<std::string> FromBase64(std::string_view text);

/// All but RFC 3986's unreserved characters as %XX.
std::string PercentEncoded(std::string_view text);
/// The same as application/x-www-form-urlencoded has it: a space is '+', and '*' stays while '~' does not.
std::string FormEncoded(std::string_view text);
/// The fields of a form's body, in order, decoded; a broken escape stands for itself.
std::vector<std::pair<std::string, std::string>> FormFields(std::string_view body);

}  // namespace hookswitch
