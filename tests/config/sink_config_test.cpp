#include "core/config/sink_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/loader.h"
#include "core/config/schema_check.h"
#include "tests/config/memory_environment.h"

namespace hookswitch::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kSchema[] = R"({
  "type": "object", "additionalProperties": false, "required": ["webhook_url"],
  "properties": {
    "webhook_url": {"type": "string", "x-secret": true, "pattern": "^https://", "x-expected": "an https URL"},
    "channel": {"type": "string", "maxLength": 10},
    "timeout": {"type": "integer", "minimum": 1, "default": 30},
    "ratio": {"type": "number"},
    "threads": {"type": "boolean", "default": false},
    "tags": {"type": "array", "items": {"type": "string"}},
    "tls": {"type": "object", "properties": {"ca": {"type": "string"}, "key": {"type": "string", "x-secret": true}}},
    "style": {"anyOf": [{"type": "string", "enum": ["short", "long"]}, {"type": "object", "properties": {"width": {"type": "integer"}}}]}
  }})";

struct Plugin {
  Problems problems;
  std::string json;
  std::vector<std::string> secrets;
  bool lacks_secrets = false;
  Node node;
};

Plugin Read(const std::string& config, std::map<std::string, std::string> variables = {}, const char* schema = kSchema,
            bool secrets_optional = false) {
  MemoryEnvironment memory;
  memory.files["r.yaml"] = "sinks:\n  ops:\n    plugin: slack\n    config: " + config + "\n";
  memory.variables = std::move(variables);
  const Loaded loaded = Load("r.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems);
  Plugin plugin;
  if (!loaded.config) return plugin;
  plugin.node = loaded.config->sinks.at(0).config;
  CheckAgainstSchema(plugin.node, schema, "sinks.ops.config", loaded.config->sinks[0].where, plugin.problems);
  if (plugin.problems.HasErrors()) return plugin;
  Environment environment = memory.Get();
  environment.secrets_optional = secrets_optional;
  plugin.json =
      ResolvePluginConfig(plugin.node, schema, environment, plugin.problems, plugin.secrets, &plugin.lacks_secrets);
  return plugin;
}

TEST(PluginConfig, HasDefaultsTypesAndSecrets) {
  const Plugin plugin = Read(
      "{webhook_url: {env: URL}, channel: 007, ratio: 0.5, threads: true, tags: [a, 1], tls: {key: {env: KEY}}, style: "
      "{width: 3}}",
      {{"URL", "https://x"}, {"KEY", "k"}});
  EXPECT_EQ(AllText(plugin.problems), "");
  EXPECT_EQ(
      plugin.json,
      R"({"webhook_url":"https://x","channel":"007","ratio":0.5,"threads":true,"tags":["a","1"],"tls":{"key":"k"},"style":{"width":3},"timeout":30})");
  EXPECT_THAT(plugin.secrets, ElementsAre("https://x", "k"));
}

TEST(PluginConfig, AbsentIsAnEmptyMap) {
  MemoryEnvironment memory;
  memory.files["r.yaml"] = "sinks: {ops: {plugin: slack}}\n";
  const Loaded loaded = Load("r.yaml", memory.Get());
  Problems problems;
  CheckAgainstSchema(loaded.config->sinks[0].config, kSchema, "sinks.ops.config", loaded.config->sinks[0].where,
                     problems);
  EXPECT_EQ(AllText(problems),
            "r.yaml:1:9: error: sinks.ops.config needs \"webhook_url\"\n"
            "    1 | sinks: {ops: {plugin: slack}}\n"
            "      |         ^\n");
}

TEST(PluginConfig, MistakesAreReportedAtTheirPlace) {
  const Plugin plugin = Read("{webhook_url: {env: URL}, chanel: x, timeout: 0, style: shrt}", {{"URL", "https://x"}});
  EXPECT_EQ(
      AllText(plugin.problems),
      "r.yaml:4:39: error: \"chanel\" is not a key of sinks.ops.config\n"
      "    4 |     config: {webhook_url: {env: URL}, chanel: *, timeout: 0, style: shrt}\n"
      "      |                                       ^~~~~~  did you mean \"channel\"?\n"
      "r.yaml:4:59: error: sinks.ops.config.timeout: expected a whole number of at least 1, found \"0\"\n"
      "    4 |     config: {webhook_url: {env: URL}, chanel: *, timeout: 0, style: shrt}\n"
      "      |                                                           ^\n"
      "r.yaml:4:69: error: sinks.ops.config.style: expected one of short or long, found \"shrt\"\n"
      "    4 |     config: {webhook_url: {env: URL}, chanel: *, timeout: 0, style: shrt}\n"
      "      |                                                                     ^~~~  did you mean \"short\"?\n");
}

TEST(PluginConfig, SecretInPlainSightIsAWarningThatHidesIt) {
  const Plugin plugin = Read("{webhook_url: \"https://sekret\"}");
  EXPECT_FALSE(plugin.problems.HasErrors());
  EXPECT_EQ(plugin.problems.All().size(), 1u);
  EXPECT_EQ(AllText(plugin.problems).find("sekret"), std::string::npos);
  EXPECT_THAT(plugin.secrets, ElementsAre("https://sekret"));
}

TEST(PluginConfig, SecretInAFoldedScalarIsHiddenOnEveryLine) {
  const Plugin plugin = Read("\n      webhook_url: >-\n        https://sek\n        ret-part\n      chanel: x");
  EXPECT_TRUE(plugin.problems.HasErrors());
  EXPECT_EQ(AllText(plugin.problems).find("sek"), std::string::npos);
  Problem second_line = plugin.problems.All()[0];
  second_line.where.line = 7;
  EXPECT_EQ(ToText(second_line).find("ret-part"), std::string::npos);
}

TEST(PluginConfig, ResolvedSecretMustFitThePatternAndIsNotQuoted) {
  const Plugin plugin = Read("{webhook_url: {env: URL}}", {{"URL", "http://sekret"}});
  EXPECT_EQ(AllText(plugin.problems),
            "r.yaml:4:27: error: config.webhook_url: the secret there is not an https URL\n"
            "    4 |     config: {webhook_url: {env: URL}}\n"
            "      |                           ^\n");
}

TEST(PluginConfig, MissingVariableIsAnError) {
  const Plugin plugin = Read("{webhook_url: {env: URL}}");
  EXPECT_TRUE(plugin.problems.HasErrors());
  EXPECT_THAT(plugin.secrets, IsEmpty());
}

TEST(PluginConfig, SecretsOfAnOddFormAreWarnedOfUnlessTheirPatternSaysWhatTheyAre) {
  constexpr char kForms[] = R"({"properties": {
    "any": {"type": "string", "x-secret": true},
    "begins": {"type": "string", "x-secret": true, "pattern": "^s"},
    "whole": {"type": "string", "x-secret": true, "pattern": "^[a-z =]+$"}
  }})";
  const Plugin plugin = Read("{any: {env: DSN}, begins: {env: DSN}, whole: {env: DSN}}", {{"DSN", "s k r t"}}, kForms);
  std::vector<std::string> messages;
  for (const Problem& problem : plugin.problems.All()) messages.push_back(problem.message);
  EXPECT_THAT(
      messages,
      ElementsAre("config.any: environment variable DSN holds white space, which is taken as part of the secret",
                  "config.begins: environment variable DSN holds white space, which is taken as part of the secret"));
}

