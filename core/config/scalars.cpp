#include "core/config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/ip_address.h"
#include "core/base/text.h"

namespace hookswitch::config {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHostName(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
  });
}

// Reads up to three digits, no leading zeros.
std::optional<int> ParseSmall(std::string_view text, int most) {
  const auto number = ParseInteger(text);
  if (!number || *number < 0 || *number > most) return {};
  return static_cast<int>(*number);
}

std::optional<int> ParseDay(std::string_view name) {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto it = std::find(kDays.begin(), kDays.end(), ToLower(name));
  if (it == kDays.end()) return {};
  return static_cast<int>(it - kDays.begin());
}

std::optional<int> ParseClock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':' || !IsDigit(text[0]) || !IsDigit(text[1]) || !IsDigit(text[3]) ||
      !IsDigit(text[4])) {
    return {};
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour > 24 || (hour == 24 && minute != 0)) return {};
  return hour * 60 + minute;
}

}  // namespace

std::optional<Listen> ParseListen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view host = text.substr(0, colon);
  const auto port = ParseSmall(text.substr(colon + 1), 65535);
  if (!port) return {};
  if (host.empty()) {
    host = "0.0.0.0";
  } else if (host.front() == '[') {
    if (host.back() != ']') return {};
    host = host.substr(1, host.size() - 2);
    if (const auto address = ParseIpAddress(host); !address || address->size != 16) return {};
  } else if (!IsHostName(host)) {
    return {};
  } else if (host.find_first_not_of("0123456789.") == std::string_view::npos && !ParseIpAddress(host)) {
    return {};
  }
  return Listen{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::optional<Listen> ParseUnixSocket(std::string_view text) {
  constexpr std::string_view kStart = "unix:/";
  constexpr std::size_t kLongestPath = 107;
  const bool fits = text.starts_with(kStart) && text.size() > kStart.size() && !text.ends_with('/') &&
                    text.size() <= kStart.size() - 1 + kLongestPath && text.find('\0') == std::string_view::npos;
  if (!fits) return {};
  return Listen{std::string(text), 0};
}

bool IsLoopback(std::string_view host) {
  if (EqualsIgnoreCase(host, "localhost")) return true;
  const auto address = ParseIpAddress(host);
  if (!address) return false;
  if (address->size == 4) return address->bytes.front() == 127;
  return *address == *ParseIpAddress("::1");
}

std::optional<Network> ParseNetwork(std::string_view text) {
  const auto slash = text.find('/');
  auto address = ParseIpAddress(text.substr(0, slash));
  if (!address) return {};
  const auto all_bits = [&] { return static_cast<int>(address->size * 8); };
  int bits = all_bits();
  if (slash != std::string_view::npos) {
    const auto prefix = ParseSmall(text.substr(slash + 1), bits);
    if (!prefix) return {};
    bits = *prefix;
  }
  if (const IpAddress unmapped = Unmapped(*address); bits >= 96 && unmapped != *address) {
    address = unmapped;
    bits -= 96;
  }
  for (int bit = bits; bit < all_bits(); ++bit) {
    if ((address->bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0) return {};
  }
  return Network{std::string(text), *address, bits};
}

std::optional<Money> ParseMoney(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view currency = text.substr(space + 1);
  if (currency.size() != 3 ||
      !std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return {};
  }
  const std::string_view digits = text.substr(0, space);
  const auto amount = ParseNumber(digits);
  if (!amount || digits.front() == '-' || *amount > 1e12) return {};
  if (const auto point = digits.find('.'); point != std::string_view::npos && digits.size() - point - 1 > 6) return {};
  return Money{*amount, std::string(currency)};
}

std::optional<std::uint8_t> ParseDays(std::string_view text) {
  unsigned days = 0;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view part = Trim(text.substr(0, comma));
    const auto dash = part.find('-');
    const auto first = ParseDay(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseDay(part.substr(dash + 1));
    if (!first || !last) return {};
    for (int day = *first;; day = (day + 1) % 7) {
      days |= 1u << day;
      if (day == *last) break;
    }
    if (comma == std::string_view::npos) return static_cast<std::uint8_t>(days);
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::pair<int, int>> ParseHours(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const auto from = ParseClock(text.substr(0, dash));
  const auto to = ParseClock(text.substr(dash + 1));
  if (!from || !to || *from == 24 * 60) return {};
  return std::pair(*from, *to);
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return {};
  if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return {};
  std::int64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return {};
  return number;
}

std::optional<double> ParseNumber(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const auto point = digits.find('.');
  const std::string_view whole = digits.substr(0, point);
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0') || !std::all_of(whole.begin(), whole.end(), IsDigit))
    return {};
  if (point != std::string_view::npos) {
    const std::string_view rest = digits.substr(point + 1);
    if (rest.empty() || !std::all_of(rest.begin(), rest.end(), IsDigit)) return {};
  }
  double number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed).ec != std::errc())
    return {};
  return number;
}

}  // namespace hookswitch::config
