// Text functions for sinks: header-only, C++20.
#pragma once
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hookswitch/sink.hpp"

namespace hsw {

// Characters.

/// The first character of `text`, which must not be empty; `size` receives its length in bytes. An ill-formed byte
/// reads as U+FFFD.
inline char32_t FirstCodePoint(std::string_view text, std::size_t& size) {
  const auto lead = static_cast<unsigned char>(text[0]);
  size = 1;
  if (lead < 0x80) return lead;
  const std::size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < wanted) return 0xFFFD;
  char32_t code_point = lead & (0xFFU >> (wanted + 1));
  for (std::size_t i = 1; i < wanted; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return 0xFFFD;
    code_point = (code_point << 6U) | (byte & 0x3FU);
  }
  size = wanted;
  return code_point;
}

/// U+0000 to U+001F and U+007F to U+009F.
inline bool IsControl(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}
/// U+FDD0 to U+FDEF and the last two of each plane (Unicode 23.7); some servers reject them.
inline bool IsNoncharacter(char32_t c) {
  return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEU) == 0xFFFE;
}
/// Unicode's White_Space.
inline bool IsWhiteSpace(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// True if `text` is empty or only white space.
inline bool IsBlank(std::string_view text) {
  for (std::size_t size = 0; !text.empty(); text.remove_prefix(size)) {
    if (!IsWhiteSpace(FirstCodePoint(text, size))) return false;
  }
  return true;
}

/// UTF-8 `text` cut to `count` code points; a cut text ends with `ending`, which counts.
inline std::string Shorten(std::string_view text, std::size_t count, std::string_view ending = "…") {
  const auto cut = CutCodePoints(text, count);
  if (cut.size() == text.size()) return std::string(text);
  const auto room = CodePoints(ending);
  return std::string(CutCodePoints(text, count > room ? count - room : 0)).append(ending);
}

/// The same in bytes; cuts between code points.
inline std::string ShortenBytes(std::string_view text, std::size_t bytes, std::string_view ending = "…") {
  if (text.size() <= bytes) return std::string(text);
  return std::string(CutBytes(text, bytes > ending.size() ? bytes - ending.size() : 0)).append(ending);
}

/// Length of UTF-8 `text` in UTF-16 code units, as services written in JavaScript or Java count it.
inline std::size_t Utf16Units(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    count += ((byte & 0xC0) != 0x80) + (byte >= 0xF0);
  }
  return count;
}

/// Context of a character in its text.
struct TextSpot {
  bool first_of_line;  ///< only white space before it
  bool after_number;   ///< only a number before it
  char32_t next;       ///< the character that follows; '\n' at the end
};

/// UTF-8 `text` with each code point escaped, cut to `units` UTF-16 code units without splitting a character or its
/// escape; a cut text ends with `ending`, which counts. `escape(code_point, spot, out)` appends to out; it may also
/// take `bool first_of_line` instead of a TextSpot. Line and paragraph separators become "\n"; control characters
/// except tab, and noncharacters, are dropped.
template <class Escape>
std::string Escaped(std::string_view text, std::size_t units, std::string_view ending, Escape escape) {
  const auto take = [text](std::size_t& i, std::string_view& code_point) -> char32_t {
    for (std::size_t size = 0; i < text.size(); i += size) {
      const char32_t c = FirstCodePoint(text.substr(i), size);
      const bool ends_line = c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
      if (c == '\r' && text.substr(i + 1).starts_with('\n')) continue;
      if (!ends_line && c != '\t' && (IsControl(c) || IsNoncharacter(c))) continue;
      code_point = ends_line ? "\n" : c == 0xFFFD ? "\xEF\xBF\xBD" : text.substr(i, size);
      i += size;
      return ends_line ? '\n' : c;
    }
    code_point = {};
    return '\n';
  };
  std::string out;
  const std::size_t ending_units = Utf16Units(ending);
  const std::size_t units_if_cut = units > ending_units ? units - ending_units : 0;
  std::size_t length = 0, cut_at = 0, i = 0;
  bool first_of_line = true, after_number = false;
  std::string_view code_point, next_code_point;
  char32_t c = take(i, code_point);
  while (!code_point.empty()) {
    const char32_t next = take(i, next_code_point);
    const std::size_t before = out.size();
    if constexpr (requires(const TextSpot& spot) { escape(code_point, spot, out); }) {
      escape(code_point, TextSpot{first_of_line, after_number, next}, out);
    } else {
      escape(code_point, first_of_line, out);
    }
    length += Utf16Units(std::string_view(out).substr(before));
    if (length > units) {
      out.resize(cut_at);
      return out.append(ending);
    }
    if (length <= units_if_cut) cut_at = out.size();
    after_number = (first_of_line || after_number) && c >= '0' && c <= '9';
    first_of_line = c == '\n' || (first_of_line && IsWhiteSpace(c));
    c = next;
    code_point = next_code_point;
  }
  return out;
}

