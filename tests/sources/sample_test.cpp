#include "core/sources/mapping/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/mapping.h"
#include "tests/sources/mapped.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What is said of `body`: lines within the map, and what is wrong.
std::vector<std::string> Said(const std::string& map, const std::string& body) {
  config::Source source;
  source.name = "x";
  source.type = "json";
  source.map = test::MappingFrom(map);
  config::Problems problems;
  CheckSample(source, body, problems);
  std::vector<std::string> said;
  constexpr int kLinesBefore = 6;  // of the config around the map
  for (const config::Problem& problem : problems.All()) {
    EXPECT_EQ(problem.severity, config::Problem::Severity::kWarning);
    said.push_back(std::to_string(problem.where.line - kLinesBefore) + ": " + problem.message);
  }
  return said;
}

TEST(Sample, ThatHasEveryPathIsFine) {
  EXPECT_THAT(Said("call_id: call.id\nstatus: [{path: s, when: {other: null}}]\nfrom: header:X-From\n"
                   "transcript: {path: turns, role: who, text: words}\ndata: {path: pairs, key: k, value: v}\n",
                   R"({"call": {"id": "c"}, "s": "failed", "turns": [{"who": "bot", "words": "hi"}],
                       "pairs": [{"k": "a", "v": 1}]})"),
              IsEmpty());
}

TEST(Sample, EachPathThatItDoesNotHaveIsNamedAtItsLine) {
  EXPECT_THAT(Said("call_id: call.id\nstatus: [{path: call.state}]\nsummary:\n  - call.summary\n  - analysis.summary\n"
                   "duration: {from: {path: begin}, to: call.end}\ndedup: [event.id]\n",
                   R"({"call": {"id": "c", "summary": "s", "end": ""}})"),
              ElementsAre("2: the sample has nothing at call.state", "6: the sample has nothing at begin",
                          "6: the sample has nothing at call.end", "5: the sample has nothing at analysis.summary",
                          "7: the sample has nothing at event.id"));
}

TEST(Sample, PathsOfItemsStartThere) {
  EXPECT_THAT(Said("transcript: {path: turns, role: who, text: words}\ndata: {path: object, value: v}\n",
                   R"({"turns": [{"who": "bot", "text": "hi"}], "object": {"a": {"w": 1}}})"),
              ElementsAre("1: the sample has nothing at words", "2: the sample has nothing at v"));
}

TEST(Sample, OfSeveralEventsNeedsAPathInOneOfThem) {
  const std::string map = "each: events\ncall_id: id\nsummary: text\nerror: why\n";
  EXPECT_THAT(Said(map, R"({"events": [{"id": 1}, {"id": 2, "text": "t"}]})"),
              ElementsAre("4: the sample has nothing at why"));
}

TEST(Sample, MayBeAForm) {
  EXPECT_THAT(Said("call_id: CallSid\nfrom: form:From\nto: form:To\n", "CallSid=c&From=%2B1"),
              ElementsAre("3: the sample has nothing at form:To"));
}

TEST(Sample, ThatIsRefusedSaysWhy) {
  config::Source source;
  source.name = "x";
  source.type = "json";
  source.map = test::MappingFrom("call_id: call.id\n");
  config::Problems problems;
  CheckSample(source, R"({"call": {"number": 1}})", problems);
  ASSERT_FALSE(problems.All().empty());
  EXPECT_EQ(problems.All()[0].message, "the sample would be refused: missing_field: call.id");
}

}  // namespace
}  // namespace hookswitch
