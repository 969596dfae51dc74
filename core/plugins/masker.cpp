#include "core/plugins/masker.h"

#include <algorithm>
#include <bit>

#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/plugins/secret_parts.h"
#include "core/plugins/spelling.h"

namespace hookswitch::plugins {
namespace {

const std::string kWhole(kMask);
// A prefix this long at the end of a text is not a coincidence.
constexpr std::size_t kShortestCut = 8;
// At least four base64 characters, or ordinary words would be masked.
constexpr std::size_t kShortestCoded = 4;
// The longest escape of a base64 character.
constexpr std::size_t kReachesBack = 64;
constexpr std::size_t kBits = 61;
constexpr std::uint64_t kPercent = std::uint64_t{1} << 61, kBackslash = std::uint64_t{1} << 62,
                        kAmpersand = std::uint64_t{1} << 63, kEscape = kPercent | kBackslash | kAmpersand;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

char Upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

char32_t Lower(char32_t c) {
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool IsBase64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
         c == '-' || c == '_';
}

/// End of the base64 character at `at`; `at` if there is none.
std::size_t BehindBase64(std::string_view text, std::size_t at) {
  if (at >= text.size()) return at;
  if (IsBase64(text[at])) return at + 1;
  if (!BeginsEscape(text[at])) return at;
  for (const Spelled& spelled : ReadEscape(text, at)) {
    if (spelled.character < 0x80 && IsBase64(static_cast<char>(spelled.character))) return spelled.end;
  }
  return at;
}

/// Start of the base64 character before `at`; `at` if there is none.
std::size_t BeforeBase64(std::string_view text, std::size_t at) {
  for (std::size_t back = std::min(at, kReachesBack); back > 1; --back) {
    if (BeginsEscape(text[at - back]) && BehindBase64(text, at - back) == at) return at - back;
  }
  return at > 0 && IsBase64(text[at - 1]) ? at - 1 : at;
}

/// Whether a cut text ends here: at its end, or before a marker of the cut.
bool IsCut(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  return rest.empty() || rest.starts_with("...") || rest.starts_with("…");
}

/// A set of positions in a text. Positions that do not fit are dropped: no real needle has that many readings.
class Places {
 public:
  void Add(std::size_t place) {
    if (std::find(begin(), end(), place) == end() && count_ < all_.size()) all_[count_++] = place;
  }
  const std::size_t* begin() const { return all_.data(); }
  const std::size_t* end() const { return all_.data() + count_; }
  bool empty() const { return count_ == 0; }

 private:
  std::array<std::size_t, 8> all_;
  std::size_t count_ = 0;
};

/// Matches one needle against a text.
struct Matcher {
  std::string_view needle, text;
  bool any_case, is_base64, cut_counts;

  bool Same(char32_t a, char32_t b) const {
    if (a == b) return true;
    if (any_case && Lower(a) == Lower(b)) return true;
    if ((a == ' ' && b == '+') || (a == '+' && b == ' ')) return true;  // form encoding
    return is_base64 && ((a == '+' && b == '-') || (a == '/' && b == '_'));
  }

  /// End of the needle if its byte `i` matches at `at`; else npos.
  std::size_t Follow(std::size_t i, std::size_t at) const {
    // Unescaped text has only one reading.
    while (i < needle.size() && at < text.size() && !BeginsEscape(needle[i]) &&
           static_cast<signed char>(needle[i]) >= 0 &&
           Same(static_cast<unsigned char>(needle[i]), static_cast<unsigned char>(text[at]))) {
      ++i, ++at;
    }
    if (i == needle.size()) return at;
    Places now;
    now.Add(at);
    while (i < needle.size()) {
      const std::string_view wanted = CharacterAt(needle, i);
      Places next;
      for (const std::size_t place : now) Step(wanted, place, next);
      if (next.empty()) return cut_counts && i >= kShortestCut ? CutAt(now) : std::string_view::npos;
      now = next;
      i += wanted.size();
    }
    return *std::max_element(now.begin(), now.end());
  }

 private:
  void Step(std::string_view wanted, std::size_t at, Places& next) const {
    if (is_base64) at = BehindBreak(at);
    if (at >= text.size()) return;
    const char32_t character = CodePointOf(wanted);
    if (wanted.size() == 1) {
      if (Same(character, static_cast<unsigned char>(text[at]))) next.Add(at + 1);
    } else if (text.substr(at).starts_with(wanted)) {
      next.Add(at + wanted.size());
    }
    if (!BeginsEscape(text[at])) return;
    for (const Spelled& spelled : ReadEscape(text, at)) {
      if (Same(character, spelled.character)) next.Add(spelled.end);
    }
  }

