// What the host does for plugins, as C and as C++ ask for it.
#include "core/plugins/tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "hookswitch/sink.hpp"

namespace hookswitch::plugins {
namespace {

const hsw::Tools kTools(HostTools());

TEST(Tools, WriteAsSnprintfDoes) {
  const hsw_tools& c = *HostTools();
  std::array<char, 5> out{};
  EXPECT_EQ(c.encode(HSW_BASE64, hsw::Str("foobar"), out.data(), out.size()), 8U);
  EXPECT_STREQ(out.data(), "Zm9v");
  EXPECT_EQ(c.encode(HSW_BASE64, hsw::Str("foobar"), nullptr, 0), 8U);
  EXPECT_EQ(c.encode(99, hsw::Str("foobar"), out.data(), out.size()), HSW_NONE);
  EXPECT_STREQ(out.data(), "");
  EXPECT_EQ(c.encode(HSW_HEX, {nullptr, 0}, out.data(), out.size()), 0U);
}

TEST(Tools, EncodeTextsOfAnyLength) {
  EXPECT_EQ(kTools.Base64("\xFB\xEF\xFF\xFE"), "++///g==");
  EXPECT_EQ(kTools.Base64Url("\xFB\xEF\xFF\xFE"), "--___g");
  EXPECT_EQ(kTools.Percent("a b~*"), "a%20b~%2A");
  EXPECT_EQ(kTools.Form("a b~*"), "a+b%7E*");
  EXPECT_EQ(kTools.Hex(std::string_view("\0\xFF", 2)), "00ff");
  for (const std::size_t size : {0U, 59U, 60U, 61U, 100'000U}) {
    const std::string bytes(size, '\xFE');
    EXPECT_EQ(kTools.Hex(bytes).size(), 2 * size);
    EXPECT_EQ(kTools.FromBase64(kTools.Base64(bytes)), bytes);
    EXPECT_EQ(kTools.FromBase64(kTools.Base64Url(bytes)), bytes);
  }
  EXPECT_FALSE(kTools.FromBase64("not base64"));
}

TEST(Tools, HmacIsThatOfTheRfcs) {  // RFC 2202 and RFC 4231, test case 2
  const std::string_view key = "Jefe", text = "what do ya want for nothing?";
  EXPECT_EQ(kTools.Hex(kTools.HmacSha1(key, text)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(kTools.Hex(kTools.HmacSha256(key, text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      kTools.Hex(kTools.HmacSha512(key, text)),
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b"
      "4b636e070a38bce737");
  EXPECT_EQ(kTools.HmacSha256("", "").size(), 32U);
  EXPECT_EQ(HostTools()->hmac(9, {nullptr, 0}, {nullptr, 0}, nullptr, 0), HSW_NONE);
}

TEST(Tools, UtcTextIsRfc3339) {
  EXPECT_EQ(kTools.UtcText(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(kTools.UtcText(1'772'614'923'114), "2026-03-04T09:02:03.114Z");
  EXPECT_EQ(kTools.UtcText(std::numeric_limits<std::int64_t>::max()), "");
  EXPECT_EQ(kTools.UtcText(std::numeric_limits<std::int64_t>::min()), "");
}

TEST(Tools, TheJsonWriterPutsWhatCAsks) {
  const hsw_tools& c = *HostTools();
  hsw_json* json = c.json_new();
  c.json_object(json);
  c.json_key(json, hsw::Str("a\"b"));
  c.json_string(json, hsw::Str("x\n\xFF"));
  c.json_key(json, hsw::Str("list"));
  c.json_array(json);
  c.json_integer(json, -5);
  c.json_number(json, 73.5);
  c.json_number(json, std::numeric_limits<double>::infinity());
  c.json_bool(json, 2);
  c.json_null(json);
  c.json_raw(json, hsw::Str("{\"r\":1}"));
  c.json_object(json);
  c.json_end(json);
  c.json_end(json);
  c.json_key(json, hsw::Str("last"));
  c.json_bool(json, 0);
  c.json_end(json);
  EXPECT_EQ(hsw::View(c.json_text(json)),
            "{\"a\\\"b\":\"x\\n\xEF\xBF\xBD\",\"list\":[-5,73.5,null,true,null,{\"r\":1},{}],\"last\":false}");
  c.json_free(json);
}

TEST(Tools, TheJsonWriterLeavesOutWhatStandsWhereNothingMay) {
  const hsw_tools& c = *HostTools();
  hsw_json* json = c.json_new();
  c.json_end(json);
  c.json_key(json, hsw::Str("no object"));
  c.json_object(json);
  c.json_null(json);  // no key
  c.json_key(json, hsw::Str("a"));
  c.json_key(json, hsw::Str("b"));  // a has no value yet
  c.json_end(json);
  c.json_integer(json, 2);  // behind the end
  EXPECT_EQ(hsw::View(c.json_text(json)), "{\"a\":null}");
  c.json_free(json);
  c.json_free(nullptr);
  c.json_integer(nullptr, 1);
  EXPECT_EQ(c.json_text(nullptr).size, 0U);
}

}  // namespace
}  // namespace hookswitch::plugins
