#include "core/plugins/masker.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "core/base/text.h"

namespace hookswitch::plugins {
namespace {

constexpr std::string_view kMask = "***";
// Shorter parts of a URL are words like "v1" that say nothing; a whole secret is hidden whatever its length.
constexpr std::size_t kShortestPart = 6;
// A longer segment before the last one may be a token itself, as in Telegram's /bot<token>/sendMessage.
constexpr std::size_t kLongestShownSegment = 16;

std::string UrlEncoded(std::string_view text, const char* hex, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string UrlDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return out;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

/// As std::string::find for a word that is not empty. That stops at each byte that is like the word's first; this steps
/// by the word's length where it can, and texts are long.
std::size_t Find(std::string_view text, std::string_view word, std::size_t from) {
  const void* at = ::memmem(text.data() + from, text.size() - from, word.data(), word.size());
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - text.data()) : std::string_view::npos;
}

/// What to look for, and what to show instead.
using Spellings = std::map<std::string, std::string>;

struct Url {
  std::string_view origin, user, host, path, query, fragment;  ///< origin: "https://"; the separators are left out
};

Url Parse(std::string_view text, std::size_t scheme_end) {
  Url url;
  url.origin = text.substr(0, scheme_end + 3);
  text.remove_prefix(url.origin.size());
  auto cut_behind = [&](char separator) {
    const auto at = text.find(separator);
    const auto rest = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
    text = text.substr(0, at);
    return rest;
  };
  url.fragment = cut_behind('#');
  url.query = cut_behind('?');
  const auto path = std::min(text.find('/'), text.size());
  url.path = text.substr(path);
  url.host = text.substr(0, path);
  if (const auto at = url.host.rfind('@'); at != std::string_view::npos) {
    url.user = url.host.substr(0, at);
    url.host.remove_prefix(at + 1);
  }
  return url;
}

/// The path with its last segment that says something, and every long one, masked.
std::string ShownPath(std::string_view path) {
  std::string shown;
  const auto segments = Split(path, '/');
  const auto last = std::find_if(segments.rbegin(), segments.rend(), [](auto segment) { return !segment.empty(); });
  for (auto segment = segments.begin(); segment != segments.end(); ++segment) {
    if (segment != segments.begin()) shown += '/';
    const bool secret = segment + 1 == last.base() || segment->size() > kLongestShownSegment;
    shown += secret ? kMask : *segment;
  }
  return shown;
}

std::string ShownQuery(std::string_view query) {
  std::string shown;
  for (const std::string_view pair : Split(query, '&')) {
    if (!shown.empty()) shown += '&';
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos) shown += pair.substr(0, equals + 1);
    shown += kMask;
  }
  return shown;
}

void AddUrl(Spellings& all, const std::string& secret, std::size_t scheme_end) {
  const Url url = Parse(secret, scheme_end);
  std::string path_shown = ShownPath(url.path), rest(url.path), rest_shown = path_shown;
  auto part = [&](std::string_view text, std::string shown) {
    if (text.size() >= kShortestPart) all.emplace(text, std::move(shown));
  };
  if (!url.query.empty()) {
    rest += '?' + std::string(url.query);
    rest_shown += '?' + ShownQuery(url.query);
  }
  if (!url.fragment.empty()) {
    rest += '#' + std::string(url.fragment);
    rest_shown += '#' + std::string(kMask);
  }
  const std::string shown =
      std::string(url.origin) + (url.user.empty() ? "" : std::string(kMask) + "@") + std::string(url.host) + rest_shown;
  const bool web = EqualsIgnoreCase(url.origin, "https://") || EqualsIgnoreCase(url.origin, "http://");
  // A URL that is all host would be shown whole.
  if (web && shown != secret) all[secret] = shown;
  part(rest, rest_shown);
  part(url.path, path_shown);
  for (const std::string_view word : Split(url.user, ':')) part(word, std::string(kMask));
  part(url.user, std::string(kMask));
  part(url.fragment, std::string(kMask));
  for (const std::string_view pair : Split(url.query, '&')) {
    const auto equals = pair.find('=');
    part(equals == std::string_view::npos ? pair : pair.substr(equals + 1), std::string(kMask));
  }
  const auto segments = Split(url.path, '/');
  const auto last = std::find_if(segments.rbegin(), segments.rend(), [](auto segment) { return !segment.empty(); });
  for (auto segment = segments.begin(); segment != segments.end(); ++segment) {
    if (segment + 1 == last.base() || segment->size() > kLongestShownSegment) part(*segment, std::string(kMask));
  }
}

void AddSpellingsOf(Spellings& all, const std::string& secret) {
  Spellings own{{secret, std::string(kMask)}};
  if (const auto scheme = secret.find("://"); scheme != std::string::npos) AddUrl(own, secret, scheme);
  Spellings coded;
  for (const auto& [text, shown] : own) {
    if (auto decoded = UrlDecoded(text); decoded.size() >= kShortestPart) coded.emplace(std::move(decoded), kMask);
    for (const bool keep_slash : {false, true}) {
      coded.emplace(UrlEncoded(text, "0123456789ABCDEF", keep_slash), kMask);
      coded.emplace(UrlEncoded(text, "0123456789abcdef", keep_slash), kMask);
    }
  }
  // What is hidden whole for one secret's sake is never shown in part for another's.
  auto add = [&](const Spellings& more) {
    for (const auto& [text, shown] : more) {
      const auto [at, fresh] = all.emplace(text, shown);
      if (!fresh && at->second != shown) at->second = kMask;
    }
  };
  for (const auto& [text, shown] : own) coded.erase(text);
  add(own);
  add(coded);
}

}  // namespace

Masker::Masker(std::span<const std::string> secrets) {
  Spellings all;
  for (const std::string& secret : secrets) {
    if (!secret.empty()) AddSpellingsOf(all, secret);
  }
  for (auto& [text, shown] : all) needles_.push_back({Secret(text), shown});
  // What is shown of one secret may hold another one, or its own last segment once more.
  for (Needle& needle : needles_) {
    if (Mask(needle.shown) != needle.shown) needle.shown = kMask;
  }
}

std::string Masker::Mask(std::string text) const {
  struct Found {
    std::size_t begin, end;
    const std::string* shown;
  };
  constexpr std::size_t kUsualFound = 8;  // a URL, and the parts that are masked where they stand alone
  std::vector<Found> found;
  for (const Needle& needle : needles_) {
    const std::string_view word = needle.text.Reveal();
    for (auto at = Find(text, word, 0); at != std::string::npos; at = Find(text, word, at + 1)) {
      if (found.empty()) found.reserve(kUsualFound);
      found.push_back({at, at + word.size(), &needle.shown});
    }
  }
  if (found.empty()) return text;
  std::sort(found.begin(), found.end(),
            [](const Found& a, const Found& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
  std::string out;
  out.reserve(text.size());
  std::size_t copied = 0;
  for (std::size_t i = 0; i < found.size();) {
    auto [begin, end, shown] = found[i];
    static const std::string kWhole(kMask);
    // One inside another is hidden with it; of two that overlap neither's rest may be left.
    for (++i; i < found.size() && found[i].begin < end; ++i) {
      if (found[i].end > end) {
        end = found[i].end;
        shown = &kWhole;
      }
    }
    out.append(text, copied, begin - copied);
    out += *shown;
    copied = end;
  }
  return out.append(text, copied);
}

}  // namespace hookswitch::plugins
