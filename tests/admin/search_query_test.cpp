#include "core/admin/search_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/admin/search_terms.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr WallTime kNow{std::chrono::milliseconds(1'772'614'923'000)};  // 2026-03-04T09:02:03Z

KnownNames Names() {
  auto config = std::make_shared<config::Config>();
  config->agents["9b1d2a60"].name = "billing-eu";
  config->sinks.emplace_back().name = "ops";
  config->rules.emplace_back().name = "failed";
  config->sources.emplace_back().name = "bolna";
  return KnownNames(config, {});
}

std::string Joined(const std::vector<std::string>& parts) {
  return hookswitch::Joined(parts, "|");
}

/// A filter in words, its conditions in the order of SearchFilter.
std::string Told(const SearchFilter& filter) {
  std::vector<std::string> all;
  const auto add = [&](bool negated, const std::string& text) { all.push_back((negated ? "not " : "") + text); };
  for (const auto& one : filter.names) {
    static const char* const kOf[] = {"source", "agent", "status", "direction"};
    std::string text = std::string(kOf[static_cast<int>(one.of)]) + " " + Joined(one.globs);
    if (!one.labels.empty()) text += "=" + Joined(one.labels);
    add(one.negated, text);
  }
  for (const auto& one : filter.calls) add(one.negated, "call " + Joined(one.ids));
  for (const auto& one : filter.ranges) {
    std::vector<std::string> ranges;
    for (const auto& range : one.any) {
      std::string text;
      if (range.least) text += std::string(range.above ? "(" : "[") + std::to_string(*range.least).substr(0, 5);
      text += "..";
      if (range.most) text += std::to_string(*range.most).substr(0, 5) + (range.below ? ")" : "]");
      ranges.push_back(text);
    }
    add(one.negated, (one.of == SearchFilter::Ranges::Of::kCost ? "cost " : "duration ") + Joined(ranges));
  }
  for (const auto& one : filter.deliveries) {
    std::vector<std::string> states;
    for (const auto state : one.states) states.emplace_back(ToString(state));
    const bool is_sink = !one.sinks.empty();
    add(one.negated, is_sink              ? "sink " + Joined(one.sinks)
                     : !one.rules.empty() ? "rule " + Joined(one.rules)
                                          : "state " + Joined(states));
  }
  for (const auto& one : filter.flags) add(one.negated, "flags " + std::to_string(one.any));
  for (const auto& one : filter.texts) {
    std::vector<std::string> phrases;
    for (const auto& phrase : one.any) {
      phrases.push_back(hookswitch::Joined(phrase.words, " ") + (phrase.is_prefix ? "*" : ""));
    }
    add(one.negated, "text " + Joined(phrases));
  }
  for (const auto& one : filter.fields) {
    std::vector<std::string> values;
    for (const auto& value : one.any) values.push_back(value.text + (value.is_prefix ? "*" : ""));
    add(one.negated, one.name + " " + Joined(values));
  }
  if (filter.since) all.push_back("since " + ToRfc3339(*filter.since));
  if (filter.until) all.push_back("until " + ToRfc3339(*filter.until));
  return hookswitch::Joined(all, "; ");
}

struct Read {
  const char* search;
  const char* told;
};