TEST(PluginConfig, AnExampleStandsInForASecretThatMayBeMissing) {
  constexpr char kExamples[] = R"({"properties": {
    "url": {"type": "string", "x-secret": true, "pattern": "^https", "examples": ["https://example.com/x"]},
    "file": {"type": "string", "x-secret": true, "examples": ["an example"]},
    "port": {"type": "integer", "default": 1}
  }})";
  const Plugin plugin = Read("{url: {env: URL}, file: {file: nowhere}}", {}, kExamples, /*secrets_optional=*/true);
  EXPECT_EQ(AllText(plugin.problems), "");
  EXPECT_EQ(plugin.json, R"({"url":"https://example.com/x","file":"an example","port":1})");
  EXPECT_THAT(plugin.secrets, ElementsAre("https://example.com/x", "an example"));
  EXPECT_FALSE(plugin.lacks_secrets);
  const Plugin wrong = Read("{url: {env: URL}}", {{"URL", "ftp://x"}}, kExamples, /*secrets_optional=*/true);
  EXPECT_TRUE(wrong.problems.HasErrors()) << "a secret that is there is looked at as ever";
}

TEST(PluginConfig, WithoutAnExampleASecretThatMayBeMissingIsLacking) {
  const Plugin plugin = Read("{webhook_url: {env: URL}}", {}, kSchema, /*secrets_optional=*/true);
  EXPECT_EQ(AllText(plugin.problems), "");
  EXPECT_TRUE(plugin.lacks_secrets);
  EXPECT_FALSE(Read("{webhook_url: {env: URL}}", {{"URL", "https://x"}}, kSchema, true).lacks_secrets);
}

