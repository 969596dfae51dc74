// What sinks do with the texts of a message: header-only, C++20.
#pragma once
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace hsw {

/// True if `text` shows nothing: empty, or spaces and line breaks only.
inline bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// UTF-8 `text` cut to `count` code points, the last of them `ending` if anything was cut.
inline std::string Shorten(std::string_view text, std::size_t count, std::string_view ending = "…") {
  const auto cut = CutCodePoints(text, count);
  if (cut.size() == text.size()) return std::string(text);
  const auto room = CodePoints(ending);
  return std::string(CutCodePoints(text, count > room ? count - room : 0)).append(ending);
}

/// The same in bytes; ends between code points.
inline std::string ShortenBytes(std::string_view text, std::size_t bytes, std::string_view ending = "…") {
  if (text.size() <= bytes) return std::string(text);
  return std::string(CutBytes(text, bytes > ending.size() ? bytes - ending.size() : 0)).append(ending);
}

/// True for an http or https URL without spaces and control characters, of at most `bytes` bytes: what may become a
/// link.
inline bool IsWebUrl(std::string_view url, std::size_t bytes = 2000) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ') return false;
  }
  return url.size() <= bytes;
}

/// What is wrong with the URL of a service in a config ("must begin with https://…", to follow the key's name), or "".
/// With `root_only` it may have no path, query or fragment.
inline std::string ProblemWithServiceUrl(std::string_view url, bool allow_http, bool root_only = false) {
  std::string_view rest = url;
  if (url.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (allow_http && url.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return allow_http ? "must begin with https:// or http://" : "must begin with https:// (or http:// with allow_http)";
  }
  for (const char c : rest) {
    if (static_cast<unsigned char>(c) <= ' ') return "has a space or a control character in it";
  }
  const auto host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty()) return "names no host";
  if (host.find('@') != std::string_view::npos) return "must not have a user name or password before the host";
  if (root_only && host.size() < rest.size() && rest.substr(host.size()) != "/") {
    return "must be scheme and host only";
  }
  return {};
}

}  // namespace hsw
