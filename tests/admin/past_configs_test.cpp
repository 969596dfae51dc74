#include "core/admin/past_configs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "core/config/kept_text.h"
#include "core/config/loader.h"
#include "core/sources/stored_request.h"
#include "tests/admin/fake_history.h"
#include "tests/config/memory_environment.h"
#include "tests/config/random_config.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

using testing::HasSubstr;

/// What a router makes of a config.
struct Made {
  explicit Made(const std::string& text) {
    config::MemoryEnvironment memory;
    memory.files["router.yaml"] = text;
    config::Loaded loaded = config::Load("router.yaml", memory.Get());
    EXPECT_TRUE(loaded.config) << config::AllText(loaded.problems) << text;
    if (!loaded.config) return;
    const auto agents = std::make_shared<const AgentMap>(loaded.config->agents);
    for (const auto& source : loaded.config->sources) sources.emplace(source.name, MakeSource(source, agents));
    config::Problems problems;
    routes = RouteTable::Compile(*loaded.config, problems);
    auto [hash, text_to_keep] = config::MakeKeptText(*loaded.config);
    kept = {hash, WallTime(std::chrono::hours(++hours)), std::move(text_to_keep)};
  }
  SourceMap sources;
  std::shared_ptr<const RouteTable> routes;
  KeptConfig kept;
  static inline int hours = 0;
};

std::string RandomBody(test::RandomConfig& random, int number) {
  const auto word = [&] { return json::value(random.Word()); };
  json::object call{
      {"id", "call-" + std::to_string(number)},
      {"status", random.Pick({"completed", "failed", "no-answer", "ringing", "call-disconnected", "odd"})},
      {"agent_id", word()},
      {"initiated_at",
       "2026-03-0" + std::to_string(1 + random.Below(9)) + "T0" + std::to_string(random.Below(9)) + ":30:00Z"}};
  if (random.OneIn(2)) call["conversation_duration"] = random.Below(200);
  if (random.OneIn(2)) call["total_cost"] = random.Below(300) / 2.0;
  if (random.OneIn(2)) call["summary"] = word();
  if (random.OneIn(2)) call["transcript"] = "assistant: " + random.Word() + "\nuser: " + random.Word();
  if (random.OneIn(2)) call["extracted_data"] = {{"x", word()}};
  if (random.OneIn(2)) call["answered_by_voice_mail"] = random.OneIn(2);
  if (random.OneIn(2)) call["batch_id"] = word();
  if (random.OneIn(2)) {
    call["telephony_data"] = {{"call_type", random.Pick({"inbound", "outbound"})},
                              {"from_number", "+12025550188"},
                              {"to_number", "+12025550123"},
                              {"hangup_by", word()},
                              {"hangup_reason", word()}};
  }
  return ToText(call);
}

std::vector<std::string> Texts(const std::vector<Route>& routes) {
  std::vector<std::string> texts;
  for (const Route& route : routes) {
    texts.push_back(std::string(route.sink) + " by " + std::string(route.rule) + " as " +
                    std::string(route.template_name) + (route.newest_only ? ", newest" : "") + " after " +
                    std::to_string(route.hold.count()));
  }
  return texts;
}