TEST(PluginConfig, BrokenSchemaIsAProblemOfThePlugin) {
  for (
      const char* schema :
      {"", "[]", "{", R"({"$ref": 3})", R"({"anyOf": [{"$ref": "#/definitions/a"}]})",
       R"({"definitions": {"a": {"anyOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/a"}]}}, "properties": {"a": {"$ref": "#/definitions/a"}}})",
       R"({"definitions": {"a": {"$ref": "#/definitions/a"}}, "properties": {"a": {"$ref": "#/definitions/a"}}})",
       R"({"type": 7, "required": "x", "properties": [], "items": 3, "enum": 1})",
       R"({"patternProperties": {"(": {"type": "integer"}}})"}) {
    Read("{a: {b: c}}", {}, schema);
  }
}

constexpr char kStatuses[] = R"({"properties": {
  "list": {"type": "array", "items": {"type": "string", "x-hookswitch-ref": "status"}},
  "either": {"anyOf": [{"type": "string", "x-hookswitch-ref": "status"},
                       {"type": "array", "items": {"type": "string", "x-hookswitch-ref": "status"}}]},
  "map": {"type": "object", "propertyNames": {"type": "string", "x-hookswitch-ref": "status"},
          "additionalProperties": {"type": "array", "items": {"type": "string"}}},
  "text": {"type": "string"}
}})";

TEST(StatusGroups, InAListAreTheirMembersEachOnce) {
  EXPECT_EQ(
      Read("{list: [failed, unsuccessful, completed, failed], text: ended}", {}, kStatuses).json,
      R"({"list":["failed","balance-low","busy","no-answer","canceled","stopped","error","completed"],"text":"ended"})");
}

TEST(StatusGroups, WhereOneOrAListMayStandAreAList) {
  EXPECT_EQ(Read("{either: unsuccessful}", {}, kStatuses).json,
            R"({"either":["balance-low","busy","no-answer","canceled","failed","stopped","error"]})");
  EXPECT_EQ(Read("{either: failed}", {}, kStatuses).json, R"({"either":"failed"})");
}

TEST(StatusGroups, AsKeysCountBehindTheStatusItselfAndAnEarlierGroup) {
  EXPECT_EQ(Read("{map: {unsuccessful: [all], failed: [one], terminal: [late]}}", {}, kStatuses).json,
            R"({"map":{"failed":["one"],"balance-low":["all"],"busy":["all"],"no-answer":["all"],"canceled":["all"],)"
            R"("stopped":["all"],"error":["all"],"completed":["late"]}})");
}

