#include "core/plugins/credentials.h"

#include <algorithm>
#include <array>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/plugins/secret_parts.h"

namespace hookswitch::plugins {
namespace {

// Shorter values are words: {"token": "expired"}.
constexpr std::size_t kShortestCredential = 8;

template <std::size_t N>
bool HasOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

bool IsCredentialHeader(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kWords = {"authorization", "cookie",  "token",     "secret",
                                                              "password",      "api-key", "apikey",    "access-key",
                                                              "auth-key",      "x-auth-", "credential"};
  return HasOneOf(ToLower(name), kWords);
}

/// "token_type" and "next_page_token" are not credentials.
bool NamesACredential(std::string_view key) {
  static constexpr std::array<std::string_view, 11> kWords = {"token",      "secret",       "password",    "passwd",
                                                              "api_key",    "apikey",       "private_key", "access_key",
                                                              "upload_url", "response_url", "webhook_url"};
  static constexpr std::array<std::string_view, 4> kOthers = {"type", "page", "cursor", "expire"};
  std::string name = ToLower(key);
  std::replace(name.begin(), name.end(), '-', '_');
  return HasOneOf(name, kWords) && !HasOneOf(name, kOthers);
}

bool IsUrl(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

/// Whether the URL's query contains a signature or a token.
bool IsSignedUrl(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kWords = {
      "sig=", "signature=", "token=", "key=", "secret=", "password=", "credential=", "auth="};
  const auto query = IsUrl(text) ? text.find('?') : std::string_view::npos;
  return query != std::string_view::npos && HasOneOf(ToLower(text.substr(query)), kWords);
}

/// Reads the string whose quote is at `at` and moves `at` behind it; false if it is unterminated.
bool ReadString(std::string_view body, std::size_t& at, std::string_view& literal) {
  const std::size_t begin = at;
  for (++at; at < body.size(); ++at) {
    if (body[at] == '\\') {
      ++at;
    } else if (body[at] == '"') {
      literal = body.substr(begin, ++at - begin);
      return true;
    }
  }
  return false;
}

std::string Unquoted(std::string_view literal) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(literal.data(), literal.size()), error);
  return error || !value.is_string() ? std::string() : std::string(value.get_string());
}

}  // namespace

std::string ShownHeader(std::string_view name, std::string_view value) {
  if (!IsCredentialHeader(name) || value.empty()) return std::string(value);
  const auto scheme = value.find(' ');
  const bool has_scheme = EqualsIgnoreCase(name, "Authorization") || EqualsIgnoreCase(name, "Proxy-Authorization");
  std::string shown(has_scheme && scheme != std::string_view::npos ? value.substr(0, scheme + 1) : "");
  return shown.append(kMask);
}

std::vector<std::string> CredentialsIn(const HttpResponse& response, std::size_t most) {
  std::vector<std::string> found;
  for (const auto& [name, value] : response.headers) {
    if (IsSignedUrl(value)) found.push_back(value);
  }
  const std::string_view body = std::string_view(response.body).substr(0, most);
  // Scans for strings instead of parsing: the response may be truncated or not JSON at all.
  std::string_view literal;
  for (std::size_t at = body.find('"'); at < body.size() && ReadString(body, at, literal); at = body.find('"', at)) {
    const auto colon = body.find_first_not_of(" \t\r\n", at);
    const bool is_key = colon != std::string_view::npos && body[colon] == ':';
    if (!is_key) {
      if (literal.find("://") != std::string_view::npos || literal.find(":\\/") != std::string_view::npos) {
        if (std::string text = Unquoted(literal); IsSignedUrl(text)) found.push_back(std::move(text));
      }
      continue;
    }
    const auto value = body.find_first_not_of(" \t\r\n", colon + 1);
    if (value == std::string_view::npos || body[value] != '"' || !NamesACredential(literal)) continue;
    at = value;
    if (!ReadString(body, at, literal)) break;
    if (std::string text = Unquoted(literal); text.size() >= kShortestCredential) found.push_back(std::move(text));
  }
  return found;
}

std::vector<std::string> UrlsIn(std::string_view state) {
  std::vector<std::string> found;
  for (auto at = state.find("http"); at != std::string_view::npos; at = state.find("http", at + 1)) {
    std::string url(state.substr(at, state.substr(at).find_first_of(" \t\r\n\"'<>|")));
    for (auto slash = url.find("\\/"); slash != std::string::npos; slash = url.find("\\/")) url.erase(slash, 1);
    const auto host = url.find("://");
    if (IsUrl(url) && url.find_first_of("/?#", host + 3) != std::string::npos) found.push_back(std::move(url));
  }
  return found;
}

}  // namespace hookswitch::plugins
