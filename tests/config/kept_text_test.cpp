#include "core/config/kept_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/config/loader.h"
#include "core/config/yaml_parser.h"
#include "tests/config/memory_environment.h"
#include "tests/config/random_config.h"
#include "tests/fakes/effort.h"

namespace hookswitch::config {
namespace {

using testing::HasSubstr;
using testing::Not;

Config Good(const std::string& text, MemoryEnvironment memory = {}) {
  memory.files["etc/router.yaml"] = text;
  Loaded loaded = Load("etc/router.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems) << text;
  return loaded.config ? std::move(*loaded.config) : Config();
}

KeptText Kept(const std::string& text, MemoryEnvironment memory = {}) {
  return MakeKeptText(Good(text, std::move(memory)));
}

Config Again(const KeptText& kept) {
  auto config = ReadKeptText(kept);
  EXPECT_TRUE(config) << config.error().message << "\n" << kept.text;
  return config ? std::move(*config) : Config();
}

constexpr char kSinks[] = "version: 1\nsinks: {ops: {plugin: slack}, oncall: {plugin: slack}}\n";

TEST(KeptText, IsWhatReadsAndRoutesWrittenOut) {
  std::ifstream stream(HSW_SOURCE_DIR "/tests/config/sample.yaml");
  std::ostringstream sample;
  sample << stream.rdbuf();
  MemoryEnvironment memory;
  memory.variables = {{"HOOKSWITCH_ADMIN_TOKEN", "t0ken"}, {"BOLNA_WEBHOOK_SECRET", "s3cret"}};
  // A change of this text is one of every hash: events that are stored then no longer count as the current config's.
  EXPECT_EQ(Kept(sample.str(), memory).text,
            R"(version: 1
sources:
  "bolna": {"type": "bolna", "path": "/bolna", "currency": "USD"}
agents:
  "3c90c3cc-0d44-4b50-8888-8dd25736052a": {"name": "billing-eu", "tags": ["billing"]}
schedules:
  "office": {"timezone": "Asia/Kolkata", "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "hours": "09:00-18:00"}]}
rules:
  - {"name": "ignore-tests", "when": {"tags": ["test"], "status": ["call-disconnected", "completed", "busy", "no-answer", "canceled", "failed", "stopped", "error"]}, "drop": true}
  - {"name": "failed-billing", "when": {"agent": ["billing-eu", "billing-us-*"], "status": ["busy", "no-answer", "failed"], "min_duration": "0s"}, "send": [{"sink": "ops"}, {"sink": "oncall"}]}
  - {"name": "long-calls", "when": {"status": ["completed"], "min_duration": "2m", "during": ["office"]}, "send": [{"sink": "ops", "template": "short"}]}
unmatched: drop
sinks:
  "oncall": {"plugin": "any"}
  "ops": {"plugin": "any"}
templates:
  "short": {"fields": true}
x-places: ["etc/router.yaml:48", "etc/router.yaml:51", "etc/router.yaml:57"]
)");
}

TEST(KeptText, OfWhatWasReadFromItIsItself) {
  for (unsigned seed = 0; seed < 2000 / test::kOneIn; ++seed) {
    const KeptText kept = Kept(test::RandomConfig(seed).Text());
    const KeptText again = MakeKeptText(Again(kept));
    ASSERT_EQ(again.text, kept.text) << "seed " << seed;
    ASSERT_EQ(again.hash, kept.hash) << "seed " << seed;
  }
}

TEST(KeptText, HasNoSecret) {
  for (unsigned seed = 0; seed < 500 / test::kOneIn; ++seed) {
    test::RandomConfig random(seed);
    MemoryEnvironment memory;
    memory.variables["TOKEN"] = random.Secret();
    memory.files["etc/hook"] = random.Secret();
    const std::string text =
        random.Text("  s1: {plugin: slack, config: {webhook_url: https://hooks.slack.com/" + random.Secret() +
                    "}}\n  s2: {plugin: slack, config: {token: {env: TOKEN}, channel: " + random.Secret() +
                    "}}\n  s3: {plugin: slack, config: {token: {file: hook}}}\n");
    const std::string kept = Kept(text, memory).text;
    for (const std::string& secret : random.secrets()) ASSERT_THAT(kept, Not(HasSubstr(secret))) << "seed " << seed;
    EXPECT_GT(random.secrets().size(), 8u);
  }
}

TEST(KeptText, OfConfigsThatReadAndRouteAlikeHasOneHash) {
  const KeptText one = Kept(std::string(kSinks) +
                            "sources: {b: {type: bolna, path: /b}, c: {type: bolna, path: /c}}\n"
                            "agents: {x: {name: n, tags: [t]}, y: {}}\n"
                            "rules: [{name: r, when: {status: ended, min_duration: 1m30s}, send: [ops]}]\n");
  MemoryEnvironment memory;
  memory.files["etc/rules.d/r.yaml"] =
      "# moved\nrules:\n  - name: r\n    when:\n      status: [ended]\n      min_duration: \"90s\"\n    send: [{sink: "
      "'ops'}]\n";
  const KeptText alike = Kept(
      "include: [rules.d/*.yaml]\n"
      "server: {max_body: 2MiB}\n"
      "agents: {y: {tags: []}, x: {tags: [t], name: n}}\n"
      "sources:\n  c: {type: bolna, path: /elsewhere, rate_limit: {max: 3}, currency: USD}\n"
      "  b: {path: /b, type: bolna, auth: {bearer: true, secret: s3cret}, allow_ips: [192.0.2.7]}\n"
      "sinks: {more: {plugin: file}, ops: {plugin: webhook, timeout: 3s, config: {url: https://example.com}}}\n"
      "templates: {unused: {text: hello}}\nunmatched: drop\n",
      memory);
  EXPECT_EQ(alike.hash, one.hash) << one.text << alike.text;
  EXPECT_NE(alike.text, one.text) << "the rule stands elsewhere";
}

TEST(KeptText, OfConfigsThatReadOrRouteOtherwiseHasAnotherHash) {
  const std::string base = std::string(kSinks) +
                           "sources: {b: {type: bolna, path: /b}}\n"
                           "agents: {x: {name: n, tags: [t]}}\n"
                           "schedules: {office: [{days: mon, hours: \"09:00-18:00\"}]}\n"
                           "templates: {short: {text: hello}, long: {text: hello}}\n"
                           "rules:\n  - {name: r, when: {during: office}, send: [ops]}\n"
                           "  - {name: s, when: {status: any}, send: [{sink: oncall, template: short}]}\n"
                           "unmatched: {send: [ops]}\n";
  std::set<Digest> hashes{Kept(base).hash};
  const std::pair<std::string, std::string> changes[] = {
      {"path: /b}", "path: /b, currency: EUR}"},
      {"path: /b}", "path: /b, title: B}"},
      {"{b: {", "{c: {"},
      {"name: n", "name: m"},
      {"[t]", "[t, u]"},
      {"days: mon", "days: tue"},
      {"09:00", "09:01"},
      {"schedules:", "defaults: {timezone: Asia/Kolkata}\nschedules:"},
      {"schedules:", "defaults: {status: any}\nschedules:"},
      {"template: short", "template: long"},
      {"name: r", "name: q"},
      {"status: any", "status: ended"},
      {"status: any", "not: {status: any}"},
      {"send: [ops]}\n  -", "send: [ops], stop: true}\n  -"},
      {"send: [ops]}\n  -", "send: [ops], per_call: latest}\n  -"},
      {"send: [ops]}\n  -", "send: [ops], settle: 1m}\n  -"},
      {"send: [ops]}\n  -", "drop: true}\n  -"},
      {"send: [ops]}\n  -", "send: [ops, oncall]}\n  -"},
      {"send: [ops]}\n  -", "send: [oncall, ops]}\n  -"},
      {"unmatched: {send: [ops]}", "unmatched: drop"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = base;
    text.replace(text.find(from), from.size(), to);
    EXPECT_TRUE(hashes.insert(Kept(text).hash).second) << to;
  }
  std::string swapped = base;
  const auto r = swapped.find("  - {name: r"), s = swapped.find("  - {name: s"), end = swapped.find("unmatched");
  swapped = base.substr(0, r) + base.substr(s, end - s) + base.substr(r, s - r) + base.substr(end);
  EXPECT_TRUE(hashes.insert(Kept(swapped).hash).second) << "the order of rules";
}

TEST(KeptText, KeepsAnyTextThatAConfigMayHave) {
  std::string odd = "\"' #:{}[],&*!|>%@`?- \\\t\r\n\x01\x1F\x7F";
  odd += '\0';
  odd += "\u0085\u00A0\u2028\uFEFF\u00E9\U0001F6A8 end";
  Config config = Good(std::string(kSinks) + "rules: [{name: r, when: {agent: x, data.x: {regex: y}}, send: [ops]}]\n");
  config.rules[0].name = odd;
  config.rules[0].when.children[0].patterns[0].text = odd;
  config.rules[0].when.children[1].path = odd;
  config.agents[odd] = {odd, {odd, "yes", "~", "1e3"}};
  config.agents[std::string(3000, 'k')] = {"long", {}};
  config.agents["null"] = {"true", {}};
  const Config again = Again(MakeKeptText(config));
  EXPECT_EQ(again.rules.at(0).name, odd);
  EXPECT_EQ(again.rules.at(0).when.children.at(0).patterns.at(0).text, odd);
  EXPECT_EQ(again.rules.at(0).when.children.at(1).path, odd);
  ASSERT_EQ(again.agents.size(), 3u);
  EXPECT_EQ(again.agents.at(odd).name, odd);
  EXPECT_THAT(again.agents.at(odd).tags, testing::ElementsAre(odd, "yes", "~", "1e3"));
  EXPECT_EQ(again.agents.at(std::string(3000, 'k')).name, "long");
  EXPECT_EQ(again.agents.at("null").name, "true");
}

TEST(KeptText, SaysWhereTheRulesStood) {
  MemoryEnvironment memory;
  memory.files["etc/rules.d/b.yaml"] = "rules:\n  - {name: two, send: [ops]}\n";
  const Config again =
      Again(Kept("include: [rules.d/*.yaml]\n" + std::string(kSinks) + "rules: [{name: one, send: [ops]}]\n", memory));
  ASSERT_EQ(again.rules.size(), 2u);
  EXPECT_EQ(again.rules[0].where.file->path, "etc/router.yaml");
  EXPECT_EQ(again.rules[0].where.line, 4);
  EXPECT_EQ(again.rules[1].where.file->path, "etc/rules.d/b.yaml");
  EXPECT_EQ(again.rules[1].where.line, 2);
}

TEST(KeptText, IsLeftOutIfItIsLargerThanAConfigFileMayBe) {
  Config config = Good(kSinks);
  config.agents["x"] = {std::string(kMaxFileBytes - 200, 'n'), {}};
  const KeptText fits = MakeKeptText(config);
  EXPECT_EQ(Again(fits).agents.at("x").name.size(), kMaxFileBytes - 200);
  config.agents["x"].name += std::string(200, 'm');
  const KeptText large = MakeKeptText(config);
  EXPECT_EQ(large.text, "");
  EXPECT_NE(large.hash, fits.hash);
  EXPECT_NE(large.hash, Digest{});
}

TEST(KeptText, ThatCannotBeReadSaysWhy) {
  const auto why = [](std::string text) {
    const Digest hash = DigestOf(text);
    const auto config = ReadKeptText({hash, text + "x-places: []\n"});
    EXPECT_FALSE(config) << text;
    return config ? "" : config.error().message;
  };
  EXPECT_THAT(why("version: 1\nsources: {b: {type: attic, path: /b}}\n"), HasSubstr("attic"));
  EXPECT_THAT(why("version: 1\nrules: [{when: {mood: good}, drop: true}]\n"), HasSubstr("mood"));
  EXPECT_THAT(why("rules: [\n"), HasSubstr("not closed"));
  KeptText damaged = Kept(kSinks);
  damaged.text[10] ^= 1;
  EXPECT_THAT(ReadKeptText(damaged).error().message, HasSubstr("damaged"));
  EXPECT_THAT(ReadKeptText({}).error().message, HasSubstr("damaged"));
}

}  // namespace
}  // namespace hookswitch::config