TEST(StatusGroups, AnyIsEveryStatusTheUnknownTooAndGroupsOfRulesAreTheSame) {
  const json::value any = json::parse(Read("{list: [any]}", {}, kStatuses).json);
  EXPECT_EQ(any.at("list").as_array().size(), kCallStatusCount);
  for (const std::string& name : StatusNames()) {
    const auto group = ParseStatus(name) ? Bit(*ParseStatus(name)) : *ParseStatusGroup(name);
    StatusSet given = 0;
    const json::value list = json::parse(Read("{list: [" + name + "]}", {}, kStatuses).json);
    for (const auto& member : list.at("list").as_array())
      given |= Bit(*ParseStatus(std::string_view(member.as_string())));
    EXPECT_EQ(given, group) << name;
  }
}

TEST(StatusGroups, WhatThePluginSaysOfAMemberIsSaidOfTheGroup) {
  const Plugin plugin = Read("{list: [completed, unsuccessful], map: {ended: [a]}}", {}, kStatuses);
  const Node given = WithStatuses(plugin.node, kStatuses);
  EXPECT_EQ(Locate(given, "/list/0").column, 21);
  EXPECT_EQ(Locate(given, "/list/5").column, 32);
  EXPECT_EQ(Locate(given, "/map/busy").column, 53);
}

TEST(References, AWordThatMeansNothingIsAFaultOfThePlugin) {
  const auto told = [](const char* schema) {
    const Plugin plugin = Read("{a: b}", {}, schema);
    return plugin.problems.All().empty() ? "" : plugin.problems.All()[0].message;
  };
  EXPECT_EQ(
      told(R"({"properties": {"a": {"type": "string", "x-hookswitch-ref": "rules"}}})"),
      "the schema of sinks.ops.config has an x-hookswitch-ref of \"rules\", which is none of rule, agent, tag, status "
      "and schedule");
  EXPECT_EQ(
      told(R"({"properties": {"a": {"type": "array", "x-hookswitch-ref": "rule"}}})"),
      "the schema of sinks.ops.config has an x-hookswitch-ref on what is no text: it belongs on a list's items, or on "
      "a map's propertyNames");
  EXPECT_EQ(told(R"({"properties": {"a": {"x-hookswitch-ref": "agent"}}})"), "");
}

TEST(References, AScheduleThatOnlyAPluginMayNameIsUsed) {
  MemoryEnvironment memory;
  memory.files["r.yaml"] =
      "sources: {b: {type: bolna, path: /b, allow_ips: [192.0.2.7]}}\n"
      "schedules: {office: [{days: mon, hours: \"09:00-18:00\"}], never: [{days: mon, hours: \"09:00-18:00\"}]}\n"
      "sinks: {ops: {plugin: x, config: {quiet: [office]}}}\nrules: [{when: {status: failed}, send: [ops]}]\n";
  const Loaded loaded = Load("r.yaml", memory.Get());
  ASSERT_EQ(loaded.problems.All().size(), 1U);
  EXPECT_EQ(loaded.problems.All()[0].message, "schedule \"never\" is not used: no rule uses it");
}

TEST(Locate, FindsValuesListItemsAndNearestAncestors) {
  const Plugin plugin = Read("\n      webhook_url: {env: URL}\n      tls:\n        ca: x\n      a/b: [y, z]",
                             {{"URL", "https://x"}}, "{}");
  const auto at = [&](const char* pointer) {
    const Mark mark = Locate(plugin.node, pointer);
    return std::pair(mark.line, mark.column);
  };
  EXPECT_EQ(at(""), std::pair(5, 7));
  EXPECT_EQ(at("/webhook_url/env"), std::pair(5, 26));
  EXPECT_EQ(at("/tls/ca"), std::pair(7, 13));
  EXPECT_EQ(at("/tls/cert/x"), std::pair(6, 7));
  EXPECT_EQ(at("/a~1b/1"), std::pair(8, 16));
  EXPECT_EQ(at("/a~1b/7"), std::pair(8, 7));
  EXPECT_EQ(at("/nothing"), std::pair(5, 7));
}

}  // namespace
}  // namespace hookswitch::config
