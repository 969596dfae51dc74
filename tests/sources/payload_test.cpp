#include "core/sources/payload.h"

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/sources/section.h"

namespace hookswitch::payload {
namespace {

std::string ErrorOf(std::string_view text) {
  Document document;
  const auto parsed = document.Parse(text);
  return parsed ? "" : parsed.error().message;
}

std::string MemberOf(std::string_view text, std::string_view key) {
  Document document;
  const auto parsed = document.Parse(text);
  return parsed ? Text(Find((*parsed)->if_object(), key)) : parsed.error().message;
}

TEST(Payload, ABrokenTextNamesThePlaceAndTheFault) {
  EXPECT_EQ(ErrorOf(""), "line 1, column 1: the body is empty");
  EXPECT_EQ(ErrorOf("{\"id\": \"a\",\n  \"status\" \"busy\"}"), "line 2, column 12: not JSON");
  EXPECT_EQ(ErrorOf(R"({"id": "a")"), "line 1, column 11: the JSON ends too early");
  EXPECT_EQ(ErrorOf(R"({} {})"), "line 1, column 4: more text after the end of the JSON");
  EXPECT_EQ(ErrorOf("{\"id\": \"caf\xE9 noir}"), "line 1, column 12: not UTF-8");
  EXPECT_EQ(ErrorOf(R"({"id": NaN, "a"})"), "line 1, column 8: not JSON");
  EXPECT_EQ(ErrorOf(R"({"id": Nan})"), "line 1, column 8: not JSON");
}

TEST(Payload, WhatSomeSendersWriteForJsonIsReadAndSaid) {
  struct Case {
    std::string text, value, mended;
  };
  for (const Case& one : std::initializer_list<Case>{
           {R"({"a": "x"})", "x", ""},
           {"{\"a\": \"caf\xE9 noir\"}", "caf\xEF\xBF\xBD noir", "bytes that are no UTF-8 were read as U+FFFD"},
           {R"({"a": NaN, "b": -Infinity, "c": [Infinity]})", "", "NaN or Infinity was read as null"},
           {R"({"a": "NaN and \"Infinity\"", "b": NaN})", "NaN and \"Infinity\"", "NaN or Infinity was read as null"},
           {R"({"a": "\ud83d"})", "\xEF\xBF\xBD", "half of a character was read as U+FFFD"},
           {"{\"a\": \"\xFF\", \"b\": NaN}", "\xEF\xBF\xBD",
            "bytes that are no UTF-8 were read as U+FFFD; NaN or Infinity was read as null"}}) {
    Document document;
    const auto parsed = document.Parse(one.text);
    ASSERT_TRUE(parsed) << one.text;
    EXPECT_EQ(Text(Find((*parsed)->if_object(), "a")), one.value);
    EXPECT_EQ(document.mended(), one.mended);
  }
}

TEST(Payload, KnowsWhatPlatformsPostToTryAUrl) {
  for (const char* test : {"{}", R"({"ping": true})", R"({"test": 1})", R"({"event": "ping", "timestamp": 1700000000})",
                           R"({"type": "test", "message": "Hello"})"}) {
    Document document;
    EXPECT_TRUE(IsTestOfAHook(*(*document.Parse(test))->if_object())) << test;
  }
  for (const char* other : {R"({"id": null})", R"({"ping": true, "status": "completed"})", R"({"Ping": true})"}) {
    Document document;
    EXPECT_FALSE(IsTestOfAHook(*(*document.Parse(other))->if_object())) << other;
  }
}

TEST(Payload, ColumnsCountCharacters) {
  EXPECT_EQ(ErrorOf("[\"\xC3\xA9\xC3\xA9\" x]"), "line 1, column 7: not JSON");
}

