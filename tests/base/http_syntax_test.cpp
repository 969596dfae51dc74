#include "core/base/http_syntax.h"

#include <gtest/gtest.h>

namespace hookswitch {
namespace {

using namespace std::string_view_literals;

TEST(HttpSyntax, TokensAreLettersDigitsAndSomeMarks) {
  for (const auto token : {"GET"sv, "X-Id_1"sv, "!#$%&'*+-.^_`|~"sv}) EXPECT_TRUE(IsHttpToken(token)) << token;
  for (const auto other : {""sv, "a b"sv, "a:"sv, "\xC3\xA9"sv, "a\0"sv}) EXPECT_FALSE(IsHttpToken(other)) << other;
}

TEST(HttpSyntax, FieldValuesHaveNoControlCharactersButTabs) {
  for (const auto value : {""sv, "a\tb c"sv, "\xC3\xA9"sv}) EXPECT_TRUE(IsHttpFieldValue(value)) << value;
  for (const auto other : {"a\r\nb"sv, "\0"sv, "\x7F"sv}) EXPECT_FALSE(IsHttpFieldValue(other)) << other;
}

TEST(HttpSyntax, UrlsHaveNeitherSpacesNorControlCharacters) {
  for (const auto bad : {"a b"sv, "a\t"sv, "\n"sv, "\0"sv, "\x7F"sv}) EXPECT_TRUE(HasSpaceOrControl(bad)) << bad;
  for (const auto url : {""sv, "https://example.com/\xC3\xA9"sv}) EXPECT_FALSE(HasSpaceOrControl(url)) << url;
}

}  // namespace
}  // namespace hookswitch