/// True if a character needs a backslash because it begins a block in CommonMark or the dialects of Teams, Discord and
/// Mattermost: a heading, underlined or not, a quotation, a list item ("-" or "15."). Does not cover indented code:
/// callers replace white space at the start of a line by U+00A0.
inline bool BeginsBlock(char c, const TextSpot& spot) {
  if (spot.first_of_line) return c == '#' || c == '-' || c == '+' || c == '=' || c == '>';
  return spot.after_number && (c == '.' || c == ')') && IsWhiteSpace(spot.next);
}

/// Appends `byte` as `mark` and two upper-case hexadecimal digits: "%2F", "=C3".
inline void AppendEscapedByte(std::string& out, char mark, char byte) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  out += mark;
  out += kHex[static_cast<unsigned char>(byte) >> 4];
  out += kHex[static_cast<unsigned char>(byte) & 15];
}

/// `url` with everything percent-encoded that could end a link's markup (spaces, quotes, brackets, non-ASCII) or begin
/// a mention (@).
inline std::string LinkUrl(std::string_view url) {
  std::string out;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || std::string_view("()<>[]{}|\\^`\"'*@").find(c) != std::string_view::npos) {
      AppendEscapedByte(out, '%', c);
    } else {
      out += c;
    }
  }
  return out;
}

/// True if `url` may become a link: http or https, no spaces or control characters, at most `bytes` bytes.
inline bool IsWebUrl(std::string_view url, std::size_t bytes = 2000) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ') return false;
  }
  return url.size() <= bytes;
}

struct WebLink {
  std::string_view label;  ///< from the message; may be blank
  std::string url;         ///< from LinkUrl
};

/// The first `most` http(s) links of a message whose escaped URLs have at most `bytes` bytes.
inline std::vector<WebLink> WebLinks(const Message& message, std::size_t most, std::size_t bytes = 2000) {
  std::vector<WebLink> links;
  for (const hsw_pair& link : message.Links()) {
    if (links.size() == most) break;
    if (!IsWebUrl(View(link.value), bytes)) continue;
    std::string url = LinkUrl(View(link.value));
    if (url.size() <= bytes) links.push_back({View(link.name), std::move(url)});
  }
  return links;
}

/// "2026-03-04T09:30:00Z" (RFC 3339, whole seconds); "" if out of range.
inline std::string Rfc3339(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000 - (unix_ms % 1000 < 0 ? 1 : 0));
  std::tm utc{};
  char text[32] = "";
  if (!gmtime_r(&seconds, &utc) || utc.tm_year + 1900 > 9999 || utc.tm_year + 1900 < 0) return {};
  if (std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) return {};
  return text;
}

/// Why a service's URL in a config is invalid ("must begin with https://…", to follow the key's name), or "". With
/// `root_only` a path, query or fragment is invalid.
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

/// Why a config may not add this header to requests ("is the HTTP client's to set", to follow its name), or "". Such
/// headers change framing, host or connection: hookswitch does not send requests with framing headers, and `hookswitch
/// plugin check` fails a plugin that sets any of them.
inline std::string ProblemWithHeader(std::string_view name) {
  for (const std::string_view of_client :
       {"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE",
        "Trailer", "Transfer-Encoding", "Upgrade"}) {
    if (EqualsIgnoreCase(name, of_client)) return "is the HTTP client's to set";
  }
  return {};
}

}  // namespace hsw
