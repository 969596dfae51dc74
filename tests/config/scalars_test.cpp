#include "core/config/scalars.h"

#include <gtest/gtest.h>

namespace hookswitch::config {
namespace {

IpAddress Ip(std::string_view text) {
  return *ParseIpAddress(text);
}

TEST(ParseListen, TakesHostsAndPorts) {
  EXPECT_EQ(ParseListen("0.0.0.0:8000"), (Listen{"0.0.0.0", 8000}));
  EXPECT_EQ(ParseListen("[::1]:0"), (Listen{"::1", 0}));
  EXPECT_EQ(ParseListen("localhost:65535"), (Listen{"localhost", 65535}));
  EXPECT_EQ(ParseListen(":8000"), (Listen{"0.0.0.0", 8000}));
  for (const char* bad : {"", ":", "8000", "x", "x:", "x:65536", "x:-1", "x:080", "::1:80", "[::1]", "[::1",
                          "[1.2.3.4]:1", "[]:1", "1.2.3:80", "256.1.1.1:80", "a b:1", "http://x:1"}) {
    EXPECT_FALSE(ParseListen(bad)) << bad;
  }
}

TEST(IsLoopback, KnowsThisMachine) {
  for (const char* host : {"127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost"})
    EXPECT_TRUE(IsLoopback(host)) << host;
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "example.com", "", "128.0.0.1"})
    EXPECT_FALSE(IsLoopback(host)) << host;
}

TEST(ParseNetwork, TakesAddressesAndPrefixes) {
  EXPECT_EQ(ParseNetwork("10.0.0.0/8"), (Network{"10.0.0.0/8", Ip("10.0.0.0"), 8}));
  EXPECT_EQ(ParseNetwork("192.0.2.7"), (Network{"192.0.2.7", Ip("192.0.2.7"), 32}));
  EXPECT_EQ(ParseNetwork("0.0.0.0/0"), (Network{"0.0.0.0/0", Ip("0.0.0.0"), 0}));
  EXPECT_EQ(ParseNetwork("::ffff:10.0.0.0/104"), (Network{"::ffff:10.0.0.0/104", Ip("10.0.0.0"), 8}));
  EXPECT_EQ(ParseNetwork("2001:db8::/32")->bits, 32);
  for (const char* bad :
       {"", "/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0", "::/129", "x/1", "::g"}) {
    EXPECT_FALSE(ParseNetwork(bad)) << bad;
  }
}

TEST(ParseMoney, NeedsAnAmountAndACurrency) {
  EXPECT_EQ(ParseMoney("2.50 USD")->amount, 2.5);
  EXPECT_EQ(ParseMoney("0 INR")->currency, "INR");
  for (const char* bad : {"", "2.50", "USD", "2.50USD", "2.50  USD", "-1 USD", "2. USD", ".5 USD", "2.1234567 USD",
                          "1e3 USD", "2 usd", "2 USDT", "02 USD", "9999999999999 USD"}) {
    EXPECT_FALSE(ParseMoney(bad)) << bad;
  }
}

TEST(ParseDays, TakesDaysListsAndWrappingRanges) {
  EXPECT_EQ(ParseDays("mon"), 0b0000001);
  EXPECT_EQ(ParseDays("mon-fri"), 0b0011111);
  EXPECT_EQ(ParseDays("sat-mon"), 0b1100001);
  EXPECT_EQ(ParseDays("Sat, sun"), 0b1100000);
  for (const char* bad : {"", "monday", "mon-", "-mon", "mon--fri", "mon,,tue", "1-5"})
    EXPECT_FALSE(ParseDays(bad)) << bad;
}

TEST(ParseHours, TakesClockTimes) {
  EXPECT_EQ(ParseHours("09:00-18:30"), std::pair(540, 1110));
  EXPECT_EQ(ParseHours("22:00-06:00"), std::pair(1320, 360));
  EXPECT_EQ(ParseHours("00:00-24:00"), std::pair(0, 1440));
  for (const char* bad :
       {"", "9:00-18:00", "09:00", "24:00-01:00", "09:60-10:00", "25:00-26:00", "09:00 - 10:00", "09:00-24:01"}) {
    EXPECT_FALSE(ParseHours(bad)) << bad;
  }
}

TEST(ParseInteger, GuessesNothing) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("-12"), -12);
  for (const char* bad : {"", "-", "010", "+1", "1.0", "1e3", "0x10", "1_000", " 1", "99999999999999999999"}) {
    EXPECT_FALSE(ParseInteger(bad)) << bad;
  }
}

TEST(ParseNumber, TakesDecimals) {
  EXPECT_EQ(ParseNumber("0.5"), 0.5);
  EXPECT_EQ(ParseNumber("-2"), -2);
  for (const char* bad : {"", ".5", "5.", "1e3", "inf", "nan", "0x1", "00.5", "1,5"})
    EXPECT_FALSE(ParseNumber(bad)) << bad;
}

}  // namespace
}  // namespace hookswitch::config
