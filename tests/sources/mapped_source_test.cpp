// What golden cases do not show of a source that is a mapping.
#include "core/sources/mapping/mapped_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/sources/mapped.h"

namespace hookswitch::test {
namespace {

Normalized Read(const Source& source, const std::string& body) {
  auto result = source.Normalize({body, {}, WallTime{}});
  const auto* refusal = std::get_if<Refusal>(&result);
  EXPECT_FALSE(refusal) << refusal->error << ' ' << refusal->detail;
  return refusal ? Normalized{} : std::move(std::get<Normalized>(result));
}

std::uint64_t Content(const std::string& map, const std::string& body) {
  return Read(*SourceFrom(map), body).content;
}

std::string Key(const std::string& map, const std::string& body) {
  return Read(*SourceFrom(map), body).dedup_key;
}

TEST(MappedSource, NamesEveryHeaderAndParameterThatItReads) {
  const auto source = SourceFrom(R"(
events: {path: ["header:X-Event", "query:event"], final: [{"header:X-Done": "*"}], otherwise: skip}
call_id: "query:id"
status: {path: state, when: {"header:x-when": null}}
duration: {from: "header:X-From", to: {path: "header:X-To", unit: s}}
ended_at: {path: end, plus: "query:plus"}
cost: {path: cost, currency_path: "header:X-Currency"}
transcript: {path: turns, when: {"query:only": "*"}}
data: {path: list, key: k, value: v, when: {"query:when": "*"}}
dedup: ["header:X-ID"]
)");
  const auto sorted = [](std::span<const std::string_view> names) {
    std::vector<std::string> all(names.begin(), names.end());
    std::ranges::sort(all);
    return all;
  };
  EXPECT_EQ(sorted(source->KeptHeaders()),
            (std::vector<std::string>{"x-currency", "x-done", "x-event", "x-from", "x-id", "x-to", "x-when"}));
  EXPECT_EQ(sorted(source->KeptParameters()), (std::vector<std::string>{"event", "id", "only", "plus", "when"}));
}

TEST(MappedSource, TheConfigNamesAnAgentThatItKnows) {
  const auto source = SourceFrom("call_id: id\nagent: {id: agent, name: name}\n");
  const auto agent = [&](const std::string& id) {
    const auto read = Read(*source, R"({"id":"c","agent":")" + id + R"(","name":"theirs"})");
    return std::get<CallEvent>(read.what);
  };
  EXPECT_EQ(agent("agent-known").agent_name, "billing-eu");
  EXPECT_EQ(agent("agent-known").agent_tags, std::vector<std::string>{"billing"});
  EXPECT_EQ(agent("another").agent_name, "theirs");
}

TEST(MappedSource, VolatileFieldsAreNoPartOfTheContent) {
  const std::string fields = R"(
call_id: id
ended_at: end
cost: cost
hangup: {by: by, reason: why}
data: data
meta: meta
)";
  const std::string some = fields + "volatile: [ended_at, cost, hangup.by, data.score, meta.queue]\n";
  const std::string one = R"({"id":"c","end":"2026-03-04T10:00:00Z","cost":1,"by":"a","why":"x",)"
                          R"("data":{"score":1,"scores":1},"meta":{"queue":{"n":1},"kind":"k"}})";
  const std::string other = R"({"id":"c","end":"2026-03-04T10:00:01Z","by":"b","why":"x",)"
                            R"("data":{"scores":1},"meta":{"queue":{"n":2},"kind":"k"}})";
  EXPECT_EQ(Content(some, one), Content(some, other));
  EXPECT_NE(Content(fields, one), Content(fields, other));
  EXPECT_NE(Content(some, one), 0u);
  std::string changed = other;
  changed.replace(changed.find("\"scores\":1"), 10, "\"scores\":2");
  EXPECT_NE(Content(some, one), Content(some, changed));
  const std::string whole = fields + "volatile: [meta, data, hangup, ended_at, cost]\n";
  EXPECT_EQ(Content(whole, one), Content(whole, changed));
}

TEST(MappedSource, LeavesVolatileFieldsInTheEvent) {
  const auto read = Read(*SourceFrom("call_id: id\nmeta: meta\ndata: data\nvolatile: [meta.a, data]\n"),
                         R"({"id":"c","meta":{"a":1,"b":2},"data":{"x":true}})");
  const auto& event = std::get<CallEvent>(read.what);
  EXPECT_EQ(event.meta.at("a"), "1");
  EXPECT_EQ(event.meta.at("b"), "2");
  EXPECT_EQ(event.data.at("x"), DataValue("true", DataValue::Kind::kBoolean));
}

TEST(MappedSource, KeysOfDifferentHappeningsAreDifferent) {
  const std::string map = "events: {path: event, live: ['*']}\ncall_id: id\nstatus: status\n";
  const auto key = [&](const char* id, const char* event, const char* status) {
    return Key(map, R"({"id":")" + std::string(id) + R"(","event":")" + event + R"(","status":")" + status + "\"}");
  };
  const std::vector<std::string> keys = {key("a:b", "c", "busy"),  key("a", "b:c", "busy"), key("a", "b", "c:busy"),
                                         key("a\\\\", "b", "odd"), key("a", "b", "odd"),    key("a", "b", "Other")};
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(std::ranges::count(keys, keys[i]), 1) << keys[i];
  EXPECT_EQ(key("a", "b", "Busy"), key("a", "b", "busy"));
  const std::string by_number = "call_id: id\ndedup: [event]\n";
  EXPECT_NE(Key(by_number, R"({"id":"a","event":12345678901234567890123})"),
            Key(by_number, R"({"id":"b","event":12345678901234567890124})"));
  const std::string x(300, 'x');
  EXPECT_NE(Key(by_number, R"({"id":"a","event":")" + x + "1\"}"),
            Key(by_number, R"({"id":"a","event":")" + x + "2\"}"));
}

