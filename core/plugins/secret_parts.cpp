#include "core/plugins/secret_parts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/text.h"

namespace hookswitch::plugins {
namespace {

// A longer segment may be a token even if it is not the last, as in Telegram's /bot<token>/sendMessage.
constexpr std::size_t kLongestShownSegment = 16;
// Enough for a Basic header inside a cookie.
constexpr int kDeepestPart = 3;

/// Decodes base64 with any padding; "" if `text` is not base64.
std::string Base64Decoded(std::string_view text) {
  return FromBase64(text.substr(0, text.find_last_not_of('=') + 1)).value_or("");
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

bool NamesASecret(std::string_view key) {
  static constexpr const char* kWords[] = {"pass", "pwd", "secret", "token", "key", "auth", "cred", "sig", "sess"};
  const std::string name = ToLower(key);
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](const char* word) { return name.find(word) != std::string::npos; });
}

/// Whether `text` can be a key or a scheme.
bool IsName(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && (is_letter(text[0]) || text[0] == '_') && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '+';
  });
}

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

/// The path with its last significant segment and every long one masked. Calls `secret` with each of those.
template <class Secret>
std::string ShownPath(std::string_view path, Secret secret) {
  std::string shown;
  const auto segments = Split(path, '/');
  const auto last = std::find_if(segments.rbegin(), segments.rend(), [](auto segment) { return !segment.empty(); });
  for (auto segment = segments.begin(); segment != segments.end(); ++segment) {
    if (segment != segments.begin()) shown += '/';
    const bool hidden = segment + 1 == last.base() || segment->size() > kLongestShownSegment;
    if (hidden) secret(*segment);
    shown += hidden ? kMask : *segment;
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

class Finder {
 public:
  explicit Finder(SecretParts& parts) : parts_(parts) {}

  void Whole(const std::string& secret) {
    const auto scheme = secret.find("://");
    const bool is_url = scheme != std::string::npos && IsName(std::string_view(secret).substr(0, scheme));
    if (is_url) return Add(secret, {OfUrl(secret, scheme), false});
    Add(secret, {});
    Inside(secret, 0);
  }

 private:
  /// Adds a part. One too short to search for alone is searched for in `context`, if given.
  void Part(std::string_view text, int depth, const std::string& context = "") {
    if (text.size() < kShortestPart) {
      if (!text.empty() && context.size() > kShortestPart) Add(context, {std::string(kMask), false});
      return;
    }
    Add(std::string(text), {});
    if (depth < kDeepestPart) Inside(text, depth + 1);
  }

  /// A text masked whole for one secret is never shown in part for another.
  void Add(const std::string& text, SecretPart part) {
    const auto [at, fresh] = parts_.try_emplace(text, part);
    if (fresh) return;
    if (at->second.shown != part.shown) at->second.shown = kMask;
    at->second.is_text = at->second.is_text || part.is_text;
  }

  void Inside(std::string_view text, int depth) {
    Lines(text, depth);
    // "Bearer …", "Token token=…": the part after the scheme. Words of a passphrase are not secrets.
    if (const auto space = text.find(' '); space != std::string_view::npos && space <= 32) {
      const std::string_view rest = Trim(text.substr(space));
      if (rest.find(' ') == std::string_view::npos || rest.find('=') != std::string_view::npos) Part(rest, depth);
    }
    if (text.starts_with('{')) return Document(text, depth);
    if (text.find('=') < text.size() - 1) Pairs(text, depth);
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find_first_of(" =\n") > colon) {
      Part(text.substr(colon + 1), depth, std::string(text));
    }
    // Basic: base64 of "user:password".
    const std::string decoded = Base64Decoded(text);
    if (decoded.find(':') != std::string::npos && IsUtf8(decoded) && decoded.find('\0') == std::string::npos) {
      Part(decoded, depth);
    }
    if (const std::string plain = PercentDecoded(text); plain != text) Part(plain, kDeepestPart);
  }

  /// Many logs show the lines of a key file separately.
  void Lines(std::string_view text, int depth) {
    constexpr std::size_t kShortestLine = 16;
    const auto lines = Split(text, '\n');
    if (lines.size() < 2) return;
    for (std::string_view line : lines) {
      line = Trim(line);
      if (line.size() >= kShortestLine && !line.starts_with("-----")) Part(line, depth + 1);
    }
  }

  void Document(std::string_view text, int depth) {
    boost::system::error_code error;
    const json::value document = json::parse(json::string_view(text.data(), text.size()), error);
    if (!error && depth < kDeepestPart) Values(document, "", depth + 1);
  }

  void Values(const json::value& value, std::string_view key, int depth) {
    if (const auto* object = value.if_object()) {
      for (const auto& [name, member] : *object) Values(member, std::string_view(name.data(), name.size()), depth);
    } else if (const auto* list = value.if_array()) {
      for (const json::value& item : *list) Values(item, key, depth);
    } else if (const auto* string = value.if_string(); string && NamesASecret(key)) {
      Part(std::string_view(string->data(), string->size()), depth);
    }
  }

  /// "host=db password='geheim'", "Server=db;Password=geheim", "sid=…; theme=dark", "token=…&sig=…".
  void Pairs(std::string_view text, int depth) {
    struct Pair {
      std::string_view key;
      std::string value;
    };
    std::vector<Pair> pairs;
    const char* const separators = text.find(';') != std::string_view::npos   ? ";"
                                   : text.find('&') != std::string_view::npos ? "&"
                                                                              : " ,\t\r\n";
    bool is_dsn = false;
    for (std::size_t at = 0; at < text.size();) {
      const auto equals = text.find('=', at);
      if (equals == std::string_view::npos) break;
      const std::string_view key = Trim(text.substr(at, equals - at));
      std::size_t begin = text.find_first_not_of(' ', equals + 1);
      if (begin == std::string_view::npos) break;
      std::string value;
      if (const char quote = text[begin]; quote == '\'' || quote == '"') {
        for (++begin; begin < text.size() && text[begin] != quote; ++begin) {
          if (text[begin] == '\\' && begin + 1 < text.size()) ++begin;
          value += text[begin];
        }
        at = std::min(text.find_first_of(separators, begin), text.size());
      } else {
        at = std::min(text.find_first_of(separators, begin), text.size());
        value = Trim(text.substr(begin, at - begin));
      }
      if (at < text.size()) ++at;
      pairs.push_back({key.substr(std::min(key.find_last_of(' ') + 1, key.size())), std::move(value)});
      const std::string name = ToLower(pairs.back().key);
      is_dsn = is_dsn || name == "host" || name == "hostaddr" || name == "dbname" || name == "database" ||
               name == "server" || name == "user" || name == "service";
    }
    for (const Pair& pair : pairs) {
      if (!IsName(pair.key) || (is_dsn && !NamesASecret(pair.key))) continue;
      Part(pair.value, depth, std::string(pair.key) + '=' + pair.value);
    }
  }

  /// Adds the URL's parts. Returns the text to show for the whole.
  std::string OfUrl(const std::string& text, std::size_t scheme_end) {
    const Url url = Parse(text, scheme_end);
    User(url.user);
    for (const std::string_view pair : Split(url.query, '&')) {
      const auto equals = pair.find('=');
      const bool named = equals != std::string_view::npos;
      if (HasWebScheme(url.origin) || NamesASecret(pair.substr(0, named ? equals : 0))) {
        UrlPart(named ? pair.substr(equals + 1) : pair);
      }
    }
    // In a database or broker URL the rest are names.
    if (!HasWebScheme(url.origin)) return std::string(kMask);
    UrlPart(url.fragment);
    std::string path_shown = ShownPath(url.path, [&](std::string_view segment) { UrlPart(segment); });
    std::string rest(url.path), rest_shown = path_shown;
    if (!url.query.empty()) {
      rest += '?' + std::string(url.query);
      rest_shown += '?' + ShownQuery(url.query);
    }
    if (!url.fragment.empty()) {
      rest += '#' + std::string(url.fragment);
      rest_shown += '#' + std::string(kMask);
    }
    std::string shown(url.origin);
    if (!url.user.empty()) shown.append(kMask).append(1, '@');
    shown.append(url.host).append(rest_shown);
    if (rest.size() >= kShortestPart) Add(rest, {std::move(rest_shown), false});
    if (url.path.size() >= kShortestPart) Add(std::string(url.path), {std::move(path_shown), false});
    // A URL without path or query would be shown whole.
    return shown == text ? std::string(kMask) : shown;
  }

  void UrlPart(std::string_view text) {
    Part(text, kDeepestPart);
    if (const std::string plain = PercentDecoded(text); plain != text) Part(plain, kDeepestPart);
  }

  /// "user:password", or a token.
  void User(std::string_view user) {
    if (user.empty()) return;
    UrlPart(user);
    const auto colon = user.find(':');
    if (colon == std::string_view::npos) return;
    const std::string plain = PercentDecoded(user.substr(colon + 1));
    UrlPart(user.substr(colon + 1));
    if (plain.size() < kShortestPart) Add(':' + plain + '@', {std::string(kMask), false});
  }

  SecretParts& parts_;
};

}  // namespace

void AddPartsOf(const std::string& secret, SecretParts& parts) {
  Finder(parts).Whole(secret);
}

}  // namespace hookswitch::plugins
