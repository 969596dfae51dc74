#include "helo.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>

namespace email {
namespace {

bool IsFullName(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  const auto dot = name.find('.');
  return plain && dot != std::string_view::npos && dot > 0 && dot + 1 < name.size() && !name.starts_with("localhost");
}

/// The full name next to `host` in /etc/hosts: "127.0.1.1 mail.example.com mail", as on Debian.
std::string FullNameOf(const std::string& host) {
  std::ifstream file("/etc/hosts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address, name, full;
    bool is_host = false;
    words >> address;
    while (words >> name) {
      is_host = is_host || name == host;
      if (full.empty() && IsFullName(name)) full = name;
    }
    if (is_host && !full.empty()) return full;
  }
  return "";
}

/// The first address of an interface that is up, other than loopback; IPv4 before IPv6.
std::string OwnAddress() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* one = all; one; one = one->ifa_next) {
      if (!one->ifa_addr || one->ifa_addr->sa_family != family) continue;
      if (!(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK)) continue;
      std::array<char, INET6_ADDRSTRLEN> text{};
      if (family == AF_INET) {
        const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
        ::inet_ntop(family, &address->sin_addr, text.data(), text.size());
        return text.data();
      }
      const auto* address = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) continue;
      ::inet_ntop(family, &address->sin6_addr, text.data(), text.size());
      return std::string("IPv6:") + text.data();
    }
  }
  return "";
}

}  // namespace

std::string DefaultHelo() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  const std::string host = name.data();
  if (IsFullName(host)) return host;
  if (const auto full = FullNameOf(host); !full.empty()) return full;
  const auto address = OwnAddress();
  return "[" + (address.empty() ? "127.0.0.1" : address) + "]";
}

}  // namespace email