TEST(MappedSource, AListOfTooManyEventsIsRefused) {
  const auto source = SourceFrom("each: calls\ncall_id: id\n");
  const auto body = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += (list.empty() ? "" : ",") + std::string("{\"id\":1}");
    return "{\"calls\":[" + list + "]}";
  };
  const std::string most = body(Source::kMaxEvents), more = body(Source::kMaxEvents + 1);
  EXPECT_EQ(source->Split({most, {}, {}}).value().size(), Source::kMaxEvents);
  EXPECT_FALSE(source->Split({more, {}, {}}));
  const auto refused = source->Normalize({more, {}, {}});
  ASSERT_TRUE(std::holds_alternative<Refusal>(refused));
  EXPECT_EQ(std::get<Refusal>(refused).http_status, 413);
  EXPECT_EQ(std::get<Refusal>(refused).detail, "more than 1000 events in one request");
}

TEST(MappedSource, SplitsNothingThatIsOneEvent) {
  EXPECT_FALSE(SourceFrom("call_id: id\n")->Split({R"([{"id":1}])", {}, {}}));
  EXPECT_FALSE(SourceFrom("each: calls\ncall_id: id\n")->Split({R"({"id":1})", {}, {}}));
  EXPECT_FALSE(SourceFrom("each: calls\ncall_id: id\n")->Split({"{", {}, {}}));
}

TEST(MappedSource, AnItemKeepsItsValuesExactly) {
  const auto bodies =
      SourceFrom("each: $\ncall_id: id\n")
          ->Split({R"([{"id":18446744073709551615,"n":0.1,"t":"\u00e9\ud83d\ude00\n\""},null])", {}, {}});
  ASSERT_TRUE(bodies);
  EXPECT_EQ(*bodies, (std::vector<std::string>{
                         "{\"id\":18446744073709551615,\"n\":0.1,\"t\":\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"\"}", "null"}));
}

TEST(MappedSource, SaysWhereFieldsAreFrom) {
  FieldPaths paths;
  const std::string body =
      R"({"ev":"done","calls":[{"id":"c"}],"a.b":{"x":"busy"},"pairs":[{"k":"p","v":1}],"f":{"g":{"h":1}}})";
  const auto source = SourceFrom(R"(
events: {path: ev, final: [done]}
call_id: calls[0].id
status: [missing, '"a.b".x']
summary: {value: fixed}
data: [f, {path: pairs, key: k, value: v}]
)");
  ASSERT_TRUE(std::holds_alternative<Normalized>(source->Normalize({body, {}, WallTime{}, &paths})));
  EXPECT_EQ(paths.Of("call_id"), "calls[0].id");
  EXPECT_EQ(paths.Of("status"), "\"a.b\".x");
  EXPECT_EQ(paths.Of("raw_status"), "\"a.b\".x");
  EXPECT_EQ(paths.Of("stage"), "ev");
  EXPECT_EQ(paths.Of("data.g.h"), "f.g.h");
  EXPECT_EQ(paths.Of("data.p"), "pairs");
  EXPECT_EQ(paths.Of("summary"), "");
}

}  // namespace
}  // namespace hookswitch::test
