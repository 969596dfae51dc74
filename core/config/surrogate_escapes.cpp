#include "core/config/surrogate_escapes.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace hookswitch::config {
namespace {

constexpr std::size_t kEscape = 6;  // \uXXXX
constexpr std::uint32_t kHigh = 0xD800, kLow = 0xDC00, kEnd = 0xE000, kHighStandIn = 0xE000, kLowStandIn = 0xE400,
                        kStandInEnd = 0xE800;

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What the escape at `at` stands for; 0 if there is none.
std::uint32_t EscapeAt(std::string_view text, std::size_t at) {
  if (at + kEscape > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  std::uint32_t value = 0;
  for (std::size_t i = at + 2; i < at + kEscape; ++i) {
    const int digit = DigitOf(text[i]);
    if (digit < 0) return 0;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

bool IsPair(std::string_view text, std::size_t at) {
  const std::uint32_t first = EscapeAt(text, at);
  const std::uint32_t second = EscapeAt(text, at + kEscape);
  return first >= kHigh && first < kLow && second >= kLow && second < kEnd;
}

// The character of three bytes at `at`, if it is one that a stand-in becomes; else 0.
std::uint32_t StandInAt(std::string_view text, std::size_t at) {
  if (at + 3 > text.size() || text[at] != '\xEE') return 0;
  const auto low = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]) & 0x3F);
  };
  const std::uint32_t value = kHighStandIn | low(at + 1) << 6 | low(at + 2);
  return value < kStandInEnd ? value : 0;
}

bool HasOwn(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint32_t escaped = EscapeAt(text, at);
    if (StandInAt(text, at) != 0 || (escaped >= kHighStandIn && escaped < kStandInEnd)) return true;
  }
  return false;
}

// "d83d" becomes "e03d", "dea8" "e6a8".
void Replace(std::string& text, std::size_t at) {
  text[at + 2] = 'e';
  text[at + 3] = static_cast<char>('0' + DigitOf(text[at + 3]) - 8);
}

void AppendUtf8(std::string& out, std::uint32_t c) {
  for (const std::uint32_t byte :
       {0xF0 | c >> 18, 0x80 | (c >> 12 & 0x3F), 0x80 | (c >> 6 & 0x3F), 0x80 | (c & 0x3F)}) {
    out += static_cast<char>(byte);
  }
}

}  // namespace

bool SurrogateEscapes::StandIn(std::string& text, std::size_t at) {
  if (at < kEscape || !IsPair(text, at - kEscape) || (!any_ && HasOwn(text))) return false;
  any_ = true;
  for (std::size_t i = at - kEscape; i < text.size() && text[i] != '"';) {
    if (IsPair(text, i)) {
      Replace(text, i);
      Replace(text, i + kEscape);
      i += 2 * kEscape;
    } else {
      i += text[i] == '\\' ? 2 : 1;
    }
  }
  return true;
}

std::string SurrogateEscapes::Restore(const std::string& read) const {
  if (!any_) return read;
  std::string meant;
  for (std::size_t at = 0; at < read.size();) {
    const std::uint32_t first = StandInAt(read, at), second = StandInAt(read, at + 3);
    if (first != 0 && first < kLowStandIn && second >= kLowStandIn) {
      AppendUtf8(meant, 0x10000 + ((first - kHighStandIn) << 10) + (second - kLowStandIn));
      at += 6;
    } else {
      meant += read[at++];
    }
  }
  return meant;
}

}  // namespace hookswitch::config