  /// Long base64 is broken into lines.
  std::size_t BehindBreak(std::size_t at) const {
    for (;;) {
      const std::string_view rest = text.substr(std::min(at, text.size()), 2);
      if (rest.starts_with('\n') || rest.starts_with('\r')) {
        ++at;
      } else if (rest == "\\n" || rest == "\\r") {
        at += 2;
      } else {
        return at;
      }
    }
  }

  std::size_t CutAt(const Places& places) const {
    for (const std::size_t place : places) {
      if (IsCut(text, place)) return place;
    }
    return std::string_view::npos;
  }
};

}  // namespace

Masker::Masker(std::span<const std::string> secrets) {
  SecretParts parts;
  for (const std::string& secret : secrets) {
    if (!secret.empty()) AddPartsOf(secret, parts);
  }
  for (auto& [text, part] : parts) {
    const bool is_long = text.size() >= kShortestPart;
    needles_.push_back({.text = Secret(text),
                        .shown = part.shown,
                        .any_case = is_long,
                        .cut_counts = part.is_text && text.size() > kShortestCut});
    if (part.is_text) AddCoded(text);
  }
  Index();
  // The visible part of one secret may contain another, or its own last segment again.
  for (Needle& needle : needles_) {
    if (Mask(needle.shown) != needle.shown) needle.shown = kMask;
  }
}

/// In the base64 of a longer text, the secret's encoding depends on its offset modulo 3. Searches for the characters
/// that depend only on the secret.
void Masker::AddCoded(const std::string& text) {
  for (const std::size_t before : {0u, 1u, 2u}) {
    const std::size_t bits = 8 * (before + text.size());
    const std::size_t first = (8 * before + 5) / 6;
    if (bits / 6 < first + kShortestCoded) continue;
    const std::string coded = Base64(std::string(before, '\0') + text);
    needles_.push_back({.text = Secret(coded.substr(first, bits / 6 - first)),
                        .shown = kWhole,
                        .is_base64 = true,
                        .cut_counts = true,
                        .begins_within = before != 0,
                        .ends_within = bits % 6 != 0});
  }
  if (text.size() < kShortestCoded) return;
  needles_.push_back({.text = Secret(Hex(text)), .shown = kWhole, .any_case = true, .cut_counts = true});
}

void Masker::Index() {
  const auto each = [](const Needle& needle, char32_t character, auto mark) {
    const char c = static_cast<char>(character);
    mark(c);
    if (needle.any_case) mark(Lower(c)), mark(Upper(c));
    if (c == ' ') mark('+');
    if (c == '+') mark(' ');
    if (needle.is_base64 && c == '+') mark('-');
    if (needle.is_base64 && c == '/') mark('_');
  };
  const auto at = [](auto& table, char c) -> auto& {
    return table[static_cast<unsigned char>(c)];
  };
  for (std::size_t i = 0; i < needles_.size(); ++i) {
    const Needle& needle = needles_[i];
    const std::string& text = needle.text.Reveal();
    const std::uint64_t bit = std::uint64_t{1} << (i % kBits);
    each(needle, static_cast<unsigned char>(text[0]), [&](char c) { at(first_, c) |= bit; });
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      each(needle, static_cast<unsigned char>(text[0]),
           [&](char c) { beginnings_.set(static_cast<unsigned char>(c)); });
    }
    if (text.size() == 1) {
      for (auto& bits : second_) bits |= bit;
      continue;
    }
    each(needle, static_cast<unsigned char>(text[1]), [&](char c) { at(second_, c) |= bit; });
    for (const char c : {'%', '\\', '&'}) at(second_, c) |= bit;
    if (needle.is_base64) {
      for (const char c : {'\r', '\n'}) at(second_, c) |= bit;
    }
  }
  IndexEscapes();
}

/// Most escapes are line breaks and quotes: their second byte excludes them.
void Masker::IndexEscapes() {
  first_['%'] |= kPercent;
  first_['\\'] |= kBackslash;
  first_['&'] |= kAmpersand;
  for (std::size_t c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (digit || letter) second_[c] |= kPercent | kAmpersand;
    if (c == '#') second_[c] |= kAmpersand;
    if (BeginsEscape(static_cast<char>(c))) second_[c] |= kEscape;
    const std::string escape = {'\\', static_cast<char>(c)};
    const Readings readings = ReadEscape(escape, 0);
    const bool begins = std::any_of(readings.begin(), readings.end(),
                                    [&](const Spelled& s) { return s.character >= 0x80 || beginnings_[s.character]; });
    if (begins || c == 'u' || c == 'x') second_[c] |= kBackslash;
  }
}

