#include "core/config/surrogate_escapes.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/base/encoding.h"

namespace hookswitch::config {
namespace {

constexpr std::uint32_t kHighStandIn = 0xE000, kLowStandIn = 0xE400, kStandInEnd = 0xE800;

// The replacement character at `at`, three bytes long; 0 if there is none.
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
    const std::uint32_t escaped = JsonEscapeAt(text, at).value_or(0);
    if (StandInAt(text, at) != 0 || (escaped >= kHighStandIn && escaped < kStandInEnd)) return true;
  }
  return false;
}

// "d83d" becomes "e03d", "dea8" "e6a8".
void Replace(std::string& text, std::size_t at) {
  text[at + 2] = 'e';
  text[at + 3] = static_cast<char>('0' + HexDigit(text[at + 3]) - 8);
}

void AppendUtf8(std::string& out, std::uint32_t c) {
  for (const std::uint32_t byte :
       {0xF0 | c >> 18, 0x80 | (c >> 12 & 0x3F), 0x80 | (c >> 6 & 0x3F), 0x80 | (c & 0x3F)}) {
    out += static_cast<char>(byte);
  }
}

}  // namespace

bool SurrogateEscapes::StandIn(std::string& text, std::size_t at) {
  if (at < kJsonEscape || !IsJsonPairAt(text, at - kJsonEscape) || (!any_ && HasOwn(text))) return false;
  any_ = true;
  for (std::size_t i = at - kJsonEscape; i < text.size() && text[i] != '"';) {
    if (IsJsonPairAt(text, i)) {
      Replace(text, i);
      Replace(text, i + kJsonEscape);
      i += 2 * kJsonEscape;
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
