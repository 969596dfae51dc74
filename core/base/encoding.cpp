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

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string FormDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string Base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
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
  // OpenSSL skips white space around it.
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

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      AppendEscape(out, c);
    }
  }
  return out;
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

std::vector<std::pair<std::string, std::string>> FormFields(std::string_view body) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!body.empty()) {
    const auto end = body.find('&');
    const std::string_view pair = body.substr(0, end);
    const auto equals = pair.find('=');
    if (!pair.empty()) {
      fields.emplace_back(FormDecoded(pair.substr(0, equals)),
                          equals == std::string_view::npos ? std::string() : FormDecoded(pair.substr(equals + 1)));
    }
    body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
  }
  return fields;
}

}  // namespace hookswitch
