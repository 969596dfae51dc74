#include "text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"

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

bool StartsCodePoint(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// Characters to drop or replace: control characters other than newline and tab, line and paragraph separators,
/// noncharacters.
bool NeedsCleaning(std::string_view text, std::size_t i) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 0x20) return c != '\n' && c != '\t';
  if (c < 0x7F || (c > 0x7F && c != 0xC2 && c != 0xE2 && c < 0xEF)) return false;
  std::size_t size = 0;
  const char32_t code_point = hsw::FirstCodePoint(text.substr(i), size);
  return hsw::IsControl(code_point) || hsw::IsNoncharacter(code_point) || code_point == 0x2028 || code_point == 0x2029;
}

std::string_view Entity(std::string_view code_point) {
  switch (code_point.front()) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    default: return code_point;
  }
}

/// The ASCII run at `i` that needs no escaping, not even in a code block (so without backticks).
std::string_view PlainAt(std::string_view text, std::size_t i) {
  std::size_t end = i;
  while (end < text.size()) {
    const char c = text[end];
    if (static_cast<unsigned char>(c) >= 0x80 || c == '&' || c == '<' || c == '>' || c == '`') break;
    ++end;
  }
  return text.substr(i, end - i);
}

/// Appends up to a limit of code points, and tracks where to cut if there is more.
class Limited {
 public:
  Limited(std::string& out, std::size_t most, std::string_view ending)
      : out_(out), ending_(ending), most_(most), most_if_cut_(most - hsw::CodePoints(ending)), cut_at_(out.size()) {}

  /// Appends one code point or its entity, with its prefix. False, without appending, if it does not fit.
  bool Add(std::string_view text, std::string_view before = {}) {
    const std::size_t width = (text.front() == '&' ? text.size() : 1) + (before.empty() ? 0 : 1);
    if (length_ + width > most_) return false;
    out_.append(before).append(text);
    length_ += width;
    if (length_ <= most_if_cut_) cut_at_ = out_.size();
    return true;
  }
  /// Appends ASCII. False if it does not fit as a whole.
  bool AddPlain(std::string_view text) {
    const std::size_t fitting = std::min(text.size(), most_ - length_);
    if (length_ < most_if_cut_) cut_at_ = out_.size() + std::min(fitting, most_if_cut_ - length_);
    out_.append(text, 0, fitting);
    length_ += fitting;
    return fitting == text.size();
  }
  /// Call once, after Add or AddPlain has returned false.
  void EndCut() {
    out_.resize(cut_at_);
    out_ += ending_;
  }

 private:
  std::string& out_;
  const std::string_view ending_;
  const std::size_t most_, most_if_cut_;
  std::size_t length_ = 0, cut_at_;
};

}  // namespace

std::string_view Clean(std::string_view text, std::string& room, std::size_t most) {
  std::size_t count = 0, i = 0;
  while (i < text.size() && !NeedsCleaning(text, i)) {
    const bool starts = StartsCodePoint(text[i]);
    if (starts && count > most) return text.substr(0, i);
    count += starts;
    ++i;
  }
  if (i == text.size()) return text;
  room.assign(text, 0, i);
  for (std::size_t size = 0; i < text.size(); i += size) {
    if (count > most) break;
    const char32_t code_point = hsw::FirstCodePoint(text.substr(i), size);
    if (!NeedsCleaning(text, i)) {
      room.append(text, i, size);
      ++count;
    } else if (code_point == '\r' ? !text.substr(i + 1).starts_with('\n')
                                  : code_point >= 0x2028 && code_point <= 0x2029) {
      room += '\n';
      ++count;
    }
  }
  return room;
}

std::string Clean(std::string_view text, std::size_t most) {
  std::string room;
  const auto clean = Clean(text, room, most);
  return clean.data() == room.data() ? std::move(room) : std::string(clean);
}

