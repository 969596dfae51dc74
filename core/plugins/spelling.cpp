#include "core/plugins/spelling.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hookswitch::plugins {
namespace {

// JSON in JSON in a URL in HTML is more than any response nests.
constexpr int kDeepestEscape = 4;
constexpr std::size_t kMostBackslashes = 16;

struct Entity {
  std::string_view name;
  char32_t character;
};
// html.spec.whatwg.org, "Named character references": those for ASCII punctuation.
constexpr Entity kEntities[] = {
    {"amp", '&'},    {"quot", '"'},   {"apos", '\''},  {"lt", '<'},       {"gt", '>'},       {"sol", '/'},
    {"bsol", '\\'},  {"plus", '+'},   {"equals", '='}, {"colon", ':'},    {"semi", ';'},     {"period", '.'},
    {"comma", ','},  {"num", '#'},    {"percnt", '%'}, {"quest", '?'},    {"excl", '!'},     {"dollar", '$'},
    {"commat", '@'}, {"ast", '*'},    {"midast", '*'}, {"lpar", '('},     {"rpar", ')'},     {"lsqb", '['},
    {"lbrack", '['}, {"rsqb", ']'},   {"rbrack", ']'}, {"lcub", '{'},     {"lbrace", '{'},   {"rcub", '}'},
    {"rbrace", '}'}, {"lowbar", '_'}, {"hyphen", '-'}, {"grave", '`'},    {"verbar", '|'},   {"vert", '|'},
    {"Hat", '^'},    {"nbsp", ' '},   {"Tab", '\t'},   {"NewLine", '\n'}, {"UnderBar", '_'}, {"AMP", '&'},
    {"QUOT", '"'},   {"LT", '<'},     {"GT", '>'},
};

/// Reader over one text. Functions that read a part of an escape move `at` behind it.
struct Reader {
  std::string_view text;
  Readings found{};

  void Add(char32_t character, std::size_t end, int depth) {
    found.Add(character, end);
    // The decoded character may begin another escape, together with what follows.
    if (character < 0x80 && BeginsEscape(static_cast<char>(character)) && depth < kDeepestEscape) {
      After(static_cast<char>(character), end, depth + 1);
    }
  }

  /// `lead` is the character that ends before `at`.
  void After(char lead, std::size_t at, int depth) {
    if (lead == '%') return Percent(at, depth);
    if (lead == '\\') return Backslash(at, depth);
    Ampersand(at, depth);
  }

  /// Reads a character inside an escape, which may be escaped itself, as in "%26%2347%3B". '\0' if there is none.
  char Inner(std::size_t& at, int depth) const {
    if (at >= text.size()) return '\0';
    const char c = text[at];
    if (!BeginsEscape(c)) return ++at, c;
    if (depth == kDeepestEscape) return '\0';
    Reader inner{text};
    inner.After(c, at + 1, depth + 1);
    for (const Spelled& spelled : inner.found) {
      if (spelled.character >= 0x80 || BeginsEscape(static_cast<char>(spelled.character))) continue;
      at = spelled.end;
      return static_cast<char>(spelled.character);
    }
    return '\0';
  }

