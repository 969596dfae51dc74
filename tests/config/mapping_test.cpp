#include "core/config/mapping.h"
#include "core/config/kept_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "core/config/config.h"
#include "core/config/kept_text.h"
#include "core/config/loader.h"
#include "core/config/platforms.h"
#include "core/config/schema_lookup.h"
#include "memory_environment.h"

namespace hookswitch::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Sample() {
  std::ostringstream text;
  text << std::ifstream(std::string(HSW_SOURCE_DIR) + "/tests/config/mapping.yaml").rdbuf();
  return text.str();
}

Config Good(const std::string& text, const MemoryEnvironment& memory = {}) {
  MemoryEnvironment all = memory;
  all.files["etc/router.yaml"] = text;
  Loaded loaded = Load("etc/router.yaml", all.Get());
  for (const Problem& problem : loaded.problems.All()) {
    EXPECT_THAT(problem.message, HasSubstr("plain sight")) << ToText(problem);
  }
  EXPECT_TRUE(loaded.config);
  return loaded.config ? std::move(*loaded.config) : Config();
}

std::string WithMap(const std::string& map, const std::string& type = "json") {
  return "version: 1\nsources: {crm: {type: " + type +
         ", path: /crm, auth: {bearer: true, secret: s3cret}, map: " + map +
         "}}\nsinks: {out: {plugin: file}}\nrules: [{name: all, when: {status: terminal}, send: [out]}]\n";
}

std::vector<std::string> Texts(const std::vector<ValuePath>& paths) {
  std::vector<std::string> texts;
  for (const ValuePath& path : paths) texts.push_back(ToText(path));
  return texts;
}

class WholeMapping : public testing::Test {
 protected:
  const Config config_ = Good(Sample());
  const Source& source_ = config_.sources.at(0);
  const Mapping& map_ = *source_.map;
};

TEST_F(WholeMapping, IsReadWithItsSource) {
  EXPECT_THAT(source_.methods, ElementsAre("GET", "POST"));
  EXPECT_EQ(source_.max_body, std::uint64_t{5} << 20);
  EXPECT_EQ(ToText(*map_.each), "batch.events");
  EXPECT_THAT(Texts(map_.dedup), ElementsAre("event.id", "header:x-id"));
  EXPECT_THAT(map_.volatile_fields, ElementsAre("ended_at", "meta.queue", "hangup.reason"));
  EXPECT_TRUE(map_.carry);
  EXPECT_EQ(map_.sample, "");
}

TEST_F(WholeMapping, KeepsTheOrderOfEventsOverAllLists) {
  using What = EventRule::What;
  std::vector<std::pair<What, std::string>> events;
  for (const EventRule& rule : map_.events) events.emplace_back(rule.what, rule.glob);
  EXPECT_THAT(events, ElementsAre(std::pair(What::kLive, "call.started"), std::pair(What::kLive, "call.ring*"),
                                  std::pair(What::kFinal, "call.analyzed"), std::pair(What::kFinal, ""),
                                  std::pair(What::kEnded, ""), std::pair(What::kSkip, "turn.*")));
  const ValueMatches& matches = map_.events[3].matches;
  ASSERT_EQ(matches.size(), 2u);
  EXPECT_EQ(ToText(matches[1].path), "outcome");
  ASSERT_EQ(matches[1].any.size(), 3u);
  EXPECT_EQ(matches[1].any[0].glob, "busy");
  EXPECT_TRUE(matches[1].any[2].absent);
  EXPECT_TRUE(map_.skip_other_events);
  EXPECT_THAT(Texts(map_.event_type.at(1).paths), ElementsAre("header:x-event"));
}

