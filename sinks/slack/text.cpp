#include "text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "hookswitch/sink.hpp"

namespace slack {
namespace {

constexpr std::string_view kZeroWidthSpace = "\xE2\x80\x8B";
constexpr std::string_view kFence = "```";

std::size_t SequenceLength(char lead) {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/// The next code point of UTF-8 `text` at `i`.
std::string_view CodePointAt(std::string_view text, std::size_t i) {
  return text.substr(i, SequenceLength(text[i]));
}

std::string_view Entity(std::string_view code_point) {
  switch (code_point.front()) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    default: return code_point;
  }
}

}  // namespace

std::string Clean(std::string_view text, std::size_t most) {
  std::string out;
  out.reserve(most < text.size() / 4 ? most * 4 : text.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && count > most) break;
    if (c >= 0x20 && c < 0x7F) {
      out += c;
      ++count;
    } else if (c == '\r') {
      if (i + 1 < text.size() && text[i + 1] == '\n') continue;
      out += '\n';
      ++count;
    } else if (static_cast<unsigned char>(c) == 0xC2 && i + 1 < text.size() &&
               static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      ++i;  // U+0080…U+009F
    } else if ((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\n' || c == '\t') {
      out += c;
      count += starts;
    }
  }
  return out;
}

std::string OneLine(std::string_view text) {
  std::string out;
  for (const char c : Clean(text)) {
    const bool space = c == '\n' || c == '\t' || c == ' ';
    if (!space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string Escape(std::string_view text, std::size_t most, std::string_view ending) {
  std::string out;
  out.reserve(text.size() + 16);
  const std::size_t most_if_cut = most - hsw::CodePoints(ending);
  std::size_t length = 0, cut_at = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto code_point = CodePointAt(text, i);
    const auto escaped = Entity(code_point);
    const std::size_t width = escaped.size() == code_point.size() ? 1 : escaped.size();
    if (length + width > most) {
      out.resize(cut_at);
      out += ending;
      return out;
    }
    out += escaped;
    length += width;
    if (length <= most_if_cut) cut_at = out.size();
    i += code_point.size();
  }
  return out;
}

std::string Cut(std::string_view text, std::size_t most, std::string_view ending) {
  if (hsw::CutCodePoints(text, most).size() == text.size()) return std::string(text);
  std::string out(hsw::CutCodePoints(text, most - hsw::CodePoints(ending)));
  out += ending;
  return out;
}

std::string CodeBlock(std::string_view text, std::size_t most_text, std::size_t most) {
  const std::size_t room = most - 2 * kFence.size() - 2;  // one U+200B may follow each fence
  const std::size_t room_if_cut = room - kTruncated.size();
  std::string out(kFence);
  out.reserve(kFence.size() * 2 + std::min(text.size(), most_text * 2) + kTruncated.size() + 16);
  std::size_t taken = 0, length = 0, cut_at = out.size();
  bool after_backtick = true;
  bool cut = false;
  for (std::size_t i = 0; i < text.size();) {
    const auto code_point = CodePointAt(text, i);
    const auto escaped = Entity(code_point);
    const bool backtick = code_point.front() == '`';
    const bool separate = backtick && after_backtick;
    const std::size_t width = (escaped.size() == code_point.size() ? 1 : escaped.size()) + (separate ? 1 : 0);
    if (taken == most_text || length + width > room) {
      cut = true;
      break;
    }
    if (separate) out += kZeroWidthSpace;
    out += escaped;
    length += width;
    after_backtick = backtick;
    ++taken;
    i += code_point.size();
    if (length <= room_if_cut) cut_at = out.size();
  }
  if (cut) {
    out.resize(cut_at);
    out += kTruncated;
  } else if (out.back() == '`') {
    out += kZeroWidthSpace;
  }
  out += kFence;
  return out;
}

std::string Link(std::string_view url, std::string_view label, std::size_t most) {
  std::string name = Escape(OneLine(label), 80, "…");
  for (char& c : name) {
    if (c == '|') c = '/';
  }
  if (!url.starts_with("https://") && !url.starts_with("http://")) return name;
  if (name.empty()) name = "link";
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "<";
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (byte <= 0x20 || byte >= 0x7F || c == '|' || c == '<' || c == '>' || c == '"' || c == '`') {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '|';
  out += name;
  out += '>';
  return hsw::CodePoints(out) <= most ? out : name;
}

std::string Quote(std::string_view answer) {
  std::string quoted;
  for (const char c : hsw::CutBytes(answer, 200)) quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  return quoted.empty() ? "nothing" : "\"" + quoted + "\"";
}

std::string Duration(double seconds) {
  constexpr double kLongest = 1e9;
  if (!(seconds >= 0 && seconds <= kLongest)) return "";
  const long long s = std::llround(seconds);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m " + std::to_string(s % 60) + "s";
  return std::to_string(s / 3600) + "h " + std::to_string(s / 60 % 60) + "m";
}

std::string Date(long long unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char fallback[40] = "";
  std::strftime(fallback, sizeof fallback, "%Y-%m-%d %H:%M UTC", &utc);
  return "<!date^" + std::to_string(static_cast<long long>(seconds)) + "^{date_short_pretty} at {time}|" + fallback +
         ">";
}

}  // namespace slack