  std::optional<std::uint32_t> Hex(std::size_t& at, int digits, int depth) const {
    std::uint32_t value = 0;
    for (; digits > 0; --digits) {
      const int digit = HexDigit(Inner(at, depth));
      if (digit < 0) return std::nullopt;
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    return value;
  }

  void Percent(std::size_t at, int depth) {
    const auto byte = Hex(at, 2, depth);
    if (!byte) return;
    if (*byte < 0x80) return Add(*byte, at, depth);
    std::string sequence(1, static_cast<char>(*byte));
    for (std::size_t end = at; sequence.size() < 4;) {
      const auto next = BehindLead('%', end, depth, [&](std::size_t& behind) {
        const auto value = Hex(behind, 2, depth);
        return value && (*value & 0xC0) == 0x80 ? value : std::nullopt;
      });
      if (!next) break;
      sequence += static_cast<char>(*next);
      if (IsUtf8(sequence)) return Add(CodePointOf(sequence), end, depth);
    }
    Add(*byte, at, depth);  // Latin-1
  }

  /// Reads `lead`, which may be escaped, then calls `read` on the text after it; moves `at` behind both.
  template <class Read>
  std::optional<std::uint32_t> BehindLead(char lead, std::size_t& at, int depth, Read read) const {
    if (at >= text.size() || !BeginsEscape(text[at])) return std::nullopt;
    Reader all{text};
    if (text[at] == lead) all.found.Add(static_cast<unsigned char>(lead), at + 1);
    if (depth < kDeepestEscape) all.After(text[at], at + 1, depth + 1);
    for (const Spelled& spelled : all.found) {
      if (spelled.character != static_cast<unsigned char>(lead)) continue;
      std::size_t behind = spelled.end;
      const auto value = read(behind);
      if (!value) continue;
      at = behind;
      return value;
    }
    return std::nullopt;
  }

  void Backslash(std::size_t at, int depth) {
    // Each JSON nesting doubles backslashes and adds one.
    std::size_t behind = at;
    while (behind < text.size() && text[behind] == '\\' && behind - at < kMostBackslashes) ++behind;
    for (const std::size_t more : {1u, 3u, 7u}) {
      if (at + more <= behind) found.Add('\\', at + more);
    }
    if (behind == text.size() || text[behind] == '\\') return;
    if (BeginsEscape(text[behind]) && depth < kDeepestEscape) {
      Reader inner{text};
      inner.After(text[behind], behind + 1, depth + 1);
      for (const Spelled& spelled : inner.found) Escaped(spelled.character, spelled.end, depth);
    }
    Escaped(static_cast<unsigned char>(text[behind]), behind + 1, depth);
  }

  /// Handles `c`, which ends before `at` and follows a backslash.
  void Escaped(char32_t c, std::size_t at, int depth) {
    constexpr std::string_view kNames = "bfnrt", kControls = "\b\f\n\r\t";
    if (c <= ' ' || c >= 0x7F) return;
    if (c == 'u') return Unicode(at, depth);
    if (c == 'x') {
      if (const auto byte = Hex(at, 2, depth)) Add(*byte, at, depth);
    } else if (const auto name = kNames.find(static_cast<char>(c)); name != std::string_view::npos) {
      found.Add(static_cast<char32_t>(kControls[name]), at);
    } else if (!IsAlphanumeric(static_cast<char>(c))) {
      found.Add(c, at);
    }
  }

  static bool IsAlphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  void Unicode(std::size_t at, int depth) {
    const auto unit = Hex(at, 4, depth);
    if (!unit) return;
    if (*unit >= 0xD800 && *unit < 0xDC00) {
      std::size_t end = at;
      const auto low = BehindLead('\\', end, depth, [&](std::size_t& behind) {
        const auto value = Inner(behind, depth) == 'u' ? Hex(behind, 4, depth) : std::nullopt;
        return value && *value >= 0xDC00 && *value < 0xE000 ? value : std::nullopt;
      });
      if (low) return Add(0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), end, depth);
    }
    Add(*unit, at, depth);
  }

  void Ampersand(std::size_t at, int depth) {
    constexpr std::size_t kLongest = 12;
    std::string name;
    for (char c = Inner(at, depth); c != ';'; c = Inner(at, depth)) {
      if ((!IsAlphanumeric(c) && c != '#') || name.size() == kLongest) return;
      name += c;
    }
    if (name.starts_with('#')) {
      const bool hex = name.starts_with("#x") || name.starts_with("#X");
      const char *const begin = name.data() + (hex ? 2 : 1), *const end = name.data() + name.size();
      std::uint32_t value = 0;
      const auto [stopped, error] = std::from_chars(begin, end, value, hex ? 16 : 10);
      if (error == std::errc() && stopped == end) Add(value, at, depth);
      return;
    }
    for (const Entity& entity : kEntities) {
      if (entity.name == name) return Add(entity.character, at, depth);
    }
  }
};

}  // namespace

Readings ReadEscape(std::string_view text, std::size_t at) {
  Reader reader{text};
  reader.After(text[at], at + 1, 0);
  return reader.found;
}

std::string_view CharacterAt(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
  const std::string_view whole = text.substr(at, length);
  return length == 1 || !IsUtf8(whole) ? text.substr(at, 1) : whole;
}

char32_t CodePointOf(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 2: return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3: return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    case 4: return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    default: return byte(0);
  }
}

}  // namespace hookswitch::plugins
