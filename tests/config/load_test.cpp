#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "core/base/json.h"
#include "core/config/loader.h"
#include "core/config/schema_text.h"
#include "tests/config/memory_environment.h"
#include "tests/fakes/effort.h"

namespace hookswitch::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::string ReadSource(const std::string& path) {
  std::ifstream stream(std::string(HSW_SOURCE_DIR) + '/' + path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Loads `text`, which must be fine.
Config Good(const std::string& text, MemoryEnvironment memory = {}) {
  memory.files["etc/router.yaml"] = text;
  Loaded loaded = Load("etc/router.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems);
  return loaded.config ? std::move(*loaded.config) : Config();
}

Config Sample() {
  MemoryEnvironment memory;
  memory.variables = {{"HOOKSWITCH_ADMIN_TOKEN", "t0ken"}, {"BOLNA_WEBHOOK_SECRET", "s3cret"}};
  return Good(ReadSource("tests/config/sample.yaml"), memory);
}

constexpr char kBase[] =
    "sources: {bolna: {type: bolna, path: /bolna, allow_ips: [192.0.2.7]}}\n"
    "sinks: {ops: {plugin: slack}}\n";

Config WithWhen(const std::string& when) {
  return Good(kBase + ("rules: [{when: " + when + ", send: [ops]}]\n"));
}

const Condition& Only(const Config& config) {
  return config.rules.at(0).when.children.at(0);
}

// `line` of a config, with each number below `count` in the place of #.
std::string Many(const std::string& line, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    for (const char c : line) c == '#' ? text += std::to_string(i) : text += c;
  }
  return text;
}

// Seconds of this process, so that a busy machine counts for nothing.
double CostOf(const std::string& text) {
  MemoryEnvironment memory;
  memory.files["etc/router.yaml"] = text;
  const std::clock_t begin = std::clock();
  (void)Load("etc/router.yaml", memory.Get());
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(Load, CostsAsMuchAsTheConfigIsLong) {
  if (test::kOneIn != 1) GTEST_SKIP() << "what it measures would be the sanitizers";
  const std::pair<const char*, std::function<std::string(int)>> configs[] = {
      {"unknown keys", [](int n) { return kBase + Many("k#: 1\n", n); }},
      {"rules with an unknown key",
       [](int n) { return kBase + ("rules:\n" + Many("  - {when: {agnet: a#}, send: [ops]}\n", n)); }},
      {"rules to unknown sinks",
       [](int n) { return kBase + ("rules:\n" + Many("  - {when: {status: busy}, send: [op#]}\n", n)); }},
      {"rules with a tag each",
       [](int n) {
         return kBase + ("agents:\n" + Many("  id-#: {tags: [t#]}\n", n)) + "rules:\n" +
                Many("  - {when: {tags: t#}, send: [ops]}\n", n);
       }},
      {"sinks with a fallback",
       [](int n) {
         return "sources: {bolna: {type: bolna, path: /bolna}}\nsinks:\n" +
                Many("  s#: {plugin: slack, fallback: ops}\n", n) + "  ops: {plugin: slack}\n";
       }},
  };
  for (const auto& [name, text] : configs) {
    const double small = CostOf(text(2'000)), large = CostOf(text(16'000));
    // Eight times as long; what is quadratic costs 64 times as much.
    EXPECT_LT(large, 16 * small) << name << ": " << small << " s, then " << large << " s";
  }
}

TEST(Load, AJsonPairOfEscapesIsItsCharacter) {
  const auto title = [](const std::string& written) {
    return Good(kBase + ("rules: [{send: [ops]}]\ntemplates:\n  other: {title: \"\\ud83d\\ude00\"}\n  a: {title: " +
                         written + "}\n"))
        .templates.at(1)
        .title;
  };
  EXPECT_EQ(title(R"("\ud83d\udea8 on \uD83D\uDEA8\ud83d\ude00 \"\u00e9\"")"),
            "\U0001F6A8 on \U0001F6A8\U0001F600 \"\u00e9\"");
  EXPECT_EQ(title(R"("\\ud83d\\udea8 \udbff\udfff\ud800\udc00")"), "\\ud83d\\udea8 \U0010FFFF\U00010000");
  EXPECT_EQ(title(R"('\ud83d\udea8')"), "\\ud83d\\udea8") << "no escape in single quotes";
  EXPECT_EQ(title(R"(x\ud83d\udea8)"), "x\\ud83d\\udea8");
}

TEST(Load, ASurrogateWithoutItsOtherHalfIsAnErrorAtItsPlace) {
  for (const char* written : {R"("\ud83d")", R"("\udea8\ud83d")", R"("\ud83dx\udea8")", R"("\ud83d\u0041")",
                              R"("\ud83d\udea8 \ud83d")", "\"\xEE\x80\xBD\xEE\x9A\xA8 \\ud83d\\udea8\""}) {
    MemoryEnvironment memory;
    memory.files["etc/router.yaml"] = std::string(kBase) + "templates: {a: {title: " + written + "}}\n";
    const Loaded loaded = Load("etc/router.yaml", memory.Get());
    EXPECT_FALSE(loaded.config) << written;
    EXPECT_THAT(AllText(loaded.problems), testing::HasSubstr("etc/router.yaml:3:")) << written;
    EXPECT_THAT(AllText(loaded.problems), testing::HasSubstr("escape that is no character")) << written;
  }
}

TEST(Load, MorePairsOfEscapesThanAreReadAreToldAsWhatTheyAre) {
  MemoryEnvironment memory;
  std::string& text = memory.files["etc/router.yaml"];
  text = std::string(kBase) + "rules: [{send: [ops]}]\ntags:\n";
  for (int i = 0; i < 100; ++i) text += "  - \"\\ud83d\\udea8\"\n";
  text += "# " + std::string(2 << 20, '-') + "\n";
  const Loaded loaded = Load("etc/router.yaml", memory.Get());
  EXPECT_THAT(AllText(loaded.problems), testing::HasSubstr("too many texts with pairs"));
}

TEST(Load, TheAdminListensOnAnAddressOrSeveral) {
  const auto listens = [](const std::string& admin) {
    return Good(kBase + ("rules: [{send: [ops]}]\nadmin: " + admin + "\n")).admin.listen;
  };
  EXPECT_THAT(listens("{}"), ElementsAre(Listen{"127.0.0.1", 8001}));
  EXPECT_THAT(listens("{listen: \"[::1]:9000\"}"), ElementsAre(Listen{"::1", 9000}));
  EXPECT_THAT(listens("{listen: unix:/run/hookswitch/admin.sock}"),
              ElementsAre(Listen{"unix:/run/hookswitch/admin.sock", 0}));
  EXPECT_THAT(listens("{listen: [127.0.0.1:8001, unix:/run/a.sock, unix:/run/b.sock]}"),
              ElementsAre(Listen{"127.0.0.1", 8001}, Listen{"unix:/run/a.sock", 0}, Listen{"unix:/run/b.sock", 0}));
  EXPECT_TRUE(listens("{listen: unix:/run/a.sock}").front().is_unix());
}

TEST(Load, EachAdminTokenHasANameAndARight) {
  MemoryEnvironment memory;
  memory.variables = {{"ANA", "1"}, {"PAGE", "2"}, {"PROMETHEUS", "3"}};
  const Config config = Good(kBase + std::string("rules: [{send: [ops]}]\nadmin:\n  listen: 0.0.0.0:8001\n  tokens:\n"
                                                 "    - {name: ana, token: {env: ANA}, may: change}\n"
                                                 "    - {name: page.1, token: {env: PAGE}}\n"
                                                 "    - {name: prometheus, token: {env: PROMETHEUS}, may: metrics}\n"),
                             memory);
  using Right = Admin::Right;
  EXPECT_TRUE(config.admin.token.empty());
  EXPECT_THAT(config.admin.tokens, ElementsAre(Admin::Token{"ana", Secret("1"), Right::kChange},
                                               Admin::Token{"page.1", Secret("2"), Right::kRead},
                                               Admin::Token{"prometheus", Secret("3"), Right::kMetrics}));
}

TEST(Sample, LoadsWithoutAWarning) {
  MemoryEnvironment memory;
  memory.files["router.yaml"] = ReadSource("tests/config/sample.yaml");
  memory.variables = {{"HOOKSWITCH_ADMIN_TOKEN", "t0ken"}, {"BOLNA_WEBHOOK_SECRET", "s3cret"}};
  const Loaded loaded = Load("router.yaml", memory.Get());
  EXPECT_EQ(AllText(loaded.problems), "");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->file, "router.yaml");
}

TEST(Sample, GivesTypedListenersAndLimits) {
  const Config config = Sample();
  EXPECT_EQ(config.server.listen, (Listen{"0.0.0.0", 8000}));
  EXPECT_EQ(config.server.public_url, "https://calls.example.com");
  ASSERT_EQ(config.server.trusted_proxies.size(), 1u);
  EXPECT_EQ(config.server.trusted_proxies[0], (Network{"127.0.0.0/8", *ParseIpAddress("127.0.0.0"), 8}));
  EXPECT_EQ(config.server.max_body, 1u << 20);
  EXPECT_EQ(config.server.drain_timeout, 20s);
  EXPECT_THAT(config.admin.listen, ElementsAre(Listen{"127.0.0.1", 8001}));
  EXPECT_TRUE(config.admin.token.Equals("t0ken"));
  EXPECT_EQ(config.journal.path, "/var/lib/hookswitch/journal.db");
  EXPECT_EQ(config.journal.retention_age, 24h * 7);
  EXPECT_EQ(config.journal.retention_size, std::uint64_t{2} << 30);
  EXPECT_THAT(config.plugin_paths, ElementsAre("/usr/lib/hookswitch/sinks"));
  EXPECT_EQ(config.timezone, "Asia/Kolkata");
}

TEST(Journal, PathStartsAtTheFolderOfTheConfigFile) {
  const auto here = std::filesystem::current_path();
  EXPECT_EQ(Good(kBase + std::string("journal: {path: data/journal.db}\n")).journal.path,
            (here / "etc/data/journal.db").string());
  EXPECT_EQ(Good(kBase + std::string("journal: {path: /srv/../data/journal.db}\n")).journal.path, "/data/journal.db");
  EXPECT_EQ(Good(kBase).journal.path, "/var/lib/hookswitch/journal.db");
}

TEST(Journal, OnPostgresKeepsItsFilesInTheStateFolder) {
  const Config config = Good(kBase + std::string("journal: {postgres: {url: \"postgres://db/calls\", schema: calls}}\n"
                                                 "cluster: {name: router-1, lease: 20s}\nstate_dir: state\n"));
  ASSERT_TRUE(config.journal.postgres);
  EXPECT_EQ(config.journal.postgres->url.Reveal(), "postgres://db/calls");
  EXPECT_EQ(config.journal.postgres->schema, "calls");
  EXPECT_EQ(config.journal.beside, (std::filesystem::current_path() / "etc/state/router").string());
  EXPECT_EQ(config.cluster, (Cluster{"router-1", 20s}));
  const Config plain = Good(kBase + std::string("journal: {postgres: {url: \"postgres://db/calls\"}}\n"));
  EXPECT_EQ(plain.journal.postgres->schema, "hookswitch");
  EXPECT_EQ(plain.journal.beside, "/var/lib/hookswitch/router");
  EXPECT_NE(plain.cluster.name, "");
  EXPECT_EQ(plain.cluster.lease, 15s);
  EXPECT_EQ(Good(kBase).journal.beside, "/var/lib/hookswitch/journal.db") << "beside the database file";
}

TEST(Inspector, WhatItShowsIsOneOfThreeWords) {
  EXPECT_EQ(Good(kBase).bodies, Bodies::kFull);
  EXPECT_EQ(Good(kBase + std::string("inspector: {}\n")).bodies, Bodies::kFull);
  EXPECT_EQ(Good(kBase + std::string("inspector: {bodies: full}\n")).bodies, Bodies::kFull);
  EXPECT_EQ(Good(kBase + std::string("inspector: {bodies: masked}\n")).bodies, Bodies::kMasked);
  EXPECT_EQ(Good(kBase + std::string("inspector: {bodies: off}\n")).bodies, Bodies::kOff);
}

TEST(Sample, GivesTypedSourcesAndAgents) {
  const Config config = Sample();
  ASSERT_EQ(config.sources.size(), 1u);
  const Source& source = config.sources[0];
  EXPECT_EQ(source.name, "bolna");
  EXPECT_EQ(source.type, "bolna");
  EXPECT_EQ(source.path, "/bolna/webhook");
  EXPECT_EQ(source.allow_ips.size(), 3u);
  EXPECT_EQ(source.allow_ips[0], (Network{"13.203.39.153", *ParseIpAddress("13.203.39.153"), 32}));
  ASSERT_TRUE(source.auth);
  EXPECT_EQ(source.auth->place, Auth::Place::kHeader);
  EXPECT_EQ(source.auth->name, "X-Webhook-Secret");
  EXPECT_TRUE(source.auth->secret.Equals("s3cret"));
  EXPECT_EQ(source.currency, "USD");
  const Agent& agent = config.agents.at("3c90c3cc-0d44-4b50-8888-8dd25736052a");
  EXPECT_EQ(agent.name, "billing-eu");
  EXPECT_THAT(agent.tags, ElementsAre("billing"));
}

TEST(Sample, GivesTypedSinks) {
  const Config config = Sample();
  ASSERT_EQ(config.sinks.size(), 2u);
  const Sink& ops = config.sinks[0];
  EXPECT_EQ(ops.name, "ops");
  EXPECT_EQ(ops.plugin, "slack");
  EXPECT_EQ(ops.plugin_where.line, 35);
  EXPECT_EQ(ops.plugin_where.column, 13);
  EXPECT_EQ(ops.rate_limit, (Rate{1, 1s, 3}));
  EXPECT_EQ(ops.retry, (Retry{{2s, 10s, 30s, 2min, 10min, 30min, 1h}, 24h}));
  EXPECT_EQ(ops.fallback, "oncall");
  EXPECT_EQ(ops.timeout, 10s);
  EXPECT_EQ(config.sinks[1].retry, ops.retry);
  EXPECT_FALSE(config.sinks[1].rate_limit);
}

TEST(Sinks, TroublesHaveTypedPolicies) {
  const Config config = Good(R"(
sources: {bolna: {type: bolna, path: /bolna, allow_ips: [192.0.2.7]}}
defaults: {notify_problems_to: oncall}
journal: {keep_bodies: 0B}
sinks:
  ops:
    plugin: slack
    max_age: 1h
    breaker: {failures: 9, rate: 80, window: 30s, wait: 5s, max_wait: 2m}
    classify: {404: retry, 5xx: rejected, 409: delivered, 401: misconfigured}
  archive: {plugin: file, notify_problems_to: ops}
  oncall: {plugin: slack}
rules:
  - {send: [ops, oncall], per_call: latest, settle: 5m}
  - {send: [archive]}
)");
  ASSERT_EQ(config.sinks.size(), 3u);
  const Sink& ops = config.sinks[0];
  EXPECT_EQ(ops.max_age, 1h);
  EXPECT_EQ(ops.breaker, (Breaker{9, 80, 30s, 5s, 2min}));
  EXPECT_EQ(ops.classify, (Classify{{"404", Outcome::Kind::kRetry},
                                    {"5xx", Outcome::Kind::kRejected},
                                    {"409", Outcome::Kind::kDelivered},
                                    {"401", Outcome::Kind::kMisconfigured}}));
  EXPECT_EQ(ops.notify_problems_to, "oncall");
  EXPECT_EQ(config.sinks[1].notify_problems_to, "ops");
  EXPECT_EQ(config.sinks[2].notify_problems_to, "") << "nobody tells of itself";
  EXPECT_EQ(config.sinks[1].breaker, Breaker{});
  EXPECT_FALSE(config.sinks[1].max_age);
  EXPECT_EQ(config.journal.keep_bodies, 0u);
  EXPECT_TRUE(config.rules[0].newest_only);
  EXPECT_EQ(config.rules[0].settle, 5min);
  EXPECT_FALSE(config.rules[1].newest_only);
  EXPECT_EQ(config.rules[1].settle, 0ms);
}

TEST(Sample, GivesTypedRules) {
  const Config config = Sample();
  ASSERT_EQ(config.rules.size(), 3u);
  EXPECT_EQ(config.rules[0].name, "ignore-tests");
  EXPECT_TRUE(config.rules[0].drop);
  const auto& failed = config.rules[1].when.children;
  ASSERT_EQ(failed.size(), 3u);
  EXPECT_EQ(failed[0].kind, Condition::Kind::kAgent);
  EXPECT_EQ(failed[0].patterns[0].mode, Pattern::Mode::kExact);
  EXPECT_EQ(failed[0].patterns[1].mode, Pattern::Mode::kGlob);
  EXPECT_EQ(failed[1].statuses, Bit(CallStatus::kFailed) | Bit(CallStatus::kNoAnswer) | Bit(CallStatus::kBusy));
  EXPECT_EQ(failed[2].kind, Condition::Kind::kMinDuration);
  EXPECT_EQ(failed[2].number, 0);
  EXPECT_EQ(config.rules[1].send[1].sink, "oncall");
  EXPECT_EQ(config.rules[2].when.children[1].number, 120);
  EXPECT_EQ(config.rules[2].send[0].template_name, "short");
  EXPECT_THAT(config.unmatched, IsEmpty());
}

TEST(Sample, GivesTypedSchedulesAndTemplates) {
  const Config config = Sample();
  ASSERT_EQ(config.schedules.size(), 1u);
  EXPECT_EQ(config.schedules[0].timezone, "Asia/Kolkata");
  ASSERT_EQ(config.schedules[0].windows.size(), 1u);
  EXPECT_EQ(config.schedules[0].windows[0].days, 0b0011111);
  EXPECT_EQ(config.schedules[0].windows[0].from_minute, 9 * 60);
  EXPECT_EQ(config.schedules[0].windows[0].to_minute, 18 * 60);
  ASSERT_EQ(config.templates.size(), 1u);
  EXPECT_EQ(config.templates[0].title, "{{agent}}: {{status}}");
  EXPECT_FALSE(config.templates[0].transcript);
}

TEST(InstalledFiles, LoadWithoutAWarning) {
  MemoryEnvironment memory;
  memory.variables = {{"BOLNA_WEBHOOK_SECRET", "s3cret"}, {"HOOKSWITCH_ADMIN_TOKEN", "t0ken"}};
  memory.files["etc/hookswitch.yaml"] = ReadSource("config/hookswitch.yaml");
  EXPECT_EQ(AllText(Load("etc/hookswitch.yaml", memory.Get()).problems), "");
  memory.files["etc/rules.d/billing.yaml"] = ReadSource("config/rules.d/billing.yaml.example");
  const Loaded loaded = Load("etc/hookswitch.yaml", memory.Get());
  EXPECT_EQ(AllText(loaded.problems), "");
  EXPECT_EQ(loaded.config->rules.size(), 4u);
}

TEST(DefaultStatus, IsAddedToARuleThatAsksForNone) {
  const Config config = WithWhen("{agent: x}");
  const Condition& last = config.rules[0].when.children.back();
  EXPECT_EQ(last.kind, Condition::Kind::kStatus);
  EXPECT_EQ(last.statuses, EndedStatuses());
}

TEST(DefaultStatus, IsAddedToADropRule) {
  const Config config = Good(std::string(kBase) + "rules: [{drop: true}, {send: [ops]}]\n");
  EXPECT_EQ(config.rules[0].when.children.at(0).statuses, EndedStatuses());
}

TEST(DefaultStatus, IsLeftOutWhereStatusIsAskedInside) {
  const Config config = WithWhen("{any: [{not: {status: completed}}, {agent: x}]}");
  ASSERT_EQ(config.rules[0].when.children.size(), 1u);
  EXPECT_EQ(config.rules[0].when.children[0].kind, Condition::Kind::kAny);
}

TEST(DefaultStatus, ComesFromDefaults) {
  const Config config =
      Good(std::string(kBase) + "defaults: {status: [ringing, unsuccessful]}\nrules: [{send: [ops]}]\n");
  EXPECT_EQ(config.rules[0].when.children.at(0).statuses, Bit(CallStatus::kRinging) | UnsuccessfulStatuses());
}

TEST(Conditions, AnyAllAndNotNest) {
  const Config config = WithWhen("{any: [{all: [{agent: a}]}, {not: {agent: b, voicemail: true}}]}");
  const Condition& any = Only(config);
  ASSERT_EQ(any.kind, Condition::Kind::kAny);
  EXPECT_EQ(any.children.at(0).children.at(0).kind, Condition::Kind::kAll);
  const Condition& negated = any.children.at(1).children.at(0);
  ASSERT_EQ(negated.kind, Condition::Kind::kNot);
  ASSERT_EQ(negated.children.size(), 1u);
  EXPECT_EQ(negated.children[0].kind, Condition::Kind::kAll);
  EXPECT_EQ(negated.children[0].children.size(), 2u);
}

TEST(Conditions, DataTakesTextGlobContainsAndRegex) {
  const Config config = WithWhen("{data.General.Outcome: [yes, \"conf*\", {contains: [a, b]}, {regex: \"^x\"}]}");
  const Condition& data = Only(config);
  EXPECT_EQ(data.kind, Condition::Kind::kData);
  EXPECT_EQ(data.path, "General.Outcome");
  ASSERT_EQ(data.patterns.size(), 5u);
  EXPECT_EQ(data.patterns[0].text, "yes");
  EXPECT_EQ(data.patterns[0].mode, Pattern::Mode::kExact);
  EXPECT_EQ(data.patterns[1].mode, Pattern::Mode::kGlob);
  EXPECT_EQ(data.patterns[3].mode, Pattern::Mode::kContains);
  EXPECT_EQ(data.patterns[4].mode, Pattern::Mode::kRegex);
}

TEST(Conditions, CostAndDurationHaveUnits) {
  const Config config = WithWhen("{min_cost: 2.50 USD, max_duration: 1m30s500ms}");
  EXPECT_EQ(Only(config).number, 2.5);
  EXPECT_EQ(Only(config).currency, "USD");
  EXPECT_EQ(config.rules[0].when.children[1].number, 90.5);
}

TEST(Conditions, StagesAreASet) {
  const auto when = WithWhen("{stage: [ended, final], success: false, sentiment: \"neg*\"}").rules[0].when;
  ASSERT_EQ(when.children.size(), 3u) << "defaults.status counts only where neither status nor stage is named";
  EXPECT_EQ(when.children[0].kind, Condition::Kind::kStage);
  EXPECT_EQ(when.children[0].stages, Bit(Stage::kEnded) | Bit(Stage::kFinal));
  EXPECT_FALSE(when.children[0].settles);
  EXPECT_EQ(when.children[1].kind, Condition::Kind::kSuccess);
  EXPECT_FALSE(when.children[1].flag);
  EXPECT_EQ(when.children[2].patterns.at(0).mode, Pattern::Mode::kGlob);
  EXPECT_TRUE(when.children[2].patterns.at(0).ignore_case);
}

TEST(Conditions, WithSettleAnEndedEventCountsAsFinalButNotWhereThatIsRuledOut) {
  const auto config = Good(std::string(kBase) +
                           "rules: [{settle: 15m, when: {stage: final, any: [{stage: [live, final]}, {stage: live}],"
                           " not: {stage: final}}, send: [ops]}]\n");
  const auto& when = config.rules[0].when.children;
  EXPECT_TRUE(when.at(0).settles);
  EXPECT_TRUE(when.at(1).children.at(0).children.at(0).settles);
  EXPECT_FALSE(when.at(1).children.at(1).children.at(0).settles);
  EXPECT_FALSE(when.at(2).children.at(0).children.at(0).settles);
}

TEST(Conditions, ExtractedValuesAreComparedAsTextsOrAsNumbers) {
  const auto only = [](const std::string& value) { return Only(WithWhen("{data.x: " + value + "}")); };
  EXPECT_EQ(only("85").patterns.at(0).text, "85");
  EXPECT_EQ(only("true").patterns.at(0).text, "true");
  const Condition range = only("{min: 80, max: 100.5}");
  EXPECT_EQ(range.kind, Condition::Kind::kDataRange);
  EXPECT_EQ(range.least, 80);
  EXPECT_EQ(range.most, 100.5);
  EXPECT_FALSE(only("{max: -1}").least);
  const Condition any_case = only("{is: [Confirmed, \"yes*\"], ignore_case: true}");
  EXPECT_TRUE(any_case.patterns.at(0).ignore_case);
  EXPECT_EQ(any_case.patterns.at(1).mode, Pattern::Mode::kGlob);
  EXPECT_FALSE(only("{is: Confirmed}").patterns.at(0).ignore_case);
}

TEST(Conditions, RemainingKindsAreRead) {
  const Config config =
      Good(std::string(kBase) +
           "schedules: {nights: {timezone: Asia/Tokyo, windows: [{days: [sat, sun], hours: \"22:00-06:00\"}]}}\n"
           "rules: [{when: {source: bolna, direction: [web, inbound], voicemail: false, during: nights,"
           " has: [transcript, data.x], hangup_by: Callee, from: \"+1*\"}, send: [ops]}]\n");
  const auto& all = config.rules[0].when.children;
  EXPECT_EQ(all[0].kind, Condition::Kind::kSource);
  EXPECT_THAT(all[1].directions, ElementsAre(Direction::kWeb, Direction::kInbound));
  EXPECT_EQ(all[2].kind, Condition::Kind::kVoicemail);
  EXPECT_FALSE(all[2].flag);
  EXPECT_EQ(all[3].kind, Condition::Kind::kDuring);
  EXPECT_EQ(all[4].patterns.at(1).text, "data.x");
  EXPECT_EQ(all[6].patterns.at(0).mode, Pattern::Mode::kGlob);
  EXPECT_EQ(config.schedules[0].timezone, "Asia/Tokyo");
  EXPECT_EQ(config.schedules[0].windows.at(0).days, 0b1100000);
}

TEST(Scalars, PlainWordsStayText) {
  const Config config =
      Good(std::string(kBase) + "rules: [{name: 010, when: {agent: [yes, on, 09:00, 1e3]}, send: [ops]}]\n");
  EXPECT_EQ(config.rules[0].name, "010");
}

TEST(Unmatched, SendsWhereTold) {
  const Config config = Good(std::string(kBase) + "unmatched: {send: [ops]}\n");
  ASSERT_EQ(config.unmatched.size(), 1u);
  EXPECT_EQ(config.unmatched[0].sink, "ops");
}

TEST(Rate, BurstIsMaxUnlessSet) {
  const Config config = Good(
      "sources: {b: {type: bolna, path: /b, rate_limit: {max: 50}, auth: {bearer: true, secret: {env: T}}}}\n"
      "sinks: {ops: {plugin: slack, rate_limit: {max: 4, per: 1m, burst: 2}}}\nrules: [{send: [ops]}]\n",
      {{}, {{"T", "x"}}});
  EXPECT_EQ(config.sources[0].rate_limit, (Rate{50, 1s, 50}));
  EXPECT_EQ(config.sinks[0].rate_limit, (Rate{4, 1min, 2}));
}

TEST(Include, MergesInByteOrderAfterTheMainFile) {
  MemoryEnvironment memory;
  memory.files["etc/rules.d/b.yaml"] = "rules: [{name: from-b, send: [late]}]\nsinks: {late: {plugin: slack}}\n";
  memory.files["etc/rules.d/a.yaml"] = "rules: [{name: from-a, send: [ops]}, {send: [ops]}]\n";
  const Config config =
      Good(std::string(kBase) + "include: [\"rules.d/*.yaml\"]\nrules: [{name: main, send: [ops]}]\n", memory);
  std::vector<std::string> names;
  for (const Rule& rule : config.rules) names.push_back(rule.name);
  EXPECT_THAT(names, ElementsAre("main", "from-a", "rule-3", "from-b"));
  EXPECT_EQ(config.sinks.back().name, "late");
  EXPECT_EQ(config.sinks.back().where.file->path, "etc/rules.d/b.yaml");
}

TEST(Include, SecretFilesAndPluginPathsAreRelativeToTheConfig) {
  MemoryEnvironment memory;
  memory.files["etc/token"] = "from-file\r\n";
  const Config config = Good(
      std::string(kBase) + "admin: {token: {file: token}}\nplugins: {paths: [sinks, ../lib]}\nrules: [{send: [ops]}]\n",
      memory);
  EXPECT_TRUE(config.admin.token.Equals("from-file"));
  const auto here = std::filesystem::current_path();
  EXPECT_THAT(config.plugin_paths, ElementsAre((here / "etc/sinks").string(), (here / "lib").string()));
}

TEST(Load, SaysWhenTheMainFileCannotBeRead) {
  const Loaded loaded = Load("etc/none.yaml", MemoryEnvironment().Get());
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(AllText(loaded.problems), "etc/none.yaml: error: cannot read the config: No such file or directory\n");
}

TEST(Load, RefusesAFileThatIsTooLarge) {
  MemoryEnvironment memory;
  memory.files["big.yaml"] = "# " + std::string(5 << 20, 'x');
  const Loaded loaded = Load("big.yaml", memory.Get());
  EXPECT_EQ(AllText(loaded.problems), "big.yaml: error: larger than 4 MiB\n");
}

TEST(Load, ReadsSecretsAnewEachTime) {
  MemoryEnvironment memory;
  memory.files["c.yaml"] = std::string(kBase) + "admin: {token: {env: T}}\n";
  memory.variables["T"] = "one";
  EXPECT_TRUE(Load("c.yaml", memory.Get()).config->admin.token.Equals("one"));
  memory.variables["T"] = "two";
  EXPECT_TRUE(Load("c.yaml", memory.Get()).config->admin.token.Equals("two"));
}

TEST(SystemEnvironment, NamesTheReasonOfAFileItCannotRead) {
  const Environment environment = Environment::System();
  std::string error;
  EXPECT_FALSE(environment.read_file("/nonexistent/file", error));
  EXPECT_EQ(error, "No such file or directory");
  EXPECT_FALSE(environment.read_file("/", error));
  EXPECT_EQ(error, "Is a directory");
}

void ForEachProperty(const json::value& schema, const std::string& at, const auto& visit) {
  if (schema.is_array()) {
    for (const auto& item : schema.get_array()) ForEachProperty(item, at, visit);
  }
  if (!schema.is_object()) return;
  for (const auto& [key, value] : schema.get_object()) {
    if (key == "properties" || key == "patternProperties") {
      for (const auto& property : value.get_object()) {
        visit(at + '.' + std::string(property.key()), property.value());
        ForEachProperty(property.value(), at + '.' + std::string(property.key()), visit);
      }
    } else if (key != "default" && key != "enum") {
      ForEachProperty(value, at, visit);
    }
  }
}

TEST(SystemEnvironment, ReadsNothingButFilesAndWaitsForNothing) {
  const std::string pipe = testing::TempDir() + "hookswitch_pipe_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Environment environment = Environment::System();
  for (const std::string& path : {pipe, std::string("/dev/zero")}) {
    std::string error;
    EXPECT_FALSE(environment.read_file(path, error)) << path;
    EXPECT_EQ(error, "not a regular file") << path;
  }
  std::filesystem::remove(pipe);
}

TEST(Load, AliasesAreBoundedInBytesToo) {
  const std::string text = "x: &a \"" + std::string(100'000, 'x') + "\"\ny: [" + [] {
    std::string aliases;
    for (int i = 0; i < 100; ++i) aliases += "*a, ";
    return aliases;
  }() + "]\n";
  MemoryEnvironment memory;
  memory.files["etc/router.yaml"] = text;
  const Loaded loaded = Load("etc/router.yaml", memory.Get());
  EXPECT_FALSE(loaded.config);
  EXPECT_THAT(AllText(loaded.problems), testing::HasSubstr("stand for more than 4 MiB of text"));
}

TEST(Load, AConfigOfManyNamesIsReadInStepsThatDoNotGrow) {
  std::string agents = "agents:\n";
  std::string rules = "rules:\n";
  constexpr int kAgents = 60'000 / test::kOneIn;
  for (int i = 0; i < kAgents; ++i) {
    agents += "  agent-" + std::to_string(i) + ": {name: name-" + std::to_string(i) + "}\n";
    if (i % 4 == 0) {
      rules +=
          "  - {name: rule-" + std::to_string(i) + ", when: {agent: name-" + std::to_string(i) + "}, send: [ops]}\n";
    }
  }
  const Config config = Good(kBase + agents + rules);
  EXPECT_EQ(config.agents.size(), std::size_t{kAgents});
  EXPECT_EQ(config.rules.size(), std::size_t{kAgents / 4}) << "in seconds; each beside each takes minutes";
}

TEST(Schema, DescribesEveryKey) {
  const json::value schema = json::parse(json::string_view(SchemaText().data(), SchemaText().size()));
  int count = 0;
  ForEachProperty(schema, "", [&](const std::string& at, const json::value& property) {
    ++count;
    EXPECT_TRUE(property.get_object().contains("description")) << at;
  });
  EXPECT_GT(count, 90);
}

// The schema's defaults, written out as a config, must be what the structs say on their own.
TEST(Schema, DefaultsAreThoseOfTheStructs) {
  const json::value schema = json::parse(json::string_view(SchemaText().data(), SchemaText().size()));
  json::object written;
  for (const char* section : {"server", "admin", "journal", "inspector", "log", "defaults"}) {
    json::object values;
    for (const auto& [key, property] : schema.at("properties").at(section).at("properties").as_object()) {
      if (const auto* preset = property.get_object().if_contains("default")) values[key] = *preset;
    }
    written[section] = values;
  }
  json::object retention;
  for (const auto& [key, property] :
       schema.at("properties").at("journal").at("properties").at("retention").at("properties").as_object()) {
    retention[key] = property.at("default");
  }
  written["journal"].as_object()["retention"] = retention;
  const Config config = Good(hookswitch::ToText(json::value(written)));
  EXPECT_EQ(config.server, Server());
  EXPECT_EQ(config.admin, Admin());
  EXPECT_EQ(config.journal, Journal());
  EXPECT_EQ(config.bodies, Config().bodies);
  EXPECT_EQ(config.log_level, Config().log_level);
  EXPECT_EQ(config.timezone, Config().timezone);
}

TEST(SameValue, ComparesWhatIsSaidAndNotWhere) {
  MemoryEnvironment memory;
  memory.files["a.yaml"] = "sinks: {ops: {plugin: slack, config: {a: [1, x]}}}\n";
  memory.files["b.yaml"] = "\nsinks:\n  ops:\n    plugin: slack\n    config:\n      a:\n        - 1\n        - x\n";
  memory.files["c.yaml"] = "sinks: {ops: {plugin: slack, config: {a: [1, y]}}}\n";
  const auto node = [&](const char* path) { return Load(path, memory.Get()).config->sinks.at(0).config; };
  EXPECT_TRUE(SameValue(node("a.yaml"), node("b.yaml")));
  EXPECT_FALSE(SameValue(node("a.yaml"), node("c.yaml")));
}

}  // namespace
}  // namespace hookswitch::config
