// What sinks do with texts: hookswitch/text.hpp.
#include "hookswitch/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>

#include "core/base/text.h"

namespace hsw {
namespace {

TEST(SinkNames, GlobsMatchAsThoseOfRulesDo) {
  std::mt19937 random(7);
  const auto word = [&](std::string_view letters, std::size_t longest) {
    std::string text(random() % (longest + 1), ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    return text;
  };
  int matches = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string glob = word("ab*?", 8), text = word("ab", 10);
    ASSERT_EQ(GlobMatch(glob, text), hookswitch::GlobMatch(glob, text)) << glob << " on " << text;
    matches += GlobMatch(glob, text) ? 1 : 0;
  }
  EXPECT_GT(matches, 5'000);
}

TEST(SinkNames, MeanADeliverysRuleAgentAndTags) {
  hsw_event event{};
  event.agent = Str("cobalt-eu");
  hsw_delivery raw{};
  raw.rule = Str("failed-billing");
  raw.event = &event;
  raw.event_value = [](const hsw_delivery*, hsw_str pointer) {
    static const std::map<std::string, std::string, std::less<>> kValues = {
        {"/agent/id", "9b1d"}, {"/agent/tags/0", "billing"}, {"/agent/tags/1", "eu"}};
    const auto it = kValues.find(View(pointer));
    return it == kValues.end() ? hsw_str{} : Str(it->second);
  };
  const Delivery delivery(&raw);
  EXPECT_TRUE(delivery.RuleIs("failed-billing") && delivery.RuleIs("failed-*"));
  EXPECT_FALSE(delivery.RuleIs("failed") || delivery.RuleIs("*-sales"));
  for (const char* agent : {"cobalt-eu", "cobalt-*", "9b1d", "9???", "*"})
    EXPECT_TRUE(delivery.AgentIs(agent)) << agent;
  for (const char* agent : {"cobalt", "9b1", "", "Cobalt-eu"}) EXPECT_FALSE(delivery.AgentIs(agent)) << agent;
  EXPECT_TRUE(delivery.HasTag("billing") && delivery.HasTag("e?"));
  EXPECT_FALSE(delivery.HasTag("sales") || delivery.HasTag(""));
}

TEST(SinkText, BlankIsWhatShowsNothing) {
  EXPECT_TRUE(IsBlank(""));
  EXPECT_TRUE(IsBlank(" \t\r\n"));
  EXPECT_FALSE(IsBlank(" x"));
  // Unicode's White_Space: NEL, no-break space, en quad, line separator, narrow no-break space, ideographic space.
  for (const char* space : {"\xC2\x85", "\xC2\xA0", "\xE2\x80\x80", "\xE2\x80\xA8", "\xE2\x80\xAF", "\xE3\x80\x80"}) {
    EXPECT_TRUE(IsBlank(space));
    EXPECT_FALSE(IsBlank(space + std::string("x")));
  }
  EXPECT_FALSE(IsBlank("\xE2\x80\x8B")) << "a zero width space is none";
}

TEST(SinkText, ReadsCodePointsAndWhatIsNone) {
  const auto first = [](std::string_view text) {
    std::size_t size = 0;
    const char32_t c = FirstCodePoint(text, size);
    return std::pair(c, size);
  };
  EXPECT_EQ(first("a"), std::pair(U'a', std::size_t{1}));
  EXPECT_EQ(first("é!"), std::pair(U'é', std::size_t{2}));
  EXPECT_EQ(first("你"), std::pair(U'你', std::size_t{3}));
  EXPECT_EQ(first("😀"), std::pair(U'😀', std::size_t{4}));
  for (const char* bad : {"\x80", "\xC3", "\xC3(", "\xE4\xBD", "\xC0\xAF", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(first(bad), std::pair(char32_t{0xFFFD}, std::size_t{1}));
  }
  EXPECT_TRUE(IsNoncharacter(0xFDD0) && IsNoncharacter(0xFFFE) && IsNoncharacter(0x10FFFF));
  EXPECT_FALSE(IsNoncharacter(0xFDCF) || IsNoncharacter(0xFFFD) || IsNoncharacter(0x10000));
  EXPECT_TRUE(IsControl(0) && IsControl(0x7F) && IsControl(0x9F));
  EXPECT_FALSE(IsControl(' ') || IsControl(0xA0));
}

TEST(SinkText, SeesWhatBeginsABlock) {
  const auto escaped = [](std::string_view text) {
    return Escaped(text, 1000, "…", [](std::string_view code_point, const TextSpot& spot, std::string& out) {
      if (BeginsBlock(code_point[0], spot)) out += '\\';
      out += code_point;
    });
  };
  EXPECT_EQ(escaped("15. March\n 2) x\n3.5\n4.\n5.\tx\na1. x"), "15\\. March\n 2\\) x\n3.5\n4\\.\n5\\.\tx\na1. x");
  EXPECT_EQ(escaped("# a\n- b\n+ c\n> d\n===\n---\na # - + > ="),
            "\\# a\n\\- b\n\\+ c\n\\> d\n\\===\n\\---\na # - + > =");
  EXPECT_EQ(escaped("1\x01\x02. x"), "1\\. x") << "what is left out is not seen either";
  EXPECT_EQ(escaped("1.\xEF\xBF\xBE x"), "1\\. x");
  EXPECT_EQ(escaped("\xE3\x80\x80# x"), "\xE3\x80\x80\\# x") << "behind white space of any kind";
  EXPECT_EQ(escaped("a\xE2\x80\xA8# x"), "a\n\\# x") << "a line separator ends a line";
}

TEST(SinkText, ShortensByCharactersAndByBytesWithoutSplittingOne) {
  EXPECT_EQ(Shorten("你好吗", 3), "你好吗");
  EXPECT_EQ(Shorten("你好吗你", 3), "你好…");
  EXPECT_EQ(Shorten("abc", 0), "…");
  EXPECT_EQ(ShortenBytes("你好", 6), "你好");
  EXPECT_EQ(ShortenBytes("你好吗", 7), "你…");
  EXPECT_EQ(ShortenBytes("你好吗", 5), "…");
}

TEST(SinkText, CountsUtf16Units) {
  EXPECT_EQ(Utf16Units("a你😀"), 4U);
}

TEST(SinkText, EscapesWithoutSplittingAnEscape) {
  const auto escape = [](std::string_view code_point, bool first_of_line, std::string& out) {
    if (code_point == "*" || (first_of_line && code_point == "#")) out += '\\';
    out += code_point;
  };
  EXPECT_EQ(Escaped("# a*b\r\n #c\rd\x01", 100, "…", escape), "\\# a\\*b\n \\#c\nd");
  EXPECT_EQ(Escaped("abc*", 5, "…", escape), "abc\\*");
  EXPECT_EQ(Escaped("abc*", 4, "…", escape), "abc…") << "not half of the escape";
  EXPECT_EQ(Escaped("😀😀", 3, "…", escape), "😀…");
}

TEST(SinkText, UrlsEndNoMarkup) {
  EXPECT_EQ(LinkUrl("https://e.test/a b?x=(1)|<2>&y=\"@me"), "https://e.test/a%20b?x=%281%29%7C%3C2%3E&y=%22%40me");
  EXPECT_TRUE(IsWebUrl("https://e.test/"));
  EXPECT_FALSE(IsWebUrl("javascript:alert(1)"));
  EXPECT_FALSE(IsWebUrl("https://e.test/a b"));
  EXPECT_FALSE(IsWebUrl("https://e.test/", 10));
}

TEST(SinkText, TheFirstLinksThatLeadToTheWeb) {
  const std::string long_url = "https://e.test/" + std::string(100, 'x'),
                    grows = "https://e.test/" + std::string(20, '(');
  const hsw_pair links[] = {{Str("a"), Str("ftp://e.test/")},
                            {Str("b"), Str(long_url)},
                            {Str("c"), Str(grows)},
                            {Str(" "), Str("https://e.test/1")},
                            {Str("e"), Str("http://e.test/(2)")},
                            {Str("f"), Str("https://e.test/3")}};
  hsw_message raw{};
  raw.links = links;
  raw.link_count = std::size(links);
  const auto found = WebLinks(Message(&raw), 2, 50);
  ASSERT_EQ(found.size(), 2U) << "no other scheme, none too long, none that grows too long, and no third";
  EXPECT_EQ(found[0].label, " ");
  EXPECT_EQ(found[0].url, "https://e.test/1");
  EXPECT_EQ(found[1].url, "http://e.test/%282%29");
}

TEST(SinkText, TimesAsRfc3339) {
  EXPECT_EQ(Rfc3339(1'772'616'600'999), "2026-03-04T09:30:00Z");
  EXPECT_EQ(Rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(Rfc3339(std::numeric_limits<std::int64_t>::max()), "");
  EXPECT_EQ(Rfc3339(std::numeric_limits<std::int64_t>::min() + 1), "");
}

TEST(SinkText, ServicesNeedTls) {
  EXPECT_EQ(ProblemWithServiceUrl("https://e.test/x", false), "");
  EXPECT_EQ(ProblemWithServiceUrl("http://e.test/x", true), "");
  EXPECT_THAT(ProblemWithServiceUrl("http://e.test/x", false), testing::HasSubstr("https://"));
  EXPECT_THAT(ProblemWithServiceUrl("https://u:p@e.test/", false), testing::HasSubstr("user name"));
  EXPECT_THAT(ProblemWithServiceUrl("https:///x", false), testing::HasSubstr("no host"));
  EXPECT_THAT(ProblemWithServiceUrl("https://e.test/x", false, true), testing::HasSubstr("host only"));
}

}  // namespace
}  // namespace hsw