TEST(SearchQuery, IsReadAsItIsMeant) {
  static constexpr Read kCases[] = {
      {"", ""},
      {"  \t ", ""},
      {"refund", "text refund*"},
      {"REFUND please", "text refund*; text please*"},
      {"\"late fee\"", "text late fee"},
      {"\"say \\\"hi\\\"\"", "text say hi"},
      {"late-fee 27.2 12:30", "text late fee*; text 27 2*; text 12 30*"},
      {"text:\"late fee\",Übergabe", "text late fee|ubergabe*"},
      {"-refund -\"late fee\" -text:x", "not text refund*; not text late fee; not text x*"},
      {"- refund", nullptr},
      {"agent:billing-eu", "agent billing-eu=9b1d2a60|billing-eu"},
      {"AGENT:9b1d2a60,bill*", "agent 9b1d2a60|bill*=9b1d2a60|billing-eu|9b1d2a60|billing-eu"},
      {"agent:\"with blanks, and a comma\"", "agent with blanks, and a comma"},
      {"status:failed,BUSY", "status =busy|failed"},
      {"-status:unsuccessful", "not status =balance-low|busy|no-answer|canceled|failed|stopped|error"},
      {"source:bolna", "source bolna"},
      {"direction:inbound,Web", "direction =inbound|web"},
      {"call:3f0c-1,3f0c-2", "call 3f0c-1|3f0c-2"},
      {"duration:>2m", "duration (120.0.."},
      {"duration:>=90s", "duration [90.00.."},
      {"duration:<1.5", "duration ..1.500)"},
      {"duration:<=1m30s", "duration ..90.00]"},
      {"duration:2m..5m,10m..", "duration [120.0..300.0]|[600.0.."},
      {"-duration:..10s", "not duration ..10.00]"},
      {"duration:0", "duration [0.000..0.000]"},
      {"cost:>0.5 cost:0.1..0.2", "cost (0.500..; cost [0.100..0.200]"},
      {"sink:ops rule:failed state:dead", "sink ops; rule failed; state dead"},
      {"-sink:o*,x state:pending,held", "not sink o*|x; state pending|held"},
      {"is:unmatched -is:skipped,revised,replayed", "flags 1; not flags 14"},
      {"after:2h", "since 2026-03-04T07:02:03Z"},
      {"since:2026-03-04 until:2026-03-04T09:00:00+01:00", "since 2026-03-04T00:00:00Z; until 2026-03-04T08:00:00Z"},
      {"after:2h after:1h before:30m", "since 2026-03-04T08:02:03Z; until 2026-03-04T08:32:03Z"},
      {"-after:2h", "until 2026-03-04T07:02:03Z"},
      {"-before:2h", "since 2026-03-04T07:02:03Z"},
      {"from:+12025550123 to:+91*", "from +12025550123; to +91*"},
      {"data.General.Callback_Requested:true,\"not now\"", "data.General.Callback_Requested true|not now"},
      {"-data.x:y", "not data.x y"},
      {"refund agent:bill* \"late fee\"", "agent bill*=9b1d2a60|billing-eu; text refund*; text late fee"},
  };
  const KnownNames names = Names();
  for (const Read& one : kCases) {
    const SearchQuery query = ParseSearch(one.search, kNow, names);
    if (one.told == nullptr) {
      EXPECT_TRUE(query.error) << one.search;
      continue;
    }
    ASSERT_FALSE(query.error) << one.search << ": " << query.error->detail;
    EXPECT_EQ(Told(query.filter), one.told) << one.search;
  }
}

struct Wrong {
  const char* search;
  std::size_t at, length;
  const char* detail;
};

