#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Text functions. Lengths are in bytes unless a name says code points. All functions accept any bytes and never fail.
namespace hookswitch {

/// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool IsUtf8(std::string_view text);
/// `text` with every ill-formed byte replaced by U+FFFD.
std::string ToUtf8(std::string_view text);
/// Number of code points in well-formed UTF-8 `text`.
std::size_t CodePoints(std::string_view text);
/// The longest prefix of well-formed `text` that has at most `count` code points.
std::string_view CutCodePoints(std::string_view text, std::size_t count);

/// The first code point of `text`, which must be well-formed and not empty, and its length in bytes.
std::pair<char32_t, std::size_t> FirstCodePoint(std::string_view text);
/// True for characters that a terminal interprets or hides: control characters, bidirectional marks, zero-width
/// characters, line separators. Foreign ids and names may contain them.
bool IsHidden(char32_t c);

/// Appends `text` as a JSON string with its quotes; ill-formed UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);

std::string_view Trim(std::string_view text);
std::string ToLower(std::string_view text);                     ///< ASCII only
bool EqualsIgnoreCase(std::string_view a, std::string_view b);  ///< ASCII only

/// True if `url` begins with http:// or https://, in upper or lower case.
bool HasWebScheme(std::string_view url);

/// True if `text` matches `glob`, where `*` is any run of bytes and `?` any one byte. Linear in text times stars.
bool GlobMatch(std::string_view glob, std::string_view text);
bool GlobMatchIgnoreCase(std::string_view glob, std::string_view text);  ///< ASCII only

/// "a, b": the texts of a range, joined with `separator`.
template <class Range>
std::string Joined(const Range& parts, std::string_view separator = ", ") {
  std::string text;
  bool is_first = true;
  for (const auto& part : parts) {
    if (!is_first) text += separator;
    text += part;
    is_first = false;
  }
  return text;
}

/// The candidate nearest to `name` by Damerau-Levenshtein distance (at most 2; 1 for names under 5 bytes), or "".
std::string Nearest(std::string_view name, const std::vector<std::string>& candidates);
/// Error hint for a `name` not in `known`: `did you mean "status"?`, or if none is near "there is status, stop", or
/// "there is none".
std::string DidYouMean(std::string_view name, const std::vector<std::string>& known);

}  // namespace hookswitch
