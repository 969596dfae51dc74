#include "core/base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace hookswitch {
namespace {

using Bytes4 = std::array<std::uint8_t, 4>;
using Bytes16 = std::array<std::uint8_t, 16>;

constexpr std::uint32_t V4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

bool IsPublic(const Bytes4& bytes) {
  struct Block {
    std::uint32_t first;
    int bits;
  };
  static constexpr Block kSpecial[] = {
      {V4(0, 0, 0, 0), 8},      {V4(10, 0, 0, 0), 8},     {V4(100, 64, 0, 0), 10}, {V4(127, 0, 0, 0), 8},
      {V4(169, 254, 0, 0), 16}, {V4(172, 16, 0, 0), 12},  {V4(192, 0, 0, 0), 24},  {V4(192, 0, 2, 0), 24},
      {V4(192, 88, 99, 0), 24}, {V4(192, 168, 0, 0), 16}, {V4(198, 18, 0, 0), 15}, {V4(198, 51, 100, 0), 24},
      {V4(203, 0, 113, 0), 24}, {V4(224, 0, 0, 0), 3},
  };
  const std::uint32_t address = V4(bytes[0], bytes[1], bytes[2], bytes[3]);
  return std::none_of(std::begin(kSpecial), std::end(kSpecial),
                      [&](const Block& block) { return (address ^ block.first) >> (32 - block.bits) == 0; });
}

bool StartsWith(const Bytes16& bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool IsPublic(const Bytes16& bytes) {
  const Bytes4 last = {bytes[12], bytes[13], bytes[14], bytes[15]};
  if (StartsWith(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return IsPublic(last);     // IPv4-mapped
  if (StartsWith(bytes, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return IsPublic(last);  // NAT64
  if ((bytes[0] & 0xE0) != 0x20) return false;                                                  // 2000::/3 is global
  if (StartsWith(bytes, {0x20, 0x01}) && bytes[2] < 2) return false;                            // 2001::/23, Teredo
  if (StartsWith(bytes, {0x20, 0x01, 0x0D, 0xB8}) || StartsWith(bytes, {0x3F, 0xFF})) return false;  // documentation
  return !StartsWith(bytes, {0x20, 0x02});                                                           // 6to4
}

constexpr std::initializer_list<std::uint8_t> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

std::optional<IpAddress> ParseIpAddress(std::string_view text) {
  const std::string name(text);
  IpAddress address;
  for (const auto& [family, size] : {std::pair{AF_INET, 4U}, std::pair{AF_INET6, 16U}}) {
    if (inet_pton(family, name.c_str(), address.bytes.data()) != 1) continue;
    address.size = size;
    return address;
  }
  return {};
}

std::optional<IpAddress> IpAddressOf(const sockaddr& socket) {
  IpAddress address;
  if (socket.sa_family == AF_INET) {
    address.size = 4;
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in&>(socket).sin_addr, address.size);
  } else if (socket.sa_family == AF_INET6) {
    address.size = 16;
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(socket).sin6_addr, address.size);
  } else {
    return {};
  }
  return address;
}

IpAddress Unmapped(const IpAddress& address) {
  if (address.size != 16 || !StartsWith(address.bytes, kMapped)) return address;
  IpAddress v4;
  v4.size = 4;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), v4.bytes.begin());
  return v4;
}

std::string ToText(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.size == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

std::string ToText(const sockaddr& socket) {
  const auto address = IpAddressOf(socket);
  return address ? ToText(*address) : "";
}

bool IsPublicAddress(const IpAddress& address) {
  if (address.size == 16) return IsPublic(address.bytes);
  return IsPublic(Bytes4{address.bytes[0], address.bytes[1], address.bytes[2], address.bytes[3]});
}

bool IsPublicAddress(const sockaddr& socket) {
  const auto address = IpAddressOf(socket);
  return address && IsPublicAddress(*address);
}

bool IsPublicAddress(std::string_view text) {
  const auto address = ParseIpAddress(text.substr(0, text.find('%')));
  return address && IsPublicAddress(*address);
}

}  // namespace hookswitch
