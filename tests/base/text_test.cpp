#include "core/base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace hookswitch {
namespace {

// Unicode 15, table 3-7 and the examples of section 3.9.
TEST(Utf8, TellsWellFormedFromIllFormed) {
  const std::vector<std::string> good = {"",
                                         "abc",
                                         "\xC3\xA4",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\xED\x9F\xBF",
                                         "\xEE\x80\x80",
                                         "\xF4\x8F\xBF\xBF",
                                         std::string("\0", 1)};
  for (const auto& text : good) {
    EXPECT_TRUE(IsUtf8(text)) << testing::PrintToString(text);
    EXPECT_EQ(ToUtf8(text), text);
  }
  const std::vector<std::string> bad = {"\x80",
                                        "\xC0\xAF",
                                        "\xC1\x81",
                                        "\xC3",
                                        "\xC3(",
                                        "\xE0\x9F\x80",
                                        "\xE2\x82",
                                        "\xED\xA0\x80",
                                        "\xF0\x8F\xBF\xBF",
                                        "\xF4\x90\x80\x80",
                                        "\xF5\x80\x80\x80",
                                        "\xFF"};
  for (const auto& text : bad) {
    EXPECT_FALSE(IsUtf8(text)) << testing::PrintToString(text);
    EXPECT_TRUE(IsUtf8(ToUtf8(text))) << testing::PrintToString(text);
  }
}

TEST(Utf8, ReplacesEachIllFormedByte) {
  EXPECT_EQ(ToUtf8("a\xFF\xFE"
                   "b"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(ToUtf8("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf8, CountsAndCutsCodePoints) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
  EXPECT_EQ(CodePoints(text), 4u);
  EXPECT_EQ(CutCodePoints(text, 0), "");
  EXPECT_EQ(CutCodePoints(text, 2), "a\xC3\xA4");
  EXPECT_EQ(CutCodePoints(text, 3), "a\xC3\xA4\xE2\x82\xAC");
  EXPECT_EQ(CutCodePoints(text, 4), text);
  EXPECT_EQ(CutCodePoints(text, 99), text);
}

TEST(JsonString, EscapesWhatMustBe) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", R"("")"},
      {"a\"b\\c/", R"("a\"b\\c/")"},
      {"\n\r\t\b\x1F", R"("\n\r\t\u0008\u001f")"},
      {std::string("\0", 1), R"("\u0000")"},
      {"\xE2\x82\xAC", "\"\xE2\x82\xAC\""},
      {"x\xFFy", "\"x\xEF\xBF\xBDy\""},
  };
  for (const auto& [text, wanted] : cases) {
    std::string out;
    AppendJsonString(out, text);
    EXPECT_EQ(out, wanted);
  }
}

TEST(Ascii, TrimsLowersAndCompares) {
  EXPECT_EQ(Trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
  EXPECT_EQ(ToLower("Ab-9\xC3\x84"), "ab-9\xC3\x84");
  EXPECT_TRUE(EqualsIgnoreCase("Retry-After", "retry-AFTER"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
}

TEST(HasWebScheme, IsHttpOrHttps) {
  for (const char* web : {"http://", "https://example.com", "HTTPS://example.com"})
    EXPECT_TRUE(HasWebScheme(web)) << web;
  for (const char* other : {"", "http", "http:/", "https:example.com", "ftp://http://", " http://x", "httpss://x"}) {
    EXPECT_FALSE(HasWebScheme(other)) << other;
  }
}

TEST(GlobMatch, StarsAndQuestionMarks) {
  struct Case {
    const char* glob;
    const char* text;
    bool matches;
  };
  const Case cases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "abc", true},
      {"a*", "abc", true},
      {"a*", "ba", false},
      {"*c", "abc", true},
      {"a*c", "abbbc", true},
      {"a*c", "abcd", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"?", "", false},
      {"**", "x", true},
      {"a**b", "ab", true},
      {"*ab*ab*", "xabyabz", true},
      {"*ab*ab*", "xaby", false},
      {"+1*", "+12025550188", true},
      {"A", "a", false},
      {"a.c", "abc", false},
      {"*.*", "a", false},
  };
  for (const Case& c : cases) EXPECT_EQ(GlobMatch(c.glob, c.text), c.matches) << c.glob << " on " << c.text;
}

TEST(GlobMatch, InAnyCase) {
  EXPECT_TRUE(GlobMatchIgnoreCase("Call.*d", "cALL.ENDED"));
  EXPECT_FALSE(GlobMatchIgnoreCase("call.*d", "call.ended."));
  EXPECT_FALSE(GlobMatch("Call", "call"));
}

TEST(GlobMatch, ManyStarsStayLinear) {
  const std::string text(20'000, 'a');
  std::string glob;
  for (int i = 0; i < 50; ++i) glob += "*a";
  EXPECT_FALSE(GlobMatch(glob + "b", text));
}

TEST(Nearest, FindsSlipsOfTheKeyboard) {
  const std::vector<std::string> keys = {"min_duration", "max_duration", "status", "stop", "to", "from"};
  struct Case {
    const char* name;
    const char* nearest;
  };
  const Case cases[] = {
      {"min_druation", "min_duration"},
      {"mn_duration", "min_duration"},
      {"statuss", "status"},
      {"sttauss", "status"},
      {"sotp", "stop"},
      {"stpo", "stop"},
      {"spt", ""},
      {"form", "from"},
      {"xyz", ""},
      {"", ""},
      {"status", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(Nearest(c.name, keys), c.nearest) << c.name;
  EXPECT_EQ(Nearest(std::string(100'000, 'a'), keys), "");
}

TEST(Joined, HasSeparatorsBetweenItsPartsAlone) {
  EXPECT_EQ(Joined(std::vector<std::string>{}), "");
  EXPECT_EQ(Joined(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(Joined(std::vector<std::string>{"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(Joined(std::vector<std::string>{"", "b", ""}), ", b, ") << "an empty part is one";
  EXPECT_EQ(Joined(std::vector<std::string>{"a", "b"}, "\n"), "a\nb");
  EXPECT_EQ(Joined(std::set<std::string_view>{"b", "a"}), "a, b");
  EXPECT_EQ(Joined(std::array{"a", "b"}, ""), "ab");
}

TEST(DidYouMean, NamesTheNearestOrAll) {
  const std::vector<std::string> keys = {"status", "stop"};
  EXPECT_EQ(DidYouMean("statsu", keys), R"(did you mean "status"?)");
  EXPECT_EQ(DidYouMean("xyz", keys), "there is status, stop");
  EXPECT_EQ(DidYouMean("xyz", {}), "there is none");
}

}  // namespace
}  // namespace hookswitch
