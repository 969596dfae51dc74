#include "core/base/encoding.h"

#include <gtest/gtest.h>

namespace hookswitch {
namespace {

TEST(Base64, IsThatOfRfc4648) {  // section 10
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64(bytes), text);
    EXPECT_EQ(FromBase64(text), bytes);
    EXPECT_EQ(FromBase64(Base64Url(bytes)), bytes);
  }
}

TEST(Base64, ForUrlsHasNoPaddingAndItsOwnTwoLetters) {
  const std::string bytes = "\xFB\xEF\xFF\xFE";
  EXPECT_EQ(Base64(bytes), "++///g==");
  EXPECT_EQ(Base64Url(bytes), "--___g");
  EXPECT_EQ(FromBase64("--___g"), bytes);
}

TEST(Base64, WhatIsNoneHasNoBytes) {
  for (const char* text : {"Z", "Zg=", "Zg===", "Z g=", "Zg==\n", "Zg==Zg==", "Zm9?"}) {
    EXPECT_FALSE(FromBase64(text)) << text;
  }
}

TEST(Hex, HasTwoDigitsForEachByte) {
  EXPECT_EQ(Hex(std::string_view("\0\x7F\xFF", 3)), "007fff");
  std::string out = "\\u";
  AppendHex(out, 0x202E, 4);
  EXPECT_EQ(out, "\\u202e");
  EXPECT_EQ(HexDigit('f'), 15);
  EXPECT_EQ(HexDigit('F'), 15);
  EXPECT_EQ(HexDigit('g'), -1);
}

TEST(Hex, IsReadBackInEitherCase) {
  EXPECT_EQ(FromHex("007fFF"), std::string("\0\x7F\xFF", 3));
  EXPECT_EQ(FromHex(""), "");
  for (const char* none : {"0", "0g", " 0", "00 "}) EXPECT_FALSE(FromHex(none)) << none;
}

TEST(JsonEscapes, AreReadWhereTheyStand) {
  EXPECT_EQ(JsonEscapeAt("x\\u00e9", 1), 0xE9U);
  for (const char* none : {"\\u00e", "\\x0041", "u00e9", "\\u00g9", ""}) EXPECT_FALSE(JsonEscapeAt(none, 0)) << none;
  EXPECT_FALSE(JsonEscapeAt("short", 9));
  EXPECT_TRUE(IsJsonPairAt("\\ud83d\\udea8", 0));
  for (const char* none : {"\\ud83d", "\\udea8\\ud83d", "\\ud83dx\\udea8", "\\u0041\\udea8"}) {
    EXPECT_FALSE(IsJsonPairAt(none, 0)) << none;
  }
}

TEST(PercentEncoding, IsUndoneWhereItIsWhole) {
  EXPECT_EQ(PercentDecoded("a%20b%2f+%"), "a b/+%");
  EXPECT_EQ(PercentDecoded("%zz%4"), "%zz%4");
  EXPECT_EQ(PercentEncoded("/a b", "/"), "/a%20b");
}

TEST(PercentEncoding, LeavesUnreservedCharactersOnly) {
  EXPECT_EQ(PercentEncoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncoded("a b/\xC3\xA9*"), "a%20b%2F%C3%A9%2A");
}

TEST(PercentEncoding, IsStrictlyUndoneOnlyWithoutBrokenEscapesAndNuls) {
  std::string text;
  EXPECT_TRUE(PercentDecodeStrict("a%20b%2F+", false, text));
  EXPECT_EQ(text, "a b/+");
  EXPECT_TRUE(PercentDecodeStrict("a+%2b", true, text));
  EXPECT_EQ(text, "a +");
  for (const char* broken : {"%", "%4", "a%zz", "%4g", "%00"}) {
    EXPECT_FALSE(PercentDecodeStrict(broken, false, text)) << broken;
  }
}

TEST(FormEncoding, KeepsStarsAndMakesSpacesPluses) {
  EXPECT_EQ(FormEncoded("a b~*&="), "a+b%7E*%26%3D");
}

}  // namespace
}  // namespace hookswitch
