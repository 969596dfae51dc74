#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/config/config.h"

/// Parsers of scalars. All return empty for anything but the form they describe.
namespace hookswitch::config {

/// "0.0.0.0:8000", "[::1]:0", "localhost:8000", ":8000" (every IPv4 address). The host loses its brackets.
std::optional<Listen> ParseListen(std::string_view text);
/// "unix:/run/hookswitch/admin.sock": an absolute path of at most 107 bytes (unix(7)).
std::optional<Listen> ParseUnixSocket(std::string_view text);
/// True for 127.0.0.0/8, ::1 and localhost.
bool IsLoopback(std::string_view host);

/// "10.0.0.0/8", "192.0.2.7", "2001:db8::/32". Bits below the prefix must be zero.
std::optional<Network> ParseNetwork(std::string_view text);

/// "2.50 USD": digits, at most 6 decimals, one space, an ISO 4217 code.
std::optional<Money> ParseMoney(std::string_view text);

/// "mon-fri", "sat,sun", "mon" as Window::days; ranges may wrap ("sat-mon").
std::optional<std::uint8_t> ParseDays(std::string_view text);
/// "09:00-18:00" as minutes of the day; "24:00" may end it.
std::optional<std::pair<int, int>> ParseHours(std::string_view text);

/// A whole number such as 42 or -1; no "+", leading zeros, underscores or exponents.
std::optional<std::int64_t> ParseInteger(std::string_view text);
/// A decimal number such as 0.5 or -2; no exponent, no "inf".
std::optional<double> ParseNumber(std::string_view text);

}  // namespace hookswitch::config
