#include "core/config/provenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/config/loader.h"
#include "tests/config/memory_environment.h"
#include "tests/config/random_config.h"
#include "tests/fakes/effort.h"

namespace hookswitch::config {
namespace {

using testing::HasSubstr;
using testing::Not;

using Schemas = std::map<std::string, std::string, std::less<>>;

const Schemas kSchemas = {{"hook", R"({
  "type": "object", "additionalProperties": false, "required": ["url"],
  "properties": {
    "url": {"$ref": "#/definitions/url"},
    "method": {"type": "string", "default": "POST"},
    "tries": {"type": "integer"},
    "secrets": {"type": "array", "items": {"type": "string", "x-secret": true}},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "anything": {"type": "object"},
    "limits": {"type": "object", "additionalProperties": false, "properties": {"size": {"type": "integer", "default": 7}}}
  },
  "definitions": {"url": {"type": "string", "x-secret": true}}})"}};

ConfigValues Values(const MemoryEnvironment& memory, const Schemas& schemas = kSchemas, std::size_t most = 10'000) {
  const Loaded loaded = Load("etc/router.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems);
  return loaded.config ? ValuesOf(*loaded.config, schemas, most) : ConfigValues();
}
ConfigValues Values(const std::string& text, const Schemas& schemas = kSchemas, std::size_t most = 10'000) {
  MemoryEnvironment memory;
  memory.variables = {{"TOKEN", "t0ken"}, {"HOOK", "https://example.com/h00k"}};
  memory.files = {{"etc/router.yaml", text}, {"etc/key", "k3y"}};
  return Values(memory, schemas, most);
}

std::string Line(const ConfigValue& value) {
  return value.path + " = " + (value.secret ? "secret (" + value.source + ")" : hookswitch::ToText(value.value)) +
         " from " + value.from;
}
/// The values whose path begins so, one line each.
std::string Lines(const ConfigValues& values, std::string_view path) {
  std::string text;
  for (const ConfigValue& value : values.all) {
    if (value.path.starts_with(path)) text += Line(value) + "\n";
  }
  return text;
}

TEST(ConfigValues, AreThoseOfTheFilesEachWithItsPlace) {
  const auto values = Values(
      "version: 1\n"
      "server: {listen: \"0.0.0.0:9000\", trusted_proxies: [10.0.0.0/8, 192.0.2.7]}\n"
      "sources:\n"
      "  bolna:\n"
      "    type: bolna\n"
      "    path: /b\n"
      "    rate_limit: {max: 3}\n"
      "sinks: {ops: {plugin: hook, config: {url: {env: HOOK}, tries: 3}, concurrency: 2}}\n"
      "rules:\n"
      "  - when: {any: [{data.a.b: x}, {agent: [a, \"7\"], min_duration: 5s}]}\n"
      "    send: [ops, {sink: ops, template: short}]\n"
      "    stop: true\n"
      "templates: {short: {text: hi}}\n");
  EXPECT_EQ(Lines(values, "server.listen"), "server.listen = \"0.0.0.0:9000\" from etc/router.yaml:2:18\n");
  EXPECT_EQ(Lines(values, "server.trusted"),
            "server.trusted_proxies = [\"10.0.0.0/8\",\"192.0.2.7\"] from etc/router.yaml:2:51\n");
  EXPECT_EQ(Lines(values, "server.max_body"), "server.max_body = \"1MiB\" from default\n");
  EXPECT_EQ(Lines(values, "version"), "version = 1 from etc/router.yaml:1:10\n");
  EXPECT_EQ(Lines(values, "sources.bolna"),
            "sources.bolna.type = \"bolna\" from etc/router.yaml:5:11\n"
            "sources.bolna.path = \"/b\" from etc/router.yaml:6:11\n"
            "sources.bolna.rate_limit.max = 3 from etc/router.yaml:7:23\n"
            "sources.bolna.rate_limit.per = \"1s\" from default\n"
            "sources.bolna.allow_ips = [] from default\n"
            "sources.bolna.currency = \"USD\" from default\n"
            "sources.bolna.methods = [\"POST\"] from default\n"
            "sources.bolna.oversized = \"reject\" from default\n"
            "sources.bolna.handshake = \"none\" from default\n");
  EXPECT_EQ(Lines(values, "rules[0]"),
            "rules[0].when.any[0].\"data.a.b\" = \"x\" from etc/router.yaml:10:29\n"
            "rules[0].when.any[1].agent = [\"a\",\"7\"] from etc/router.yaml:10:41\n"
            "rules[0].when.any[1].min_duration = \"5s\" from etc/router.yaml:10:65\n"
            "rules[0].send[0] = \"ops\" from etc/router.yaml:11:12\n"
            "rules[0].send[1].sink = \"ops\" from etc/router.yaml:11:24\n"
            "rules[0].send[1].template = \"short\" from etc/router.yaml:11:39\n"
            "rules[0].stop = true from etc/router.yaml:12:11\n"
            "rules[0].drop = false from default\n"
            "rules[0].per_call = \"all\" from default\n");
  EXPECT_EQ(Lines(values, "sinks.ops.c"),
            "sinks.ops.config.url = secret (env HOOK) from etc/router.yaml:8:43\n"
            "sinks.ops.config.tries = 3 from etc/router.yaml:8:63\n"
            "sinks.ops.config.method = \"POST\" from default\n"
            "sinks.ops.config.limits.size = 7 from default\n"
            "sinks.ops.concurrency = 2 from etc/router.yaml:8:80\n");
  EXPECT_EQ(Lines(values, "sinks.ops.retry.schedule"),
            "sinks.ops.retry.schedule = [\"2s\",\"10s\",\"30s\",\"2m\",\"10m\",\"30m\",\"1h\"] from default\n");
  EXPECT_EQ(Lines(values, "sinks.ops.rate_limit"), "") << "the plugin advises one";
  EXPECT_EQ(Lines(values, "journal.retention.age"), "journal.retention.age = \"7d\" from default\n");
  EXPECT_EQ(Lines(values, "unmatched"), "unmatched = \"drop\" from default\n");
  EXPECT_EQ(values.left_out, 0u);
}

TEST(ConfigValues, OfIncludedFilesAreAmongThem) {
  MemoryEnvironment memory;
  memory.files = {
      {"etc/router.yaml", "include: [more/*.yaml]\nsinks: {ops: {plugin: hook}}\nrules: [{name: one, send: [ops]}]\n"},
      {"etc/more/a.yaml", "# nothing yet\n"},
      {"etc/more/b.yaml",
       "rules:\n  - {name: two, send: [ops]}\nagents: {x: {name: n}, y: {}, 3c90c3cc-0d44-4b50-8888-8dd25736052a: "
       "{name: m}}\n"}};
  const Loaded loaded = Load("etc/router.yaml", memory.Get());
  ASSERT_TRUE(loaded.config) << AllText(loaded.problems);
  std::vector<std::string> files;
  for (const auto& file : loaded.config->files) files.push_back(file->path);
  EXPECT_THAT(files, testing::ElementsAre("etc/router.yaml", "etc/more/a.yaml", "etc/more/b.yaml"));
  const auto values = Values(memory);
  EXPECT_EQ(Lines(values, "rules[0].name"), "rules[0].name = \"one\" from etc/router.yaml:3:16\n");
  EXPECT_EQ(Lines(values, "rules[1].name"), "rules[1].name = \"two\" from etc/more/b.yaml:2:12\n");
  EXPECT_EQ(Lines(values, "agents"),
            "agents.x.name = \"n\" from etc/more/b.yaml:3:20\nagents.x.tags = [] from default\n"
            "agents.y.tags = [] from default\n"
            "agents.3c90c3cc-0d44-4b50-8888-8dd25736052a.name = \"m\" from etc/more/b.yaml:3:76\n"
            "agents.3c90c3cc-0d44-4b50-8888-8dd25736052a.tags = [] from default\n");
}

TEST(ConfigValues, OfSecretsAreOnlyThePlacesTheyComeFrom) {
  const auto values = Values(
      "admin: {token: {env: TOKEN}, tokens: [{name: ana, token: inl1ne-token}]}\n"
      "sources: {b: {type: bolna, path: /b, auth: {header: X-Key, secret: {file: key}}}}\n"
      "sinks:\n"
      "  ops:\n"
      "    plugin: hook\n"
      "    proxy: http://u:pr0xyPW@example.com:3128\n"
      "    config:\n"
      "      url: https://example.com/1nline\n"
      "      secrets: [{env: TOKEN}, s3cret-one]\n"
      "      headers: {X-A: plain}\n"
      "      anything: {a: unkn0wn-1-thing}\n"
      "  two: {plugin: unknown, proxy: \"http://example.com:8080\", config: {url: unkn0wn-2-thing}}\n");
  const std::string file = " from etc/router.yaml:";
  EXPECT_EQ(Lines(values, "admin.token"), "admin.token = secret (env TOKEN)" + file + "1:16\n" +
                                              "admin.tokens[0].name = \"ana\"" + file + "1:46\n" +
                                              "admin.tokens[0].token = secret ()" + file + "1:58\n" +
                                              "admin.tokens[0].may = \"read\" from default\n");
  EXPECT_EQ(Lines(values, "sources.b.auth"), "sources.b.auth.header = \"X-Key\"" + file + "2:53\n" +
                                                 "sources.b.auth.secret = secret (file key)" + file + "2:68\n");
  EXPECT_EQ(Lines(values, "sinks.ops.proxy"), "sinks.ops.proxy = secret ()" + file + "6:12\n");
  EXPECT_EQ(Lines(values, "sinks.ops.config.url"), "sinks.ops.config.url = secret ()" + file + "8:12\n");
  EXPECT_EQ(Lines(values, "sinks.ops.config.secrets"), "sinks.ops.config.secrets[0] = secret (env TOKEN)" + file +
                                                           "9:17\n" + "sinks.ops.config.secrets[1] = secret ()" + file +
                                                           "9:31\n");
  EXPECT_EQ(Lines(values, "sinks.ops.config.headers"), "sinks.ops.config.headers.X-A = \"plain\"" + file + "10:22\n");
  EXPECT_EQ(Lines(values, "sinks.ops.config.anything"), "sinks.ops.config.anything.a = secret ()" + file + "11:21\n")
      << "not described, so perhaps one";
  EXPECT_EQ(Lines(values, "sinks.two.config"), "sinks.two.config = secret ()" + file + "12:68\n");
  EXPECT_EQ(Lines(values, "sinks.two.proxy"), "sinks.two.proxy = \"http://example.com:8080\"" + file + "12:33\n");
  const std::string all = Lines(values, "");
  for (const char* secret : {"t0ken", "k3y", "inl1ne", "pr0xy", "1nline", "s3cret", "unkn0wn"}) {
    EXPECT_THAT(all, Not(HasSubstr(secret)));
  }
}

TEST(ConfigValues, HoldNoSecretOfAnyConfig) {
  for (unsigned seed = 0; seed < 300 / test::kOneIn; ++seed) {
    test::RandomConfig random(seed);
    MemoryEnvironment memory;
    memory.variables["TOKEN"] = random.Secret();
    const std::string sinks = "  s1: {plugin: hook, config: {url: https://example.com/" + random.Secret() +
                              "}}\n  s2: {plugin: other, config: {anything: " + random.Secret() +
                              "}}\n  s3: {plugin: hook, config: {url: {env: TOKEN}, secrets: [" + random.Secret() +
                              "]}}\n";
    std::string text = random.Text(sinks);
    // The path of a source is none, as far as the schema knows.
    for (auto at = text.find("path: /"); at != std::string::npos; at = text.find("path: /", at + 1)) {
      const auto slash = text.find('/', at + 7);
      text.erase(slash, text.find(',', slash) - slash);
    }
    memory.files["etc/router.yaml"] = text;
    const std::string all = Lines(Values(memory), "");
    EXPECT_THAT(all, HasSubstr("sinks.s1.config.url = secret ()"));
    for (const std::string& secret : random.secrets()) ASSERT_THAT(all, Not(HasSubstr(secret))) << "seed " << seed;
  }
}

TEST(ConfigValues, StopAtTheMostThatAreWanted) {
  const std::string text = "sinks: {ops: {plugin: hook}}\n";
  const auto all = Values(text);
  ASSERT_GT(all.all.size(), 20u);
  const auto some = Values(text, kSchemas, 5);
  EXPECT_EQ(some.all.size(), 5u);
  EXPECT_EQ(some.left_out, all.all.size() - 5);
}

}  // namespace
}  // namespace hookswitch::config
