#include "mime.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "hookswitch/text.hpp"

namespace email {
namespace {

constexpr std::size_t kMaxPlain = 60;        // a header's line has at most 78 characters
constexpr std::size_t kMaxEncodedWord = 75;  // RFC 2047, 2
constexpr std::size_t kMaxOneWord = 900;     // a line has at most 998 characters (RFC 5322, 2.1.1)
constexpr std::string_view kWordStart = "=?utf-8?Q?", kWordEnd = "?=";

bool IsPlain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
  }
  return text.size() <= kMaxPlain && text.find("=?") == std::string_view::npos;
}

/// Q encoding. Only letters and digits stay unencoded, which is safe everywhere in a header.
std::string Quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (c == ' ') {
      out += '_';
    } else {
      hsw::AppendEscapedByte(out, '=', c);
    }
  }
  return out;
}

/// `text` as encoded words, one per line.
std::string EncodedWords(std::string_view text) {
  std::string out, word;
  const auto end_word = [&] {
    if (!out.empty()) out += "\r\n ";
    out.append(kWordStart).append(word).append(kWordEnd);
    word.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t size = 1;
    while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0) == 0x80) ++size;
    const auto quoted = Quoted(text.substr(i, size));
    // 12: the header's name is on the first line.
    if (kWordStart.size() + word.size() + quoted.size() + kWordEnd.size() > kMaxEncodedWord - 12) end_word();
    word += quoted;
    i += size;
  }
  if (!word.empty()) end_word();
  return out;
}

/// Folds at words to lines of at most kMaxPlain characters; longer words get their own line.
std::string Folded(std::string_view words) {
  std::string out;
  std::size_t line = 0;
  while (!words.empty()) {
    const auto end = std::min(words.find(' ', 1), words.size());  // a word and its leading space
    if (line > 0 && line + end > kMaxPlain) {
      out += "\r\n";
      line = 0;
    }
    out += words.substr(0, end);
    line += end;
    words.remove_prefix(end);
  }
  return out;
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// RFC 5322, 3.2.3, and what RFC 6532 adds.
bool IsAtom(char c) {
  return IsLetterOrDigit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Parses a mailbox from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Skips spaces and comments; keeps a comment's text in `comment`.
  bool SkipSpace() {
    for (;;) {
      while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
      if (!rest_.starts_with('(')) return true;
      if (!Between('(', ')', comment)) return false;
    }
  }
  bool QuotedString(std::string& out) { return Between('"', '"', out); }
  /// Reads an atom, with dots if `dots` is set.
  bool Atom(std::string& out, bool dots) {
    std::size_t size = 0;
    while (size < rest_.size() && (IsAtom(rest_[size]) || (dots && rest_[size] == '.'))) ++size;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size > 0;
  }

  std::string comment;

 private:
  /// Reads "…" or (…), in which a backslash escapes the next character.
  bool Between(char open, char close, std::string& out) {
    std::string_view left = rest_;
    if (!left.starts_with(open)) return false;
    left.remove_prefix(1);
    std::string text;
    for (int depth = 1; !left.empty();) {
      char c = left.front();
      left.remove_prefix(1);
      if (c == '\\' && !left.empty()) {
        c = left.front();
        left.remove_prefix(1);
      } else if (c == close && --depth == 0) {
        out = std::move(text);
        rest_ = left;
        return true;
      } else if (c == open) {
        ++depth;
      }
      text += c;
    }
    return false;
  }

  std::string_view rest_;
};

bool IsPrintable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// "ops@example.com" in SMTP's form; "" if it is not an address.
std::string AddressOf(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || at + 1 == text.size() || text.size() > 254) return "";
  const auto local = text.substr(0, at), domain = text.substr(at + 1);
  if (local.starts_with('"')) {
    std::string inside;
    Scanner scanner(local);
    const bool whole = scanner.QuotedString(inside) && scanner.AtEnd();
    if (!whole || inside.find_first_of("<>\\\"") != std::string::npos || !IsPrintable(inside)) return "";
  } else {
    for (const char c : local) {
      if (!(IsAtom(c) || c == '.') || static_cast<unsigned char>(c) >= 0x80) return "";
    }
  }
  const bool literal = domain.starts_with('[') && domain.ends_with(']');
  for (const char c : literal ? domain.substr(1, domain.size() - 2) : domain) {
    if (!IsLetterOrDigit(c) && c != '.' && c != '-' && c != (literal ? ':' : '_')) return "";
  }
  return std::string(text);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Reads a phrase of words and quoted strings; anything else is a literal name.
std::string NameOf(std::string_view text) {
  Scanner scanner(text);
  std::string name;
  for (;;) {
    std::string word;
    if (!scanner.SkipSpace()) return std::string(Trimmed(text));
    if (scanner.AtEnd()) return name;
    if (!scanner.QuotedString(word) && !scanner.Atom(word, true)) return std::string(Trimmed(text));
    name += (name.empty() ? "" : " ") + word;
  }
}

/// Position of a mailbox's "<", outside complete quotes and comments; npos if none.
std::size_t AngleAt(std::string_view text) {
  bool quoted = false;
  int comments = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"' && comments == 0) {
      quoted = !quoted;
    } else if (!quoted && (c == '(' || c == ')')) {
      comments += c == '(' ? 1 : -1;
    } else if (!quoted && comments == 0 && c == '<') {
      return i;
    }
  }
  return text.ends_with('>') ? text.rfind('<') : std::string_view::npos;
}

}  // namespace