TEST_F(WholeMapping, HasRulesInTheirOrder) {
  ASSERT_EQ(map_.status.size(), 3u);
  const ValueRule& first = map_.status[0];
  EXPECT_THAT(Texts(first.paths), ElementsAre("call.outcome", "outcome"));
  ASSERT_EQ(first.values.entries.size(), 3u);
  EXPECT_EQ(first.values.entries[1].glob, "No*");
  EXPECT_EQ(first.values.entries[1].value, "no-answer");
  EXPECT_TRUE(first.values.entries[2].nothing);
  EXPECT_EQ(first.values.otherwise, "failed");
  EXPECT_EQ(map_.status[1].constant, "in-progress");
  EXPECT_EQ(ToText(map_.status[1].when.at(0).path), "event");
  EXPECT_EQ(map_.status[1].where.line, 25);
  EXPECT_THAT(Texts(map_.status[2].paths), ElementsAre("call.word"));
  EXPECT_THAT(Texts(map_.agent_id.at(0).paths), ElementsAre("\"call.agent\".id"));
  EXPECT_TRUE(map_.agent_name.at(0).when.at(0).any.at(0).absent);
}

TEST_F(WholeMapping, HasUnitsZonesAndCurrencies) {
  EXPECT_EQ(map_.started_at.at(0).unit, Unit::kMilliseconds);
  EXPECT_EQ(map_.ended_at.at(0).zone, "+05:30");
  EXPECT_EQ(map_.ended_at.at(0).plus.at(0).unit, Unit::kMinutes);
  EXPECT_EQ(map_.ended_at.at(1).unit, Unit::kRfc2822);
  EXPECT_EQ(map_.duration.at(0).unit, Unit::kNanoseconds);
  EXPECT_EQ(map_.duration.at(1).unit, Unit::kMicroseconds);
  EXPECT_EQ(map_.duration.at(2).from.at(0).unit, Unit::kSeconds);
  EXPECT_THAT(Texts(map_.duration.at(2).to.at(0).paths), ElementsAre("call.end"));
  EXPECT_EQ(map_.cost.at(0).divide, 100);
  EXPECT_EQ(map_.cost.at(0).currency, "EUR");
  EXPECT_THAT(Texts(map_.cost.at(0).currencies), ElementsAre("call.currency"));
}

TEST_F(WholeMapping, HasTurnsAndEntries) {
  const TurnsRule& turns = map_.transcript.at(0);
  EXPECT_THAT(Texts(turns.role), ElementsAre("who", "speaker"));
  EXPECT_THAT(Texts(turns.text), ElementsAre("words"));
  EXPECT_EQ(turns.roles.entries.at(0).value, "agent");
  EXPECT_TRUE(turns.roles.entries.at(1).nothing);
  EXPECT_EQ(ToText(turns.only.at(0).path), "kind");
  EXPECT_EQ(ToText(turns.when.at(0).path), "event");
  EXPECT_TRUE(map_.transcript.at(1).role.empty());
  ASSERT_EQ(map_.data.size(), 3u);
  EXPECT_EQ(ToText(*map_.data[1].key), "name");
  EXPECT_EQ(map_.data[1].prefix, "pairs.") << "the dot is put there";
  EXPECT_FALSE(map_.data[2].key);
  EXPECT_THAT(map_.data[2].skip, ElementsAre("*_at", "secret"));
  EXPECT_EQ(map_.meta.at(1).name, "whole");
  EXPECT_TRUE(map_.meta.at(1).path.steps.empty());
}

TEST_F(WholeMapping, IsKeptAndReadAgainAsItWas) {
  const KeptText kept = MakeKeptText(config_);
  const auto again = ReadKeptText(kept);
  ASSERT_TRUE(again) << again.error().message << kept.text;
  EXPECT_EQ(MakeKeptText(*again).text.substr(0, kept.text.find("x-places")),
            kept.text.substr(0, kept.text.find("x-places")));
  EXPECT_EQ(MakeKeptText(*again).hash, kept.hash);
  EXPECT_EQ(again->sources.at(0).map->events.size(), 6u);
  for (const char* part : {"batch.events", "call.dialed", "form:Type", "No*", "+05:30", "rfc2822", "currency_path",
                           "pairs.", "n/a", "hangup.reason", "whole", "turn.*", "only", "mood", "carry"}) {
    EXPECT_THAT(kept.text, HasSubstr(part));
  }
}