TEST(Payload, DepthIsLimited) {
  EXPECT_EQ(ErrorOf(std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_EQ(ErrorOf(std::string(33, '[') + std::string(33, ']')), "line 1, column 33: nested deeper than 32 levels");
}

TEST(Payload, MembersOfOneObjectAreLimited) {
  std::string members;
  for (int i = 0; i < 1023; ++i) members += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(ErrorOf("{" + members + "\"last\":1}"), "");
  EXPECT_NE(ErrorOf("{" + members + "\"last\":1,\"over\":2}").find("an object of more than 1024 members"),
            std::string::npos);
}

TEST(Payload, FractionsAreTheNearestToWhatIsWritten) {
  EXPECT_EQ(MemberOf(R"({"a":0.12345678901234568})", "a"), "0.12345678901234568");
  EXPECT_EQ(MemberOf(R"({"a":23.308445025757262})", "a"), "23.308445025757262");
}

TEST(Payload, TheLastOfDuplicateKeysCounts) {
  EXPECT_EQ(MemberOf(R"({"a":1,"a":"x","a":2})", "a"), "2");
}

TEST(Payload, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(MemberOf("\xEF\xBB\xBF{\"a\":1}", "a"), "1");
}

TEST(Payload, HalfASurrogatePairIsMended) {
  EXPECT_EQ(MemberOf(R"({"a":"x\ud83d"})", "a"), "x\xEF\xBF\xBD");
  EXPECT_EQ(MemberOf(R"({"a":"\ude00 x\ud83d\n"})", "a"), "\xEF\xBF\xBD x\xEF\xBF\xBD");
  EXPECT_EQ(MemberOf(R"({"a":"\ud83d\ud83d\ude00"})", "a"), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
  EXPECT_EQ(MemberOf(R"({"a":"\\ud83d\ud83d"})", "a"), "\\ud83d\xEF\xBF\xBD");
}

TEST(Payload, CleanDropsControlCharactersOnly) {
  EXPECT_EQ(Clean(std::string_view("a\0b\x1B[0m\x7F\tc\nd", 13), 100), "ab[0m\tc\nd");
  EXPECT_EQ(Clean("a\r\nb\rc", 100), "a\nb\nc");
  EXPECT_EQ(Clean("\xC2\x85x\xC2\xA0y", 100), "x\xC2\xA0y");
}

TEST(Payload, CleanCutsBetweenCharacters) {
  for (std::size_t limit = 4; limit < 12; ++limit) {
    const std::string cut = Clean("\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80", limit);
    EXPECT_LE(cut.size(), limit);
    EXPECT_TRUE(IsUtf8(cut)) << limit;
  }
}

TEST(Payload, NumbersAreShownAsPeopleWriteThem) {
  EXPECT_EQ(MemberOf(R"({"a":27.2})", "a"), "27.2");
  EXPECT_EQ(MemberOf(R"({"a":0.0394})", "a"), "0.0394");
  EXPECT_EQ(MemberOf(R"({"a":1e15})", "a"), "1000000000000000");
  EXPECT_EQ(MemberOf(R"({"a":-0.0})", "a"), "0");
  EXPECT_EQ(MemberOf(R"({"a":18446744073709551615})", "a"), "18446744073709551615");
}

TEST(Payload, ANumberBeyondDoubleIsAbsent) {
  EXPECT_EQ(MemberOf(R"({"a":1e400})", "a"), "");
}

TEST(Payload, FlatKeysAreDotted) {
  TextMap map;
  MapFiller(map, "meta", nullptr)
      .PutFlat("m", json::parse(R"({"a":{"b":1,"c":[1,{"d":2}]},"e":"","f":"null","g":null,"h":false})"), "");
  EXPECT_EQ(map, (TextMap{{"m.a.b", "1"}, {"m.a.c", R"([1,{"d":2}])"}, {"m.h", "false"}}));
}

TEST(Payload, DataKeepsTheTypesOfItsValues) {
  using Kind = DataValue::Kind;
  DataMap map;
  MapFiller(map, "data", nullptr)
      .PutFlat("m", json::parse(R"({"a":85,"b":"85","c":false,"d":2.5,"e":[1],"f":3.0,"g":null})"), "");
  EXPECT_EQ(map, (DataMap{{"m.a", {"85", Kind::kNumber}},
                          {"m.b", "85"},
                          {"m.c", {"false", Kind::kBoolean}},
                          {"m.d", {"2.5", Kind::kNumber}},
                          {"m.e", "[1]"},
                          {"m.f", {"3", Kind::kNumber}}}));
}

}  // namespace
}  // namespace hookswitch::payload