/// Accepts `body` as the ingress does: the same reading, the same routes.
void Accept(Journal& journal, const Made& made, const std::string& source, const std::string& body,
            std::map<EventSeq, std::vector<std::string>>& recorded) {
  const WallTime now{std::chrono::hours(500'000)};
  const auto read = made.sources.at(source)->Normalize({body, {}, now});
  ASSERT_TRUE(std::holds_alternative<Normalized>(read)) << body;
  const auto& call = std::get<CallEvent>(std::get<Normalized>(read).what);
  std::vector<Route> routes;
  made.routes->Match(call, routes);
  NewEvent event;
  event.source = source;
  event.body = body;
  event.dedup = DigestOf(source + body);
  event.received_at = now;
  event.config = &made.kept;
  const auto accepted = journal.Append(event);
  ASSERT_TRUE(accepted);
  recorded[accepted->event] = Texts(routes);
}

// Reloads, restarts and other configs in between change nothing.
TEST(PastConfigs, RouteEveryStoredEventAsItWasRoutedAtItsAcceptance) {
  std::size_t sent = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    test::RandomConfig random(seed);
    const auto disk = MemoryJournal::MakeDisk();
    auto journal = std::make_unique<MemoryJournal>(disk);
    auto past = std::make_unique<PastConfigs>(journal->history());
    std::map<EventSeq, std::vector<std::string>> recorded;
    std::vector<Digest> hashes;
    int number = 0;
    for (int reload = 0; reload < 8; ++reload) {
      const Made made(random.Text());
      past->Use(made.kept.hash, made.sources, made.routes);
      for (int i = 0; i < 6; ++i) {
        Accept(*journal, made, random.Pick({"bolna", "other"}), RandomBody(random, ++number), recorded);
        hashes.push_back(made.kept.hash);
      }
      if (random.OneIn(3)) {
        past.reset();
        journal = std::make_unique<MemoryJournal>(disk);
        past = std::make_unique<PastConfigs>(journal->history());
        past->Use(made.kept.hash, made.sources, made.routes);
      }
      for (const auto& [event, routes] : recorded) {
        const auto stored = journal->Load(event);
        ASSERT_TRUE(stored);
        const PastReading reading = past->Read(*stored);
        ASSERT_TRUE(reading.reading.call) << reading.reading.why_not;
        ASSERT_EQ(Texts(reading.reading.explanation.routes), routes) << "seed " << seed << ", event " << event;
        ASSERT_TRUE(reading.config);
        ASSERT_EQ(reading.config->hash, hashes[static_cast<std::size_t>(event) - 1]);
        ASSERT_EQ(reading.config->is_current, reading.config->hash == made.kept.hash);
        sent += routes.size();
      }
    }
  }
  EXPECT_GT(sent, 3000u) << "the random rules are too narrow to prove anything";
}

constexpr char kConfig[] =
    "version: 1\nsources: {bolna: {type: bolna, path: /b}}\nsinks: {ops: {plugin: slack}, sales: {plugin: slack}}\n";

class PastConfigsTest : public testing::Test {
 protected:
  StoredEvent Event(std::int64_t config) const {
    return {.seq = 1,
            .id = "01JD",
            .source = "bolna",
            .headers = "",
            .body = R"({"id": "c-1", "status": "completed"})",
            .received_at = WallTime(std::chrono::hours(1)),
            .config = config};
  }
  std::string SinkOf(std::int64_t config) {
    const PastReading past = past_.Read(Event(config));
    if (!past.reading.call) return "none: " + past.reading.why_not;
    const auto& routes = past.reading.explanation.routes;
    return routes.empty() ? "" : std::string(routes.front().sink);
  }

  const Made ops_{kConfig + std::string("rules: [{name: all, send: [ops]}]\n")};
  const Made sales_{kConfig + std::string("rules: [{name: all, send: [sales]}]\n")};
  FakeHistory history_;
  PastConfigs past_{history_};
};

TEST_F(PastConfigsTest, TheRunningConfigIsNotReadFromItsText) {
  history_.configs[1] = {ops_.kept.hash, ops_.kept.since, ""};
  past_.Use(ops_.kept.hash, ops_.sources, ops_.routes);
  EXPECT_EQ(SinkOf(1), "ops");
  const PastReading past = past_.Read(Event(1));
  EXPECT_TRUE(past.config->is_current);
  EXPECT_EQ(past.config->since, ops_.kept.since);
  past_.Use(sales_.kept.hash, sales_.sources, sales_.routes);
  EXPECT_THAT(SinkOf(1), HasSubstr("too large"));
  EXPECT_FALSE(past_.Read(Event(1)).config->is_current);
  past_.Use(ops_.kept.hash, ops_.sources, ops_.routes);
  EXPECT_EQ(SinkOf(1), "ops");
}

TEST_F(PastConfigsTest, WhatCannotBeReadSaysWhy) {
  past_.Use(sales_.kept.hash, sales_.sources, sales_.routes);
  EXPECT_THAT(SinkOf(0), HasSubstr("an earlier version of hookswitch stored it"));
  EXPECT_FALSE(past_.Read(Event(0)).config);
  EXPECT_THAT(SinkOf(7), HasSubstr("not in the journal"));
  history_.configs[1] = ops_.kept;
  history_.configs[1].text[12] ^= 1;
  EXPECT_THAT(SinkOf(1), HasSubstr("damaged"));
  EXPECT_TRUE(past_.Read(Event(1)).config) << "its hash and time are known all the same";
  const std::string newer = "version: 1\nrules: [{when: {mood: good}, drop: true}]\n";
  history_.configs[2] = {DigestOf(newer), {}, newer + "x-places: []\n"};
  EXPECT_THAT(SinkOf(2), HasSubstr("mood"));
  StoredEvent own = Event(0);
  own.source = kOwnSource;
  EXPECT_THAT(past_.Read(own).reading.why_not, HasSubstr("wrote it itself"));
}

TEST_F(PastConfigsTest, AnEventThatTheConfigReadsAsNoCallIsNoneThen) {
  history_.configs[1] = ops_.kept;
  StoredEvent event = Event(1);
  event.body = R"({"execution_id": 5})";
  EXPECT_EQ(past_.Read(event).reading.call, nullptr);
  EXPECT_THAT(past_.Read(event).reading.why_not, HasSubstr("missing_field"));
}

TEST_F(PastConfigsTest, WhatTheRunningConfigDoesNotReadIsNormalizedByItsOwn) {
  history_.configs[1] = ops_.kept;
  past_.Use(sales_.kept.hash, {}, sales_.routes);
  const auto call = past_.Normalize(Event(1));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->call_id, "c-1");
  past_.Use(ops_.kept.hash, {}, ops_.routes);
  EXPECT_EQ(past_.Normalize(Event(1)), nullptr) << "it names the running config, which was asked before";
  EXPECT_EQ(past_.Normalize(Event(0)), nullptr);
  EXPECT_EQ(past_.Normalize(Event(9)), nullptr);
}

