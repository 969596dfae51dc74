#pragma once
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hookswitch {

/// An IPv4 or IPv6 address.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< 0 from `size` on
  std::size_t size = 0;                  ///< 4 or 16
  bool operator==(const IpAddress&) const = default;
};

/// Reads "192.0.2.7", "2001:db8::1". Empty for anything else.
std::optional<IpAddress> ParseIpAddress(std::string_view text);
/// Empty for a socket of another family.
std::optional<IpAddress> IpAddressOf(const sockaddr& address);
/// Converts ::ffff:192.0.2.7 to 192.0.2.7; returns others unchanged.
IpAddress Unmapped(const IpAddress& address);
std::string ToText(const IpAddress& address);
/// "192.0.2.7", or "" for a socket of another family.
std::string ToText(const sockaddr& address);

/// True for a globally routable address: not loopback, private, link-local, shared, reserved, multicast or for
/// documentation (IANA's special-purpose registries), nor an IPv6 form of such an IPv4 address.
bool IsPublicAddress(const IpAddress& address);
bool IsPublicAddress(const sockaddr& address);
/// For texts like "192.0.2.7", "2001:db8::1" or "fe80::1%eth0"; false if `address` is not an IP address.
bool IsPublicAddress(std::string_view address);

}  // namespace hookswitch