/// The longest match at `at` among the needles of `which`.
Masker::Found Masker::At(std::string_view text, std::size_t at, std::uint64_t which) const {
  Found best;
  const auto take = [&](const Needle& needle, std::size_t end, bool as_it_is) {
    if (end == std::string_view::npos || (best.shown && end <= best.end)) return;
    best = {at, end, as_it_is ? &needle.shown : &kWhole};
    if (needle.begins_within) best.begin = BeforeBase64(text, at);
    if (needle.ends_within) best.end = BehindBase64(text, best.end);
    while (needle.is_base64 && best.end < text.size() && text[best.end] == '=') ++best.end;
  };
  const auto matcher = [&](const Needle& needle) {
    return Matcher{needle.text.Reveal(), text, needle.any_case, needle.is_base64, needle.cut_counts};
  };
  for (std::uint64_t left = which & ~kEscape; left != 0; left &= left - 1) {
    for (std::size_t i = static_cast<std::size_t>(std::countr_zero(left)); i < needles_.size(); i += kBits) {
      const Needle& needle = needles_[i];
      const std::string& word = needle.text.Reveal();
      // A final ampersand may continue as "&amp;".
      const bool as_it_is = text.substr(at).starts_with(word) && !BeginsEscape(word.back());
      take(needle, as_it_is ? at + word.size() : matcher(needle).Follow(0, at), as_it_is);
    }
  }
  if ((which & kEscape) == 0) return best;
  for (const Spelled& spelled : ReadEscape(text, at)) {
    if (spelled.character < 0x80 && !beginnings_[spelled.character]) continue;
    for (const Needle& needle : needles_) {
      const auto matching = matcher(needle);
      const std::string_view character = CharacterAt(matching.needle, 0);
      if (!matching.Same(CodePointOf(character), spelled.character)) continue;
      take(needle, matching.Follow(character.size(), spelled.end), false);
    }
  }
  return best;
}

/// The first match that begins in [`from`, `until`).
Masker::Found Masker::First(std::string_view text, std::size_t from, std::size_t until) const {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  const auto which = [&](std::size_t at) { return first_[bytes[at]] & second_[bytes[at + 1]]; };
  const std::size_t pairs = std::min(until, text.size() - std::min<std::size_t>(text.size(), 1));
  std::size_t at = from;
  while (at < pairs) {
    while (at + 4 <= pairs && (which(at) | which(at + 1) | which(at + 2) | which(at + 3)) == 0) at += 4;
    for (const std::size_t end = std::min(at + 4, pairs); at < end; ++at) {
      if (const std::uint64_t some = which(at); some != 0) {
        if (const Found found = At(text, at, some); found.shown) return found;
      }
    }
  }
  // The last byte has no second one.
  if (at < until && at < text.size()) return At(text, at, first_[bytes[at]] & ~kEscape);
  return {};
}

std::string Masker::Mask(std::string_view text, std::size_t most) const {
  std::string out;
  std::size_t copied = 0;
  // Text behind this point is not shown, but base64 may reach back from there.
  const auto until = [&] { return copied + std::min(most - out.size(), text.size() - copied); };
  const auto next = [&] { return First(text, copied, std::min(until() + kReachesBack, text.size())); };
  for (Found found = next(); found.shown && found.begin < until(); found = next()) {
    // A match inside another is masked with it; of two overlapping matches, both are masked whole.
    for (std::size_t at = found.begin + 1; at < found.end; ++at) {
      const Found other = First(text, at, found.end);
      if (!other.shown) break;
      at = std::max(at, other.begin);
      if (other.end <= found.end) continue;
      found.end = other.end;
      found.shown = &kWhole;
    }
    const std::size_t begin = std::max(found.begin, copied);
    if (out.empty()) out.reserve(std::min(most, text.size()) + kMask.size());
    out.append(text, copied, begin - copied).append(*found.shown);
    copied = found.end;
    if (out.size() >= most) return out;
  }
  return out.append(text, copied, until() - copied);
}

}  // namespace hookswitch::plugins