TEST_F(PastConfigsTest, ReadersAndReloadsDoNotDisturbEachOther) {
  for (int i = 1; i <= 8; ++i) history_.configs[i] = i % 2 == 0 ? ops_.kept : sales_.kept;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      for (int i = 0; i < 60; ++i) {
        const int config = 1 + (i + reader) % 8;
        EXPECT_EQ(SinkOf(config), config % 2 == 0 ? "ops" : "sales");
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    const Made& made = i % 2 == 0 ? ops_ : sales_;
    past_.Use(made.kept.hash, made.sources, made.routes);
    std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
}

TEST_F(PastConfigsTest, RulesStandWhereTheyStoodThen) {
  history_.configs[1] = ops_.kept;
  const PastReading past = past_.Read(Event(1));
  ASSERT_EQ(past.reading.explanation.rules.size(), 1u);
  const config::Mark& where = past.reading.explanation.rules[0].where;
  ASSERT_TRUE(where.file);
  EXPECT_EQ(where.file->path, "router.yaml");
  EXPECT_EQ(where.line, 4);
}

/// Counts how often a config is loaded.
class CountingHistory : public FakeHistory {
 public:
  Result<KeptConfig> LoadConfig(std::int64_t config) override {
    ++loads;
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    return FakeHistory::LoadConfig(config);
  }
  int loads = 0;
  std::function<void()> meanwhile;  ///< called during the next load
};

TEST(PastConfigsMemory, HoldsTheLastFewAndCompilesTheOthersAgain) {
  CountingHistory history;
  for (int i = 1; i <= 6; ++i) {
    history.configs[i] = Made(kConfig + std::string("rules: [{name: r") + std::to_string(i) + ", send: [ops]}]\n").kept;
  }
  PastConfigs past(history);
  const auto rule_of = [&](std::int64_t config) {
    StoredEvent event{
        .seq = 1, .id = "", .source = "bolna", .headers = "", .body = R"({"id": "c", "status": "failed"})"};
    event.config = config;
    const PastReading reading = past.Read(event);
    return reading.reading.explanation.rules.empty() ? reading.reading.why_not
                                                     : reading.reading.explanation.rules.front().rule;
  };
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(rule_of(i), "r" + std::to_string(i));
  const int loads = history.loads;
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(rule_of(i), "r" + std::to_string(i));
  EXPECT_EQ(history.loads, loads);
  EXPECT_EQ(rule_of(5), "r5");
  EXPECT_EQ(rule_of(2), "r2");
  const int after = history.loads;
  EXPECT_EQ(rule_of(2), "r2");
  EXPECT_EQ(history.loads, after);
  EXPECT_EQ(rule_of(1), "r1") << "forgotten, and compiled again";
  EXPECT_GT(history.loads, after);
}

TEST(PastConfigsMemory, WhatAnotherReaderHasJustCompiledIsNotCompiledAgain) {
  CountingHistory history;
  history.configs[1] = Made(kConfig + std::string("rules: [{name: r, send: [ops]}]\n")).kept;
  PastConfigs past(history);
  StoredEvent event{.seq = 1, .id = "", .source = "bolna", .headers = "", .body = R"({"id": "c", "status": "failed"})"};
  event.config = 1;
  history.meanwhile = [&] { EXPECT_TRUE(past.Read(event).reading.call); };
  EXPECT_TRUE(past.Read(event).reading.call);
  EXPECT_EQ(history.loads, 3) << "each has looked it up, and one has read it to compile it";
}

}  // namespace
}  // namespace hookswitch
