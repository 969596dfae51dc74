#include "core/base/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

namespace hookswitch {
namespace {

TEST(PublicAddress, WhatAnybodyMayHaveIsPublic) {
  for (const char* address :
       {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
        "172.32.0.0", "192.167.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111",
        "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"}) {
    EXPECT_TRUE(IsPublicAddress(std::string_view(address))) << address;
  }
}

TEST(PublicAddress, WhatLeadsInsideOrNowhereIsNot) {
  for (const char* address : {"0.0.0.0",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.0.1",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.0.2.1",
                              "192.168.0.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "203.0.113.7",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fe80::1",
                              "fe80::1%lo",
                              "fc00::1",
                              "fd00::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::a00:1",
                              "2001::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "",
                              "localhost",
                              "1.2.3",
                              "010.0.0.1"}) {
    EXPECT_FALSE(IsPublicAddress(std::string_view(address))) << address;
  }
}

TEST(PublicAddress, OfASocketToo) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  inet_pton(AF_INET, "169.254.169.254", &v4.sin_addr);
  EXPECT_FALSE(IsPublicAddress(reinterpret_cast<const sockaddr&>(v4)));
  EXPECT_EQ(ToText(reinterpret_cast<const sockaddr&>(v4)), "169.254.169.254");
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "2606:4700::1111", &v6.sin6_addr);
  EXPECT_TRUE(IsPublicAddress(reinterpret_cast<const sockaddr&>(v6)));
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(IsPublicAddress(other));
  EXPECT_EQ(ToText(other), "");
}

}  // namespace
}  // namespace hookswitch
