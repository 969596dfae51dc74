#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Text encodings of bytes. All functions accept any bytes.
namespace hookswitch {

/// The value of a hexadecimal digit in either case; -1 for another character.
int HexDigit(char c);
/// Two lower-case digits for each byte.
std::string Hex(std::string_view bytes);
std::string Hex(std::span<const std::uint8_t> bytes);
/// Decodes pairs of digits in either case; empty if invalid.
std::optional<std::string> FromHex(std::string_view text);
/// The last `digits` digits of `value`, in lower case.
void AppendHex(std::string& out, std::uint32_t value, int digits);
/// The code unit of JSON's escape \uXXXX at `at`; empty if there is none.
std::optional<std::uint32_t> JsonEscapeAt(std::string_view text, std::size_t at);
/// Length of a \uXXXX escape in bytes.
inline constexpr std::size_t kJsonEscape = 6;
/// True if two such escapes at `at` form one character beyond U+FFFF (RFC 8259 7).
bool IsJsonPairAt(std::string_view text, std::size_t at);

/// RFC 4648 4, with padding.
std::string Base64(std::string_view bytes);
/// RFC 4648 5, without padding.
std::string Base64Url(std::string_view bytes);
/// Decodes base64 in either alphabet, with or without padding; empty if invalid.
std::optional<std::string> FromBase64(std::string_view text);

/// Encodes everything except RFC 3986's unreserved characters and those in `also_plain` as %XX.
std::string PercentEncoded(std::string_view text, std::string_view also_plain = {});
/// Decodes %XX; leaves invalid escapes unchanged.
std::string PercentDecoded(std::string_view text);
/// Decodes %XX into `out`, and '+' as a space if `plus_is_space`. False if an escape is invalid or gives a NUL.
bool PercentDecodeStrict(std::string_view text, bool plus_is_space, std::string& out);
/// Encodes as application/x-www-form-urlencoded: a space becomes '+', '*' stays, '~' is encoded.
std::string FormEncoded(std::string_view text);

}  // namespace hookswitch
