#pragma once
#include <sys/socket.h>

#include <string>
#include <string_view>

namespace hookswitch {

/// True for an address that anybody on the Internet may have: not loopback, private, link-local, shared, reserved,
/// multicast or for documentation (IANA's special-purpose registries), nor an IPv6 form of such an IPv4 address.
bool IsPublicAddress(const sockaddr& address);
/// The same for "192.0.2.7" or "2001:db8::1"; false for what is neither.
bool IsPublicAddress(std::string_view address);

/// "192.0.2.7", or "" for what is neither IPv4 nor IPv6.
std::string ToText(const sockaddr& address);

}  // namespace hookswitch
