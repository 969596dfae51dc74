#include "core/config/value_path.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hookswitch::config {
namespace {

using Kind = ValuePath::Step::Kind;
using Step = ValuePath::Step;

ValuePath Parsed(std::string_view text) {
  auto parsed = ParseValuePath(text);
  if (const auto* fault = std::get_if<PathFault>(&parsed)) {
    ADD_FAILURE() << text << ": " << fault->message;
    return {};
  }
  return std::get<ValuePath>(std::move(parsed));
}

PathFault FaultOf(std::string_view text) {
  auto parsed = ParseValuePath(text);
  if (const auto* path = std::get_if<ValuePath>(&parsed)) {
    ADD_FAILURE() << text << " is read as " << ToText(*path);
    return {};
  }
  return std::get<PathFault>(std::move(parsed));
}

TEST(ValuePath, MembersIndexesAndItemsAreSteps) {
  const std::vector<Step> steps = {{Kind::kMember, "a", 0},
                                   {Kind::kMember, "b", 0},
                                   {Kind::kIndex, "", 12},
                                   {Kind::kMember, "c", 0},
                                   {Kind::kItems, "", 0}};
  EXPECT_EQ(Parsed("a.b[12].c[*]").steps, steps);
}

TEST(ValuePath, StarIsEveryMember) {
  const std::vector<Step> steps = {{Kind::kMember, "results", 0}, {Kind::kMembers, "", 0}, {Kind::kMember, "value", 0}};
  EXPECT_EQ(Parsed("results.*.value").steps, steps);
}

TEST(ValuePath, DollarIsTheValueItself) {
  EXPECT_TRUE(Parsed("$").steps.empty());
  EXPECT_EQ(Parsed("$.a"), Parsed("a"));
  EXPECT_EQ(Parsed("$[0].a").steps.front(), (Step{Kind::kIndex, "", 0}));
}

TEST(ValuePath, DollarMayBeginAName) {
  EXPECT_EQ(Parsed("$oid").steps.front().name, "$oid");
  EXPECT_EQ(Parsed("a.$").steps.back().name, "$");
}

TEST(ValuePath, QuotedNameMayHoldAnything) {
  EXPECT_EQ(Parsed(R"("a.b".c)").steps.front().name, "a.b");
  EXPECT_EQ(Parsed(R"(x."say \"hi\" \\ [0]: *")").steps.back().name, R"(say "hi" \ [0]: *)");
}

TEST(ValuePath, BareNameMayHoldSpacesDashesAndLetters) {
  EXPECT_EQ(Parsed("extracted.Call Outcome").steps.back().name, "Call Outcome");
  EXPECT_EQ(Parsed("call-id").steps.back().name, "call-id");
  EXPECT_EQ(Parsed("größe").steps.back().name, "größe");
}

TEST(ValuePath, HeadersParametersAndFieldsHaveNames) {
  EXPECT_EQ(Parsed("header:X-Event").root, ValuePath::Root::kHeader);
  EXPECT_EQ(Parsed("header:X-Event").name, "x-event");
  EXPECT_EQ(Parsed("query:call.id").root, ValuePath::Root::kQuery);
  EXPECT_EQ(Parsed("query:call.id").name, "call.id");
  EXPECT_EQ(Parsed("form:CallSid").root, ValuePath::Root::kForm);
  EXPECT_EQ(Parsed("form:CallSid").name, "CallSid");
  EXPECT_EQ(Parsed("header").steps.front().name, "header");
}

TEST(ValuePath, IsPrintedAsItIsRead) {
  for (const std::string text :
       {"$", "a", "a.b[0].c[*]", "$[*].x", "*", "a.*", R"("a.b".c)", R"("$")", "a.$", R"("x\"y\\")", R"(" a ")",
        R"(a."*")", R"("a:b")", "header:x-event", "query:Id", "form:A B"}) {
    EXPECT_EQ(ToText(Parsed(text)), text);
  }
  EXPECT_EQ(ToText(Parsed(R"($."a".b)")), "a.b");
}

TEST(ValuePath, MistakeHasItsPlaceAndWhatWasExpected) {
  const struct {
    std::string text;
    std::size_t at;
    std::string message;
  } cases[] = {
      {"", 0, "expected a path such as call.id, found nothing"},
      {"a..b", 2, "expected a name, found `.`"},
      {"a.", 2, "expected a name, found the end"},
      {".a", 0, "expected a name, found `.`"},
      {"a]", 1, "expected `.`, `[` or the end, found `]`"},
      {"a[0]b", 4, "expected `.`, `[` or the end, found `b`"},
      {"a[0", 1, "the `[` that begins here has no `]`"},
      {"a[]", 2, "expected a number or * between the brackets, found `]`"},
      {"a[x]", 2, "expected a number or * between the brackets, found `x`"},
      {"a[-1]", 2, "expected a number or * between the brackets, found `-`"},
      {"a[9999999999]", 2, "expected a number or * between the brackets, found `9`"},
      {"[0].a", 0, "expected a name, found `[`"},
      {"a.b*", 3, "`*` stands for every member, so it is no part of a name"},
      {"a.\"b", 2, "the quote that begins here has no end"},
      {"a.\"\"", 2, "expected a name between the quotes"},
      {R"("a\n")", 2, "after `\\` in a quoted name comes `\"` or `\\`"},
      {"\"a\"b", 3, "expected `.`, `[` or the end, found `b`"},
      {"a b .c", 3, "expected the name's end, found a space"},
      {"a. b", 2, "expected a name, found a space"},
      {"a\tb", 1, "expected `.`, `[` or the end, found a control character"},
      {"a:b", 1, "a name with `:` stands in quotes"},
      {"header:", 7, "expected the name of a header, found the end"},
      {"header:X Event", 8, "expected the name of a header, found ` `"},
      {"query:", 6, "expected the name of a parameter, found the end"},
      {"form:", 5, "expected the name of a field, found the end"},
      {"headers:X", 0, "expected header:, query: or form:, found headers:"},
      {"Query:id", 0, "expected header:, query: or form:, found Query:"},
  };
  for (const auto& [text, at, message] : cases) {
    EXPECT_EQ(FaultOf(text).at, at) << text;
    EXPECT_EQ(FaultOf(text).message, message) << text;
  }
  EXPECT_EQ(FaultOf("headers:X").hint, "did you mean header:?");
}

TEST(ValuePath, HasAtMost32Steps) {
  std::string text = "a";
  for (int i = 1; i < 32; ++i) text += ".a";
  EXPECT_EQ(Parsed(text).steps.size(), 32u);
  EXPECT_EQ(FaultOf(text + ".a").at, text.size());
}

}  // namespace
}  // namespace hookswitch::config