Address ParseAddress(std::string_view text) {
  text = Trimmed(text);
  if (!IsPrintable(text)) return {};
  if (const auto open = AngleAt(text); open != std::string_view::npos) {
    const auto close = text.find('>', open);
    if (close == std::string_view::npos) return {};
    Scanner behind(text.substr(close + 1));
    if (!behind.SkipSpace() || !behind.AtEnd()) return {};
    return {NameOf(text.substr(0, open)), AddressOf(Trimmed(text.substr(open + 1, close - open - 1)))};
  }
  // Older form: the name follows the address as a comment.
  const auto comment = text.starts_with('"') ? std::string_view::npos : text.find('(');
  Scanner behind(comment == std::string_view::npos ? std::string_view() : text.substr(comment));
  if (!behind.SkipSpace() || !behind.AtEnd()) return {};
  Address parsed{"", AddressOf(Trimmed(text.substr(0, comment)))};
  if (!parsed.address.empty()) parsed.name = behind.comment;
  return parsed;
}

std::string HeaderOf(const Address& address) {
  const std::string& name = address.name;
  if (name.empty()) return address.address;
  const std::string behind = (name.size() > kMaxPlain ? "\r\n <" : " <") + address.address + ">";
  // A plain name may contain quotes or a comma; encoding removes their meaning.
  const bool words = std::all_of(name.begin(), name.end(), [](char c) { return IsLetterOrDigit(c) || c == ' '; });
  if (words) return Folded(name) + behind;
  // Some readers (Python's up to 3.12) show a space between two encoded words of a name, and all accept words longer
  // than RFC 2047's 75 characters. So a name is one word, up to the length of a line.
  std::string word(kWordStart);
  word.append(Quoted(name)).append(kWordEnd);
  return (word.size() <= kMaxOneWord ? word : EncodedWords(name)) + behind;
}

std::string HeaderText(std::string_view text) {
  return IsPlain(text) ? std::string(text) : EncodedWords(text);
}

std::string HeaderDate(long long unix_ms) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> rest{};
  std::strftime(rest.data(), rest.size(), " %Y %H:%M:%S +0000", &utc);
  return std::string(kDays[static_cast<std::size_t>(utc.tm_wday)]) + ", " + std::to_string(utc.tm_mday) + " " +
         kMonths[static_cast<std::size_t>(utc.tm_mon)] + rest.data();
}

}  // namespace email
