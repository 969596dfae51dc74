#include "mime.h"

#include <array>
#include <ctime>

namespace email {
namespace {

constexpr std::size_t kMaxPlain = 60;        // a header's line has at most 78 characters
constexpr std::size_t kMaxEncodedWord = 75;  // RFC 2047, 2
constexpr std::string_view kWordStart = "=?utf-8?Q?", kWordEnd = "?=";

bool IsPlain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
  }
  return text.size() <= kMaxPlain && text.find("=?") == std::string_view::npos;
}

/// The Q encoding of one code point. Letters and digits alone stay: that is safe in every place of a header.
std::string Quoted(std::string_view code_point) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : code_point) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      out += c;
    } else if (c == ' ') {
      out += '_';
    } else {
      out += '=';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace

Address ParseAddress(std::string_view text) {
  Address parsed;
  std::string_view address = text;
  if (text.ends_with('>')) {
    const auto open = text.rfind('<');
    if (open == std::string_view::npos) return {};
    address = text.substr(open + 1, text.size() - open - 2);
    auto name = text.substr(0, open);
    while (name.ends_with(' ')) name.remove_suffix(1);
    while (name.starts_with(' ')) name.remove_prefix(1);
    parsed.name = name;
  }
  const auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || at + 1 == address.size() || address.size() > 254) return {};
  for (std::size_t i = 0; i < address.size(); ++i) {
    const char c = address[i];
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    const bool local = std::string_view("!#$%&'*+/=?^_`{|}~").find(c) != std::string_view::npos;
    if (i != at && !plain && !(i < at && local)) return {};
  }
  parsed.address = address;
  return parsed;
}

std::string HeaderOf(const Address& address) {
  if (address.name.empty()) return address.address;
  // A plain name could still hold quotes or a comma: encoded, it is a name and nothing else.
  const bool atom = address.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") ==
                    std::string::npos;
  std::string name = atom && address.name.size() <= kMaxPlain ? address.name : std::string();
  if (name.empty()) {
    const std::string& text = address.name;
    std::string word;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t size = 1;
      while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0) == 0x80) ++size;
      const auto quoted = Quoted(std::string_view(text).substr(i, size));
      if (kWordStart.size() + word.size() + quoted.size() + kWordEnd.size() > kMaxEncodedWord) break;
      word += quoted;
      i += size;
    }
    name = std::string(kWordStart) + word + std::string(kWordEnd);
  }
  return name + " <" + address.address + ">";
}

std::string HeaderText(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
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
    // 12: the name of the header stands on the first line.
    if (kWordStart.size() + word.size() + quoted.size() + kWordEnd.size() > kMaxEncodedWord - 12) end_word();
    word += quoted;
    i += size;
  }
  if (!word.empty()) end_word();
  return out;
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