std::string_view OneLine(std::string_view text, std::string& room) {
  const bool ragged = text.starts_with(' ') || text.ends_with(' ') || text.find("  ") != std::string_view::npos ||
                      text.find_first_of("\n\t") != std::string_view::npos;
  text = Clean(text, room);
  if (!ragged && text.data() != room.data()) return text;
  std::string line;
  for (const char c : text) {
    const bool space = c == '\n' || c == '\t' || c == ' ';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  room = std::move(line);
  return room;
}

std::string OneLine(std::string_view text) {
  std::string room;
  return std::string(OneLine(text, room));
}

void AppendEscaped(std::string& out, std::string_view text, std::size_t most, std::string_view ending) {
  Limited limited(out, most, ending);
  for (std::size_t i = 0; i < text.size();) {
    const auto plain = PlainAt(text, i);
    const auto code_point = plain.empty() ? CodePointAt(text, i) : plain;
    if (!(plain.empty() ? limited.Add(Entity(code_point)) : limited.AddPlain(plain))) return limited.EndCut();
    i += code_point.size();
  }
}

std::string Escape(std::string_view text, std::size_t most, std::string_view ending) {
  std::string out;
  AppendEscaped(out, text, most, ending);
  return out;
}

std::string_view Cut(std::string_view text, std::string& room, std::size_t most, std::string_view ending) {
  if (hsw::CutCodePoints(text, most).size() == text.size()) return text;
  room = hsw::CutCodePoints(text, most - hsw::CodePoints(ending));
  room += ending;
  return room;
}

std::string Cut(std::string_view text, std::size_t most, std::string_view ending) {
  std::string room;
  return std::string(Cut(text, room, most, ending));
}

void AppendCodeBlock(std::string& out, std::string_view text, std::size_t most_text, std::size_t most) {
  out += kFence;
  Limited limited(out, most - 2 * kFence.size() - 2, kTruncated);  // one U+200B may follow each fence
  std::size_t taken = 0;
  bool after_backtick = true, fits = true;
  for (std::size_t i = 0; i < text.size() && fits;) {
    if (const auto plain = PlainAt(text, i).substr(0, most_text - taken); !plain.empty()) {
      fits = limited.AddPlain(plain);
      after_backtick = false;
      taken += plain.size();
      i += plain.size();
      continue;
    }
    const auto code_point = CodePointAt(text, i);
    const bool backtick = code_point.front() == '`';
    fits = taken < most_text && limited.Add(Entity(code_point), backtick && after_backtick ? kZeroWidthSpace : "");
    after_backtick = backtick;
    ++taken;
    i += code_point.size();
  }
  if (!fits) {
    limited.EndCut();
  } else if (out.back() == '`') {
    out += kZeroWidthSpace;
  }
  out += kFence;
}

void AppendUrl(std::string& out, std::string_view url, std::string_view ampersand) {
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      out += ampersand;
    } else if (byte <= 0x20 || byte >= 0x7F || c == '|' || c == '<' || c == '>' || c == '"' || c == '`') {
      hsw::AppendEscapedByte(out, '%', c);
    } else {
      out += c;
    }
  }
}

void AppendLink(std::string& out, std::string_view url, std::string_view label, std::size_t most) {
  std::string room;
  std::string name = Escape(OneLine(label, room), 80, "…");
  std::replace(name.begin(), name.end(), '|', '/');
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    out += name;
    return;
  }
  if (name.empty()) name = "link";
  const std::size_t begin = out.size();
  out += '<';
  AppendUrl(out, url, "&amp;");
  out += '|';
  out += name;
  out += '>';
  if (hsw::CodePoints(std::string_view(out).substr(begin)) > most) out.replace(begin, std::string::npos, name);
}

bool IsErrorWord(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return !text.empty() && text.size() <= 60 && text.find_first_not_of(kAllowed) == std::string_view::npos;
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

void AppendDate(std::string& out, long long unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char fallback[40] = "";
  std::strftime(fallback, sizeof fallback, "%Y-%m-%d %H:%M UTC", &utc);
  out.append("<!date^").append(std::to_string(static_cast<long long>(seconds)));
  out.append("^{date_short_pretty} at {time}|").append(fallback).append(1, '>');
}

}  // namespace slack