TEST(Mapping, ThatReadsAlikeIsKeptAlike) {
  const Digest one = MakeKeptText(Good(WithMap("{call_id: a.b, status: {path: s, values: {x: failed}}}"))).hash;
  const auto hash = [](const std::string& map) { return MakeKeptText(Good(WithMap(map))).hash; };
  EXPECT_EQ(hash("{status: [{values: {x: failed}, path: [s]}], call_id: [{path: $.\"a\".b}]}"), one);
  EXPECT_NE(hash("{call_id: a.c, status: {path: s, values: {x: failed}}}"), one);
  EXPECT_NE(hash("{call_id: a.b, status: {path: s, values: {x: busy}}}"), one);
  EXPECT_NE(hash("{call_id: a.b, status: {path: s, values: {x: failed}, otherwise: failed}}"), one);
  EXPECT_NE(hash("{call_id: a.b, status: {path: s, values: {x: null}}}"), one);
  EXPECT_NE(hash("{call_id: a.b, status: {path: s, values: {x: failed}}, events: {otherwise: skip}}"), one);
}

TEST(Mapping, FindsItsSampleBesideTheConfig) {
  MemoryEnvironment memory;
  memory.files["etc/samples/call.json"] = "{}";
  const Config config = Good(WithMap("{call_id: id, sample: samples/call.json}"), memory);
  EXPECT_EQ(config.sources.at(0).map->sample, "etc/samples/call.json");
  EXPECT_THAT(MakeKeptText(config).text, testing::Not(HasSubstr("samples"))) << "it decides nothing";
}

TEST(Platforms, HavePagesWithoutAProblem) {
  for (const auto& platform : Platforms()) {
    Problems problems;
    const auto again = ReadPlatform(platform.name, platform.text, problems);
    for (const Problem& problem : problems.All()) ADD_FAILURE() << ToText(problem);
    ASSERT_TRUE(again);
    EXPECT_NE(again->title, "");
    EXPECT_LE(std::ranges::count(platform.text, '\n'), 80) << platform.name;
    EXPECT_EQ(FindPlatform(platform.name), &platform);
  }
}

TEST(Platforms, AreKeptWithTheirMappingsAndTitles) {
  for (const auto& platform : Platforms()) {
    MemoryEnvironment memory;
    memory.files["etc/router.yaml"] = "version: 1\nsources: {a: {type: " + platform.name +
                                      ", path: /a}}\nsinks: {out: {plugin: file}}\n"
                                      "rules: [{name: r, when: {status: any}, send: [out]}]\n";
    const Loaded loaded = Load("etc/router.yaml", memory.Get());
    ASSERT_TRUE(loaded.config) << platform.name;
    const KeptText kept = MakeKeptText(*loaded.config);
    const auto again = ReadKeptText(kept);
    ASSERT_TRUE(again) << platform.name << ": " << again.error().message;
    EXPECT_EQ(MappingText(*again->sources.at(0).map), MappingText(*platform.map));
    EXPECT_EQ(again->sources.at(0).title, platform.title);
    EXPECT_EQ(MakeKeptText(*again).hash, kept.hash) << "or it would be another config";
  }
}

TEST(Platforms, AreTheTypesOfSources) {
  std::vector<std::string> types{"bolna"};
  for (const auto& platform : Platforms()) types.push_back(platform.name);
  types.emplace_back("json");
  std::vector<std::string> named;
  const auto& source = ConfigSchema().at("definitions").at("source").at("properties").at("type");
  for (const auto& type : source.at("enum").as_array()) named.emplace_back(type.as_string());
  EXPECT_EQ(named, types);
}

TEST(Platforms, OfAPageWithAMistakeSayWhere) {
  Problems problems;
  EXPECT_FALSE(ReadPlatform("new", "title: New\nmap:\n  call_id: a..b\n  statsu: c\n", problems));
  ASSERT_EQ(problems.All().size(), 2u);
  EXPECT_THAT(ToText(problems.All()[0]), HasSubstr("new.yaml:3:14: error: not a path: expected a name, found `.`"));
  EXPECT_THAT(ToText(problems.All()[1]), HasSubstr("did you mean \"status\"?"));
}

TEST(Platforms, MayNotBeMappedOtherwise) {
  MemoryEnvironment memory;
  memory.files["etc/router.yaml"] = WithMap("{call_id: id}", "bolna");
  const Loaded loaded = Load("etc/router.yaml", memory.Get());
  EXPECT_FALSE(loaded.config);
}

}  // namespace
}  // namespace hookswitch::config