TEST(SearchQuery, SaysWhatItCannotDoAndWhere) {
  static constexpr Wrong kCases[] = {
      {"refund agnet:x", 7, 5, "did you mean \"agent\"?"},
      {"-agnet:x", 1, 5, "did you mean \"agent\"?"},
      {"é ü agnet:x", 4, 5, "is no key of a search"},
      {"http://example.com", 0, 4, "written in quotes"},
      {"status:", 0, 7, "it has no value"},
      {"status:failed,", 0, 14, "it has no value"},
      {"status:faild", 7, 5, "did you mean \"failed\"?"},
      {"status:failed,nope", 14, 4, "neither a status of a call nor a group"},
      {"direction:up", 10, 2, "is no direction"},
      {"duration:long", 9, 4, "write >2m"},
      {"duration:>", 9, 1, "is no duration"},
      {"duration:..", 9, 2, "is no duration"},
      {"duration:5m..2m", 9, 6, "below the first"},
      {"cost:2m", 5, 2, "is no number"},
      {"cost:inf", 5, 3, "is no number"},
      {"state:deaad", 6, 5, "did you mean \"dead\"?"},
      {"is:refused", 3, 7, "/api/v1/refused"},
      {"is:revized", 3, 7, "did you mean \"revised\"?"},
      {"call:3f0*", 5, 4, "text:3f0"},
      {"after:yesterday", 6, 9, "neither a date"},
      {"after:1h,2h", 9, 2, "it takes one time"},
      {"after:1h before:2h", 0, 18, "nothing is both after"},
      {"refund \"late fee", 7, 9, "the quote is not closed"},
      {"agent:\"late", 6, 5, "the quote is not closed"},
      {"text:\"--\"", 5, 4, "neither a letter nor a digit"},
      {"!!", 0, 2, "neither a letter nor a digit"},
      {"-", 0, 1, "neither a letter nor a digit"},
      {"from:*123", 5, 4, "at the end only"},
      {"data.score:>5", 11, 2, "only duration and cost"},
      {"data:x", 0, 4, "it needs a path"},
      {"data.:x", 0, 5, "it needs a path"},
  };
  const KnownNames names = Names();
  for (const Wrong& one : kCases) {
    const SearchQuery query = ParseSearch(one.search, kNow, names);
    ASSERT_TRUE(query.error) << one.search;
    EXPECT_EQ(query.error->at, one.at) << one.search;
    EXPECT_EQ(query.error->length, one.length) << one.search;
    EXPECT_THAT(query.error->detail, HasSubstr(one.detail)) << one.search;
  }
}

TEST(SearchQuery, HasLimits) {
  const KnownNames names = Names();
  EXPECT_THAT(ParseSearch(std::string(2001, 'x'), kNow, names).error->detail, HasSubstr("2000 characters"));
  std::string terms, values = "agent:a";
  for (int i = 0; i < 51; ++i) terms += "x ";
  for (int i = 0; i < 100; ++i) values += ",a";
  EXPECT_THAT(ParseSearch(terms, kNow, names).error->detail, HasSubstr("50 terms"));
  EXPECT_THAT(ParseSearch(values, kNow, names).error->detail, HasSubstr("100 values"));
}

TEST(SearchQuery, TakesAnyBytes) {
  const KnownNames names = Names();
  EXPECT_FALSE(ParseSearch("caf\xe9 x", kNow, names).error);
  for (const std::string text : {"\xff\xfe", "a:\"\xc3", "-\x80:\x80", "\"", "-\"", ":", "::", "\\\"", "a\\\"b"}) {
    (void)ParseSearch(text, kNow, names);
  }
}

TEST(SearchQuery, TellsANameThatDoesNotExist) {
  const KnownNames names = Names();
  const auto unknown = [&](const char* search) {
    const auto error = FindUnknown(ParseSearch(search, kNow, names), names);
    return error ? std::to_string(error->at) + "+" + std::to_string(error->length) + " " + error->detail : "";
  };
  EXPECT_THAT(unknown("x sink:ops,osp"), HasSubstr("11+3 sink: there is no sink \"osp\"; did you mean \"ops\"?"));
  EXPECT_THAT(unknown("rule:faild"), HasSubstr("did you mean \"failed\"?"));
  EXPECT_THAT(unknown("source:vapi"), HasSubstr("there is bolna"));
  EXPECT_EQ(unknown("sink:ops rule:failed source:bolna agent:nobody sink:n*"), "");
}

TEST(SplitSearch, KeepsWhereEverythingStands) {
  const auto terms = SplitSearch(" -agent:a,\"b c\" word");
  ASSERT_EQ(terms.size(), 2u);
  EXPECT_EQ(terms[0].at, 1u);
  EXPECT_EQ(terms[0].end, 15u);
  EXPECT_TRUE(terms[0].negated);
  EXPECT_EQ(*terms[0].key, "agent");
  ASSERT_EQ(terms[0].values.size(), 2u);
  EXPECT_EQ(terms[0].values[0].at, 8u);
  EXPECT_EQ(terms[0].values[1].text, "b c");
  EXPECT_EQ(terms[0].values[1].end, 15u);
  EXPECT_FALSE(terms[1].key);
  EXPECT_EQ(terms[1].values[0].text, "word");
}

}  // namespace
}  // namespace hookswitch
