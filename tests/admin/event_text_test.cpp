#include "core/admin/event_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hookswitch {
namespace {

using testing::ElementsAre;

/// The texts of a body, with "|" for their ends.
std::string Texts(std::string_view body) {
  std::string texts;
  AppendTexts(texts, body);
  std::ranges::replace(texts, kTextGap, '|');
  return texts;
}

bool Has(std::string_view body, const std::vector<std::string>& words, bool is_prefix = false) {
  WordSplitter splitter;
  std::string texts;
  AppendTexts(texts, body);
  return HasPhrase(WordsOf(splitter, texts), {words, is_prefix});
}

TEST(EventText, IsEveryTextAndNumberOfAPayloadAsItWasSent) {
  EXPECT_EQ(Texts(R"({"key": "a\nb", "n": 1.50, "big": 123456789012345678901234567890, "i": -7, "e": 1e5,
                      "list": ["x", {"deep": "y"}], "yes": true, "none": null, "u": "caf\u00e9"})"),
            "a\nb|1.50|123456789012345678901234567890|-7|1e5|x|y|café|");
  EXPECT_EQ(Texts("[]"), "");
  EXPECT_EQ(Texts("\"alone\""), "alone|");
}

TEST(EventText, IsTheFieldsOfAForm) {
  EXPECT_EQ(Texts("CallSid=CA123&From=%2B12025550123&Note=late+fee"), "CA123|+12025550123|late fee|");
}

TEST(EventText, IsTheWholeBodyIfItIsNeither) {
  EXPECT_EQ(Texts("hello, world"), "hello, world|");
  EXPECT_EQ(Texts("{\"a\": \"b\""), "{\"a\": \"b\"|");
}

TEST(EventText, IsReadFromJsonThatHasToBeMended) {
  EXPECT_EQ(Texts("{\"a\": \"x\\ud83d y\", \"b\": NaN, \"c\": 2}"), "x\xEF\xBF\xBD y|2|");
}

TEST(EventText, HasNothingThatCouldBeTakenForAMark) {
  const std::string text = Texts("{\"a\": \"\\ue000abcde1 \\u001e x\"}");
  EXPECT_EQ(text.find(kMarkStart), std::string::npos);
  EXPECT_EQ(text, " abcde1   x|");
}

TEST(EventText, ALongTextIsWhole) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(Texts("{\"a\": \"" + text + "\\n\"}"), text + "\n|");
}

TEST(EventText, WordsEndWithTheirText) {
  WordSplitter splitter;
  EXPECT_THAT(WordsOf(splitter, std::string("A b") + kTextGap + "c" + kTextGap), ElementsAre("a", "b", "", "c", ""));
  EXPECT_THAT(WordsOf(splitter, ""), ElementsAre());
}

TEST(EventText, APhraseIsConsecutiveWordsOfOneText) {
  constexpr std::string_view kBody = R"({"a": "the late fee", "b": "of Anne", "c": 27.2})";
  EXPECT_TRUE(Has(kBody, {"late", "fee"}));
  EXPECT_TRUE(Has(kBody, {"late", "fe"}, true));
  EXPECT_FALSE(Has(kBody, {"late", "fe"}));
  EXPECT_FALSE(Has(kBody, {"the", "fee"}));
  EXPECT_FALSE(Has(kBody, {"fee", "of"})) << "they are of different texts";
  EXPECT_TRUE(Has(kBody, {"27", "2"}));
  EXPECT_FALSE(Has(kBody, {"anne", "27"}));
  EXPECT_FALSE(Has(kBody, {"lat", "fee"}, true)) << "only the last word may go on";
}

}  // namespace
}  // namespace hookswitch
