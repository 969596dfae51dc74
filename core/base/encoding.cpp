#include "core/base/encoding.h"

#include <openssl/evp.h>

#include <algorithm>

namespace hookswitch {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void AppendEscape(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

// The byte that the escape %XX at `at` stands for; -1 if there is no escape.
int EscapeAt(std::string_view text, std::size_t at) {
  if (text[at] != '%' || text.size() - at < 3) return -1;
  const int high = HexDigit(text[at + 1]), low = HexDigit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string Hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) AppendHex(text, byte, 2);
  return text;
}

std::string Hex(std::string_view bytes) {
  return Hex(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

void AppendHex(std::string& out, std::uint32_t value, int digits) {
  static constexpr char kHex[] = "0123456789abcdef";
  while (digits > 0) out += kHex[(value >> (4 * --digits)) & 15];
}

std::optional<std::uint32_t> JsonEscapeAt(std::string_view text, std::size_t at) {
  if (at > text.size() || text.size() - at < kJsonEscape || text[at] != '\\' || text[at + 1] != 'u') return {};
  std::uint32_t unit = 0;
  for (const char c : text.substr(at + 2, kJsonEscape - 2)) {
    const int digit = HexDigit(c);
    if (digit < 0) return {};
    unit = unit << 4 | static_cast<std::uint32_t>(digit);
  }
  return unit;
}

bool IsJsonPairAt(std::string_view text, std::size_t at) {
  const std::uint32_t high = JsonEscapeAt(text, at).value_or(0), low = JsonEscapeAt(text, at + kJsonEscape).value_or(0);
  return high >= 0xD800 && high < 0xDC00 && low >= 0xDC00 && low < 0xE000;
}

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL appends a NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string Base64Url(std::string_view bytes) {
  std::string text = Base64(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string coded(text);
  std::replace(coded.begin(), coded.end(), '-', '+');
  std::replace(coded.begin(), coded.end(), '_', '/');
  const std::size_t letters = coded.find_last_not_of('=') + 1;
  const std::size_t padding = (4 - letters % 4) % 4;
  if (padding == 3 || (coded.size() != letters && coded.size() != letters + padding)) return {};
  // OpenSSL skips surrounding white space.
  const bool all = std::all_of(coded.begin(), coded.begin() + static_cast<std::ptrdiff_t>(letters),
                               [](char c) { return IsAlphanumeric(c) || c == '+' || c == '/'; });
  if (!all) return {};
  coded.resize(letters);
  coded.append(padding, '=');
  std::string bytes(coded.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(coded.data()), static_cast<int>(coded.size()));
  if (size < 0) return {};
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string PercentEncoded(std::string_view text, std::string_view also_plain) {
  std::string out;
  for (const char c : text) {
    if (IsAlphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos ||
        also_plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      AppendEscape(out, c);
    }
  }
  return out;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = EscapeAt(text, i);
    out += byte >= 0 ? static_cast<char>(byte) : text[i];
    if (byte >= 0) i += 2;
  }
  return out;
}

bool PercentDecodeStrict(std::string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int byte = EscapeAt(text, i);
      if (byte <= 0) return false;
      c = static_cast<char>(byte);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out += c;
  }
  return true;
}

std::string FormEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '*') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      AppendEscape(out, c);
    }
  }
  return out;
}

}  // namespace hookswitch
