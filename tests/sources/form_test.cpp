#include "core/sources/form.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/json.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

// The form as one line of JSON; the error's text if it is none.
std::string Read(std::string_view body, std::string_view content_type = {}) {
  payload::Document document;
  const auto form = ReadForm(body, content_type, document);
  return form ? ToText(**form) : form.error().message;
}

constexpr std::string_view kMultipart = "multipart/form-data; boundary=\"x y\"";

TEST(Form, KindIsThatOfTheContentTypeThenOfTheFirstBytes) {
  EXPECT_EQ(FormKindOf("application/x-www-form-urlencoded; charset=utf-8"), FormKind::kUrlEncoded);
  EXPECT_EQ(FormKindOf("Multipart/Form-Data; boundary=a"), FormKind::kMultipart);
  EXPECT_EQ(FormKindOf("application/json"), FormKind::kNone);
  EXPECT_EQ(FormKindOf("a=1", ""), FormKind::kUrlEncoded);
  EXPECT_EQ(FormKindOf("--x\r\n", ""), FormKind::kMultipart);
  EXPECT_EQ(FormKindOf("a", "application/x-www-form-urlencoded"), FormKind::kUrlEncoded);
  for (const auto* json : {" {\"a\":\"=\"}", "[1]", "\"a=b\"", "true", "12", ""}) {
    EXPECT_EQ(FormKindOf(json, ""), FormKind::kNone) << json;
  }
}

TEST(Form, JsonThatCurlCallsAFormIsJson) {
  EXPECT_EQ(FormKindOf(R"({"id":"a=b"})", "application/x-www-form-urlencoded"), FormKind::kNone);
}

TEST(Form, UrlEncodedFieldsAreDecodedTexts) {
  EXPECT_EQ(Read("From=%2B12025550188&Name=a+b%26c&Empty=&Bare"),
            R"({"From":"+12025550188","Name":"a b&c","Empty":"","Bare":""})");
}

TEST(Form, ANameThatIsRepeatedHasAList) {
  EXPECT_EQ(Read("a=1&b=2&a=3&a=4"), R"({"a":["1","3","4"],"b":"2"})");
}

TEST(Form, WhatIsNotUtf8IsReadWithANote) {
  payload::Document document;
  const auto form = ReadForm("a=%FF", {}, document);
  ASSERT_TRUE(form);
  EXPECT_EQ(ToText(**form), "{\"a\":\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(document.mended(), "bytes that are no UTF-8 were read as U+FFFD");
}

TEST(Form, FieldsAreBounded) {
  std::string body;
  for (int i = 0; i < 5000; ++i) body += "k" + std::to_string(i) + "=v&";
  payload::Document document;
  const auto form = ReadForm(body, {}, document);
  ASSERT_TRUE(form);
  EXPECT_EQ((*form)->as_object().size(), payload::kMaxMembers);
  EXPECT_EQ(document.mended(), "only the first 1024 fields were read");
}

TEST(Form, MultipartFieldsAreTheTextsOfTheParts) {
  EXPECT_EQ(Read("--x y\r\nContent-Disposition: form-data; name=\"CallSid\"\r\n\r\nabc\r\n"
                 "--x y\r\ncontent-type: application/json\r\nContent-Disposition: form-data; name=Legs\r\n\r\n"
                 "[1,\r\n2]\r\n--x y--\r\n",
                 kMultipart),
            R"({"CallSid":"abc","Legs":"[1,\r\n2]"})");
}

TEST(Form, MultipartIsReadWithoutAContentTypeAndWithBareLineFeeds) {
  EXPECT_EQ(Read("--b\nContent-Disposition: form-data; name=\"a\"\n\n1\n--b\n"
                 "Content-Disposition: form-data; name=\"a\"\n\n--b2\n--b--"),
            R"({"a":["1","--b2"]})");
}

TEST(Form, AQuotedNameIsUnescaped) {
  EXPECT_EQ(Read("--b\r\nContent-Disposition: form-data; x=\"a;name=no\"; name=\"a\\\"b;c\"\r\n\r\n1\r\n--b--\r\n"),
            R"({"a\"b;c":"1"})");
}

TEST(Form, UploadedFilesAreLeftOut) {
  EXPECT_EQ(Read("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n1\r\n"
                 "--b\r\nContent-Disposition: form-data; name=\"other\"; filename*=UTF-8''b\r\n\r\n1\r\n"
                 "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n2\r\n--b--\r\n"),
            R"({"a":"2"})");
}

TEST(Form, PartsThatSayNothingAreLeftOut) {
  EXPECT_EQ(Read("--b\r\n\r\n1\r\n--b\r\nContent-Disposition\r\n\r\n2\r\n--b--\r\n"), "{}");
  std::string body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\nX: ";
  body += std::string(10'000, 'x') + "\r\n\r\n1\r\n--b--\r\n";
  EXPECT_EQ(Read(body), "{}");
}

// A value that is cut could be another call's id.
TEST(Form, MultipartThatIsCutIsRefused) {
  const std::string whole = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n12\r\n--b--";
  ASSERT_EQ(Read(whole), R"({"a":"12"})");
  for (std::size_t i = 3; i < whole.size(); ++i) {
    const std::string read = Read(whole.substr(0, i));
    EXPECT_TRUE(read == "the form ends too early" || read == R"({"a":"12"})") << i << ' ' << read;
  }
  EXPECT_EQ(Read("", kMultipart), "the form ends too early");
  EXPECT_EQ(Read("--b--", "multipart/form-data"), "the form ends too early");
  EXPECT_EQ(Read("a", "multipart/form-data"), "a multipart form without a boundary");
}

}  // namespace
}  // namespace hookswitch
