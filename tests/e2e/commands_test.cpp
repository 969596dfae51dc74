#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A config of one sink and two rules, and a completed call in a file.
class Commands : public testing::Test {
 protected:
  Commands() {
    config_.Slack("ops", "http://127.0.0.1:9/services/T0/B0/lastSegmentIsTheKey");
    config_.rules =
        "  - {name: short-calls, when: {max_duration: 5s}, send: [ops]}\n"
        "  - {name: completed-calls, when: {status: completed}, send: [ops]}\n";
    config_.Write();
    WriteFile(event_, Call(CallId(1)));
  }
  Finished Hookswitch(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), Program());
    return RunProgram(arguments);
  }
  TempDir dir_;
  RouterConfig config_{dir_};
  const std::string event_ = dir_ / "event.json";
};

TEST_F(Commands, CheckSaysFine) {
  const Finished checked = Hookswitch({"check", "-c", config_.Path()});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
}

TEST_F(Commands, CasesComeOutAsTheySayOrFailWithWhatEachRuleSaid) {
  WriteFile(dir_ / "good.yaml",
            "- {name: completed calls, source: bolna, event: event.json,"
            " expect: [{sink: ops, rule: completed-calls, contains: \"" +
                CallId(1) +
                "\"}]}\n"
                "- {name: ringing, event: {id: c-1, agent_id: a, status: ringing}, expect: []}\n");
  const Finished good = Hookswitch({"test", "-c", config_.Path(), dir_ / "good.yaml"});
  EXPECT_EQ(good.exit_code, 0) << good.out << good.err;
  EXPECT_EQ(good.out, "ok    completed calls\nok    ringing\n\n2 cases, 0 failed\n");

  WriteFile(dir_ / "bad.yaml",
            "- {name: nobody, event: event.json, expect: []}\n"
            "- {name: by another rule, event: event.json, expect: [{sink: ops, rule: short-calls}]}\n"
            "- {event: event.json, expect: [{sink: ops, contains: \"not in it\"}, osp]}\n"
            "- {name: no event, event: {status: 7}, expect: []}\n");
  const Finished bad = Hookswitch({"test", "-c", config_.Path(), dir_ / "good.yaml", dir_ / "bad.yaml"});
  EXPECT_EQ(bad.exit_code, 1) << bad.err;
  for (const std::string& text :
       {"FAIL  nobody  " + dir_ / "bad.yaml" + ":1:3", std::string("goes to ops, too, by the rule completed-calls"),
        std::string("goes to ops by the rule completed-calls, not short-calls"), std::string("FAIL  case 3"),
        std::string("does not contain \"not in it\""), std::string("the config has no sink \"osp\""),
        std::string("is no event: "), std::string("no  short-calls: "), std::string("6 cases, 4 failed")}) {
    EXPECT_THAT(bad.out, HasSubstr(text));
  }
  const Finished as_json = Hookswitch({"test", "-c", config_.Path(), dir_ / "bad.yaml", "--format", "json"});
  EXPECT_EQ(as_json.exit_code, 1);
  json::error_code error;
  const json::value shown = json::parse(as_json.out, error);
  ASSERT_FALSE(error) << as_json.out;
  EXPECT_EQ(shown.at("ok"), false);
  EXPECT_EQ(shown.at("cases").at(1).at("deliveries").at(0).at("rule"), "completed-calls");
}

TEST_F(Commands, CasesThatCannotBeReadAreNamedWithTheirPlace) {
  WriteFile(dir_ / "cases.yaml",
            "- {event: event.json, expcet: []}\n- {event: lost.json, expect: []}\n- {event: event.json, expect: [],"
            " at: noon}\n");
  const Finished wrong = Hookswitch({"test", "-c", config_.Path(), dir_ / "cases.yaml", dir_ / "lost.yaml"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("cases.yaml:1:23"));
  EXPECT_THAT(wrong.err, HasSubstr("did you mean \"expect\"?"));
  EXPECT_THAT(wrong.err, HasSubstr("lost.yaml"));
  WriteFile(dir_ / "cases.yaml", "- {event: lost.json, expect: []}\n- {event: event.json, expect: [], at: noon}\n");
  const Finished lost = Hookswitch({"test", "-c", config_.Path(), dir_ / "cases.yaml"});
  EXPECT_EQ(lost.exit_code, 2);
  EXPECT_THAT(lost.err, HasSubstr("lost.json"));
  EXPECT_THAT(lost.err, HasSubstr("at: expected a time"));
}

TEST_F(Commands, ACasesTimeIsTheOneThatSchedulesAreJudgedBy) {
  config_.rules = "  - {name: office, when: {status: completed, during: office}, send: [ops]}\n";
  config_.more = "schedules: {office: [{days: mon-fri, hours: \"09:00-18:00\"}]}\n";
  config_.Write();
  WriteFile(dir_ / "cases.yaml",
            "- {event: event.json, at: \"2026-03-04T10:00:00Z\", expect: [ops]}\n"
            "- {event: event.json, at: \"2026-03-04T20:00:00Z\", expect: []}\n");
  const Finished tested = Hookswitch({"test", "-c", config_.Path(), dir_ / "cases.yaml"});
  EXPECT_EQ(tested.exit_code, 0) << tested.out << tested.err;
}

/// The same, with a rule that lets `call-disconnected` wait a minute for the call's real end.
class Series : public Commands {
 protected:
  Series() {
    config_.rules = "  - {name: ended, when: {status: ended}, settle: 1m, send: [ops]}\n";
    config_.Write();
    WriteFile(dir_ / "down.json", Call(CallId(1), {{"status", "call-disconnected"}}));
  }
  Finished Test(const std::string& cases, std::vector<std::string> more = {}) const {
    WriteFile(dir_ / "cases.yaml", cases);
    more.insert(more.begin(), {"test", "-c", config_.Path(), dir_ / "cases.yaml"});
    return Hookswitch(std::move(more));
  }
};

TEST_F(Series, ComesOutAsTheRouterWouldHaveItWithoutWaiting) {
  const Finished tested = Test(
      "- name: settle makes one message\n"
      "  series: [{at: 0s, event: down.json}, {at: 30s, event: event.json}]\n"
      "  expect: [{at: 30s, sink: ops, rule: ended, contains: \"call ended: completed\"}]\n"
      "- name: the real end does not come\n"
      "  series: [{at: 5s, event: down.json}]\n"
      "  expect: [{at: 1m5s, sink: ops, contains: \"call ended: call-disconnected\"}]\n"
      "- name: neither a late duplicate nor a late soft end changes anything\n"
      "  series: [{at: 0s, event: event.json, times: 3, every: 1d}, {at: 40s, event: down.json}]\n"
      "  expect: [{at: 0s, sink: ops}]\n"
      "- name: a revision before its settle carries the new text\n"
      "  series:\n"
      "    - {at: 0s, event: down.json}\n"
      "    - {at: 20s, event: down.json, set: {/transcript: \"user: call me at noon\"}}\n"
      "  expect: [{at: 1m, sink: ops, contains: \"call me at noon\"}]\n"
      "- name: calls of their own\n"
      "  series: [{at: 0s, event: event.json, set: {/id: \"call-{n}\", /new/key: [1]}, times: 3, every: 10s}]\n"
      "  expect: [{at: 0s, sink: ops, contains: call-1}, {sink: ops, contains: call-2}, {at: 20s, sink: ops, contains: "
      "call-3}]\n"
      "- name: at the same time in any order\n"
      "  series: [{at: 0s, event: event.json, set: {/id: \"call-{n}\"}, times: 3, every: 0s}]\n"
      "  expect: [ops, {sink: ops, contains: call-1}, {sink: ops, contains: call-2}]\n"
      "- {name: nobody, series: [{at: 0s, event: {id: c-1, agent_id: a, status: ringing}}], expect: []}\n"
      "- {name: one event, event: event.json, expect: [ops]}\n");
  EXPECT_EQ(tested.exit_code, 0) << tested.out << tested.err;
  EXPECT_THAT(tested.out, HasSubstr("\n8 cases, 0 failed\n"));
  EXPECT_EQ(tested.err, "");
}

TEST_F(Series, StageFinalWithSettleIsOneMessagePerCall) {
  config_.rules = "  - {name: one, when: {stage: final}, settle: 15m, send: [ops]}\n";
  config_.Write();
  const Finished tested = Test(
      "- name: the final one\n"
      "  series: [{at: 0s, event: down.json}, {at: 14m, event: event.json}]\n"
      "  expect: [{at: 14m, sink: ops, contains: \"call ended: completed\"}]\n"
      "- name: it does not come\n"
      "  series: [{at: 0s, event: down.json}]\n"
      "  expect: [{at: 15m, sink: ops, contains: \"call ended: call-disconnected\"}]\n"
      "- {name: ringing, event: {id: c-1, agent_id: a, status: ringing}, expect: []}\n"
      "- {name: what is held is sent, event: down.json, expect: [ops]}\n");
  EXPECT_EQ(tested.exit_code, 0) << tested.out << tested.err;
  const auto route = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"route", "-c", config_.Path()});
    return Hookswitch(std::move(more)).out;
  };
  EXPECT_THAT(route({"--event", dir_ / "down.json"}),
              testing::AllOf(HasSubstr("stage is \"ended\", held by settle until it is final"),
                             HasSubstr("-> ops (one), held up to 15m for the call's final event")));
  const auto shown = json::parse(route({"--event", dir_ / "down.json", "--format", "json"}));
  EXPECT_EQ(ToText(shown.at("deliveries")), R"([{"sink":"ops","rule":"one","settle":900}])");
  EXPECT_THAT(route({"--event", dir_ / "event.json"}), testing::EndsWith("-> ops (one)\n"));
}

TEST_F(Series, AWrongExpectationSaysWhatCameInsteadAndWhen) {
  const std::string cases =
      "- name: wrong time\n"
      "  series: [{at: 0s, event: down.json}, {at: 30s, event: event.json}]\n"
      "  expect: [{at: 1m, sink: ops}]\n"
      "- {series: [{at: 0s, event: event.json}], expect: [{sink: ops, contains: \"not in it\"}]}\n"
      "- {series: [{at: 0s, event: down.json}], expect: []}\n"
      "- {series: [{at: 0s, event: event.json}], expect: [ops, {at: 2h, sink: ops, rule: ended}, osp]}\n"
      "- {series: [{at: 0s, event: {status: 7}}], expect: []}\n";
  const Finished tested = Test(cases);
  EXPECT_EQ(tested.exit_code, 1) << tested.err;
  const std::string file = dir_ / "cases.yaml";
  for (const std::string& text :
       {file + ":3:12: expected ops at 1m; instead came ops (ended) at 30s",
        std::string("down.json at 0s makes 1 delivery"), std::string("ops (ended) at 30s sends {"),
        file + ":4:52: expected ops, containing \"not in it\"; instead came ops (ended) at 0s",
        file + ":5:3: not expected: ops (ended) at 1m",
        file + ":6:57: expected ops by the rule ended at 2h; nothing more came",
        file + ":6:91: the config has no sink \"osp\"",
        file + ":7:13: event at 0s is refused: ", std::string("5 cases, 5 failed")}) {
    EXPECT_THAT(tested.out, HasSubstr(text));
  }
  const Finished as_json = Test(cases, {"--format", "json"});
  EXPECT_EQ(as_json.exit_code, 1);
  json::error_code error;
  const json::value shown = json::parse(as_json.out, error);
  ASSERT_FALSE(error) << as_json.out;
  const json::value& first = shown.at("cases").at(0);
  EXPECT_EQ(first.at("expected").at(0).at("at"), "1m");
  EXPECT_EQ(first.at("deliveries").at(0).at("at"), "30s");
  EXPECT_EQ(first.at("events").at(1).at("event"), "event.json");
}

TEST_F(Series, ASinkThatDeliversByItselfIsNotCalledAndLimitsDoNotDelay) {
  config_.sinks =
      "  ops: {plugin: file, config: {path: " + dir_ / "calls.jsonl" + "}, rate_limit: {max: 1, per: 1h}}\n";
  config_.Write();
  const Finished tested = Test(
      "- series: [{at: 0s, event: event.json, set: {/id: \"call-{n}\"}, times: 3, every: 1s}]\n"
      "  expect: [{at: 0s, sink: ops, contains: call-1}, {at: 1s, sink: ops}, {at: 2s, sink: ops, contains: "
      "call-3}]\n");
  EXPECT_EQ(tested.exit_code, 0) << tested.out << tested.err;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "calls.jsonl"));
}

TEST_F(Series, WhatCannotBeReadIsNamedWithItsPlace) {
  WriteFile(dir_ / "text", "not JSON");
  const Finished wrong = Test(
      "- {event: event.json, series: [{at: 0s, event: event.json}], expect: []}\n"
      "- {event: event.json, expect: [{sink: ops, at: 1s}]}\n"
      "- {series: [{at: soon, event: event.json, times: 2}], expect: []}\n"
      "- {series: [{at: 0s, event: event.json, set: {id: a}}], expect: []}\n"
      "- {series: [{at: 0s, event: event.json, set: {/id/a: b}}], expect: []}\n"
      "- {series: [{at: 0s, event: text, set: {/id: a}}], expect: []}\n"
      "- {series: [{at: 0s, event: lost.json}], expect: []}\n");
  EXPECT_EQ(wrong.exit_code, 2);
  for (const char* text :
       {"cases.yaml:1:3: error: a case has an event, or a series of them", "cases.yaml:2:48: error: at: only",
        "cases.yaml:3:18: error: at: expected a duration", "cases.yaml:3:50: error: times: ",
        "cases.yaml:4:47: error: set: \"id\" is no place", "cases.yaml:5:47: error: set: \"/id/a\" is no place",
        "cases.yaml:6:40: error: set: the event is no JSON", "cases.yaml:7:29: error: cannot read "}) {
    EXPECT_THAT(wrong.err, HasSubstr(text));
  }
}

TEST_F(Commands, CheckNamesEveryProblemWithItsPlace) {
  config_.rules = "  - {name: a, when: {min_druation: 30s}, send: [ops]}\n  - {name: b, send: [osp]}\n";
  config_.Write();
  const Finished checked = Hookswitch({"check", "-c", config_.Path()});
  EXPECT_EQ(checked.exit_code, 1);
  const std::string text = checked.out + checked.err;
  EXPECT_THAT(text, HasSubstr(config_.Path() + ":"));
  EXPECT_THAT(text, HasSubstr("did you mean \"min_duration\""));
  EXPECT_THAT(text, HasSubstr("did you mean \"ops\""));
  const Finished as_json = Hookswitch({"check", "-c", config_.Path(), "--format", "json"});
  EXPECT_EQ(as_json.exit_code, 1);
  json::error_code error;
  const json::value problems = json::parse(as_json.out, error);
  ASSERT_FALSE(error) << as_json.out;
  EXPECT_THAT(json::serialize(problems), HasSubstr("min_druation"));
}

/// The messages of `check --format json`, in order.
std::vector<std::string> Messages(const Finished& checked) {
  std::vector<std::string> messages;
  json::error_code error;
  const json::value problems = json::parse(checked.out, error);
  if (error || !problems.is_array()) return {checked.out + checked.err};
  for (const auto& problem : problems.as_array()) messages.emplace_back(problem.at("message").as_string());
  return messages;
}

TEST_F(Commands, CheckReportsTheProblemsOfEveryLayerInOneRunAndEachOnce) {
  config_.server = "{lsten: \"127.0.0.1:0\"}";
  config_.sinks =
      "  placeholder: {plugin: slack, config: {webhook_url: {env: PLACEHOLDER}}}\n"
      "  unknown-key: {plugin: slack, config: {webhook_url: {env: PLACEHOLDER}, max_transcrpt: 5}}\n"
      "  bad-value: {plugin: slack, config: {webhook_url: {env: PLACEHOLDER}, max_transcript: 99999}}\n"
      "  unset: {plugin: slack, config: {webhook_url: {env: NOT_SET}}}\n"
      "  misspelled: {plugin: slack, config: {webhok_url: {env: PLACEHOLDER}}}\n"
      "  config-misspelled: {plugin: slack, confg: {webhook_url: {env: PLACEHOLDER}}}\n"
      "  missing-plugin: {plugin: slakc}\n"
      "  no-plugin: {plugn: slack}\n";
  config_.rules =
      "  - {name: a, when: {summary: {regex: \"(\"}, during: office}, send: [placeholder, unknown-key, bad-value]}\n"
      "  - {name: b, when: {min_druation: 3s, during: nigth}, send: [plceholder]}\n";
  config_.more =
      "defaults: {timezone: Asia/Kolkatta}\n"
      "schedules:\n"
      "  office: [{days: mon-fri, hours: \"09:00-18:00\"}]\n"
      "  weekend: [{days: [sat, sun], hours: \"09:00-18:00\"}]\n"
      "  night: {timezone: Mars/Olympus}\n"
      "templates:\n"
      "  short: {title: \"{{agnt}}\", fields: yes}\n";
  config_.Write();
  const std::vector<std::string> arguments = {Program(), "check", "-c", config_.Path(), "--format", "json"};
  const Finished checked = RunProgram(arguments, {"PLACEHOLDER=https://hooks.slack.com/services/T000/B000/XXXX"});
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(
      Messages(checked),
      testing::ElementsAre(
          "\"lsten\" is not a key of server", HasSubstr("sinks.placeholder: webhook_url is a placeholder"),
          HasSubstr("sinks.unknown-key: webhook_url is a placeholder"),
          "\"max_transcrpt\" is not a key of sinks.unknown-key.config",
          HasSubstr("sinks.bad-value: webhook_url is a placeholder"),
          HasSubstr("sinks.bad-value.config.max_transcript: expected a whole number"),
          HasSubstr("environment variable NOT_SET is not set"),
          "\"webhok_url\" is not a key of sinks.misspelled.config", "\"confg\" is not a key of sinks.config-misspelled",
          HasSubstr("no plugin \"slakc\""), "\"plugn\" is not a key of sinks.no-plugin",
          "not an RE2 regex: missing ): (", "\"min_druation\" is not a key of rules[].when",
          "schedule \"nigth\" is not defined", "sink \"plceholder\" is not defined",
          "defaults.timezone: \"Asia/Kolkatta\" is not a time zone of this system", "schedules.night needs \"windows\"",
          "schedule \"night\": \"Mars/Olympus\" is not a time zone of this system",
          "template \"short\": \"agnt\" is not a variable of templates",
          "templates.short.fields: expected true or false, found \"yes\""));
}

TEST_F(Commands, CheckSaysNothingOfWhatAnErrorKeepsFromBeingRead) {
  config_.plugin_paths = "";
  config_.sinks = "  ops: {plugin: of-another-folder}\n";
  config_.rules = "  - {name: a, send: [ops, of-the-lost-file], when: {during: of-the-lost-file}}\n";
  config_.more = "include: [lost.yaml]\n";
  config_.Write();
  std::string text = ReadFile(config_.Path());
  text.replace(text.find("paths: ["), 8, "pahts: [");
  WriteFile(config_.Path(), text);
  const Finished checked = Hookswitch({"check", "-c", config_.Path(), "--format", "json"});
  EXPECT_THAT(Messages(checked), testing::ElementsAre("\"pahts\" is not a key of plugins", HasSubstr("cannot read ")));
}

TEST_F(Commands, ServeReportsWhatPluginsSayBesideErrorsOfTheFile) {
  config_.server = "{lsten: \"127.0.0.1:0\"}";
  config_.sinks = "  ops: {plugin: slack, config: {webhook_url: {env: PLACEHOLDER}}}\n";
  config_.Write();
  const Finished served = RunProgram({Program(), "serve", "-c", config_.Path()},
                                     {"PLACEHOLDER=https://hooks.slack.com/services/T000/B000/XXXX"});
  EXPECT_EQ(served.exit_code, 1);
  EXPECT_THAT(served.err, HasSubstr(R"(\"lsten\" is not a key of server)"));
  EXPECT_THAT(served.err, HasSubstr("webhook_url is a placeholder"));
}

TEST_F(Commands, CheckFindsProblemsInAPluginsOwnConfig) {
  const std::string good = config_.sinks;
  config_.sinks = good;
  config_.sinks.replace(config_.sinks.find("webhook_url"), 11, "webhok_url");
  config_.Write();
  const Finished checked = Hookswitch({"check", "-c", config_.Path()});
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.out + checked.err, HasSubstr("webhook_url"));
}

/// A sink of each bundled plugin, with secrets from variables that are not set.
constexpr char kEverySink[] =
    "  discord: {plugin: discord, config: {webhook_url: {env: NOT_SET}}}\n"
    "  email: {plugin: email, config: {server: \"127.0.0.1:9\", from: a@example.com, to: [b@example.com], username: u, "
    "password: {env: NOT_SET}}}\n"
    "  file: {plugin: file, config: {path: /dev/null}}\n"
    "  googlechat: {plugin: googlechat, config: {webhook_url: {env: NOT_SET}}}\n"
    "  mattermost: {plugin: mattermost, config: {webhook_url: {env: NOT_SET}}}\n"
    "  mqtt: {plugin: mqtt, config: {server: \"127.0.0.1:9\", topic: t, username: u, password: {env: NOT_SET}}}\n"
    "  ntfy: {plugin: ntfy, config: {topic: t, token: {env: NOT_SET}}}\n"
    "  pagerduty: {plugin: pagerduty, config: {routing_key: {env: NOT_SET}}}\n"
    "  postgres: {plugin: postgres, config: {connection: {env: NOT_SET}}}\n"
    "  slack: {plugin: slack, config: {webhook_url: {env: NOT_SET}}}\n"
    "  bot: {plugin: slack, config: {token: {env: NOT_SET}, channel: C1}}\n"
    "  teams: {plugin: teams, config: {webhook_url: {env: NOT_SET}}}\n"
    "  telegram: {plugin: telegram, config: {token: {env: NOT_SET}, chat_id: \"-1\"}}\n"
    "  webhook: {plugin: webhook, config: {url: {env: NOT_SET}, signing_secrets: [{env: NOT_SET}], "
    "headers: {X-Api-Key: {env: NOT_SET}}, secret_headers: {Authorization: {env: NOT_SET}}}}\n";

TEST_F(Commands, WithoutSecretsAConfigIsCheckedRoutedAndPreviewedByNoSecrets) {
  config_.source = "{type: bolna, path: /bolna/webhook, auth: {bearer: true, secret: {file: nowhere}}}";
  config_.admin = "{listen: \"0.0.0.0:0\", token: {env: NOT_SET}}";
  config_.sinks = kEverySink;
  config_.rules =
      "  - {name: all, when: {status: terminal}, send: [discord, email, file, googlechat, mattermost, mqtt, ntfy, "
      "pagerduty, postgres, slack, "
      "bot, "
      "teams, telegram, webhook]}\n";
  config_.Write();
  EXPECT_EQ(Hookswitch({"check", "-c", config_.Path()}).exit_code, 1);
  const Finished checked = Hookswitch({"check", "-c", config_.Path(), "--no-secrets"});
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_EQ(checked.err, "");
  EXPECT_EQ(Hookswitch({"route", "-c", config_.Path(), "--no-secrets", "--event", event_}).exit_code, 0);
  const Finished shown =
      Hookswitch({"preview", "-c", config_.Path(), "--no-secrets", "--event", event_, "--format", "json"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  const json::value sinks = json::parse(shown.out);
  for (const auto& sink : sinks.as_array()) {
    EXPECT_TRUE(sink.as_object().contains("url") || sink.as_object().contains("writes")) << json::serialize(sink);
  }
  EXPECT_EQ(sinks.as_array().size(), 14U);
  const Finished mail =
      Hookswitch({"preview", "-c", config_.Path(), "--no-secrets", "--event", event_, "--sink", "email"});
  EXPECT_THAT(mail.out, HasSubstr("\nSubject: "));
  EXPECT_THAT(mail.out, Not(HasSubstr("\\"))) << "lines are lines";
}

TEST_F(Commands, WithNoSecretsWhatIsWrongIsStillSaid) {
  config_.sinks = "  ops: {plugin: slack, config: {webhook_url: {env: OPS}, chanel: C1}}\n";
  config_.Write();
  const Finished checked = RunProgram({Program(), "check", "-c", config_.Path(), "--no-secrets"}, {"OPS=http://x"});
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.err, HasSubstr("\"chanel\" is not a key of sinks.ops.config"));
  EXPECT_THAT(checked.err, HasSubstr("webhook_url must"));
}

TEST_F(Commands, CheckRouteAndPreviewReadVariablesFromAFile) {
  config_.sinks = "  ops: {plugin: slack, config: {webhook_url: {env: OPS}}}\n";
  config_.Write();
  const std::string file = dir_ / "environment";
  WriteFile(file, "# of ops\nOPS=\"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/lastSegmentIsTheKey\"\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"check"}, {"route", "--event", event_}, {"preview", "--event", event_}}) {
    std::vector<std::string> arguments = {Program()};
    arguments.insert(arguments.end(), command.begin(), command.end());
    arguments.insert(arguments.end(), {"-c", config_.Path()});
    EXPECT_EQ(RunProgram(arguments).exit_code, 1) << command.front();
    EXPECT_EQ(RunProgram(arguments, {"HOOKSWITCH_ENV_FILE=" + file}).exit_code, 0) << command.front();
    EXPECT_EQ(RunProgram(arguments, {"HOOKSWITCH_ENV_FILE=" + file + ".missing"}).exit_code, 1) << command.front();
    arguments.insert(arguments.end(), {"--env-file", file});
    EXPECT_EQ(RunProgram(arguments).exit_code, 0) << command.front();
  }
}

TEST_F(Commands, CheckShowsNothingOfThePluginConfigThatNobodyCanRead) {
  config_.sinks =
      "  flow: {plugin: slakc, config: {webhook_url: \"https://hooks.slack.com/services/T1/B1/s3cr3tOne\"}}\n"
      "  block:\n    plugin: postgers\n    config:\n      connection: host=db password=s3cr3tTwo\n"
      "      headers: {Authorization: Bearer s3cr3tThree}\n      list:\n        - s3cr3tFour\n";
  config_.rules = "  - {name: a, send: [flow, block]}\n";
  config_.Write();
  const std::string good = ReadFile(config_.Path());
  // A line lost at a time, and a bracket that is never closed at each place where one may stand.
  std::vector<std::string> files = {good};
  for (std::size_t at = good.find('\n'); at != std::string::npos; at = good.find('\n', at + 1)) {
    const std::size_t end = good.find('\n', at + 1);
    files.push_back(good.substr(0, at) + (end == std::string::npos ? "" : good.substr(end)));
  }
  for (std::size_t at = good.find('}'); at != std::string::npos; at = good.find('}', at + 1)) {
    files.push_back(good.substr(0, at) + good.substr(at + 1));
  }
  for (const std::string& file : files) {
    WriteFile(config_.Path(), file);
    for (const char* format : {"text", "json"}) {
      const Finished checked = Hookswitch({"check", "-c", config_.Path(), "--format", format});
      EXPECT_EQ(checked.exit_code, 1);
      EXPECT_THAT(checked.out + checked.err, Not(HasSubstr("s3cr3t"))) << file;
    }
  }
}

TEST_F(Commands, CheckKnowsTheNamesInAPluginsConfig) {
  config_.sinks =
      "  bot: {plugin: slack, config: {token: xoxb-1, channel: C1, channels: [{agent: \"cobalt-*\", channel: C2}, "
      "{rule: no-such-rule, channel: C3}, {rule: \"calls-*\", channel: C3}], mentions: {fialed: [here], ended: "
      "[here]}}}\n"
      "  pager: {plugin: pagerduty, config: {routing_key: \"0123456789abcdef0123456789abcdef\", trigger_on: "
      "[unsuccesful], "
      "resolve_on: [completed]}}\n";
  config_.rules = "  - {name: calls-all, when: {status: completed}, send: [bot, pager]}\n";
  config_.Write();
  const auto messages = Messages(Hookswitch({"check", "-c", config_.Path(), "--format", "json"}));
  EXPECT_THAT(messages, testing::Contains("rule \"no-such-rule\" is not defined"));
  EXPECT_THAT(messages, testing::Contains(HasSubstr("sinks.bot.config.mentions: expected a status")));
  EXPECT_THAT(messages, testing::Contains(HasSubstr("sinks.pager.config.trigger_on[]: expected a status")));
  EXPECT_THAT(messages, testing::Not(testing::Contains(HasSubstr("cobalt"))));
  EXPECT_THAT(messages, testing::Not(testing::Contains(HasSubstr("calls-"))));
}

TEST_F(Commands, GroupsAndGlobsInAPluginsConfigMeanWhatTheyMeanInRules) {
  config_.more = "agents: {agent-1: {name: cobalt-eu}}\n";
  config_.sinks =
      "  bot: {plugin: slack, config: {token: xoxb-1, channel: C1, channels: [{rule: \"x*\", channel: C3}, "
      "{rule: \"calls-*\", agent: \"cobalt-*\", channel: C2}], mentions: {unsuccessful: [here], failed: "
      "[U012ABCDEF]}}}\n"
      "  pager: {plugin: pagerduty, config: {routing_key: \"0123456789abcdef0123456789abcdef\", trigger_on: "
      "[unsuccessful], "
      "resolve_on: [completed]}}\n";
  config_.rules =
      "  - {name: calls-all, when: {status: any}, send: [bot, pager]}\n  - {name: x, drop: true, when: {agent: y}}\n";
  config_.Write();
  const auto shown = [&](const char* status) {
    WriteFile(event_, Call(CallId(1), {{"status", status}, {"agent_id", "agent-1"}}));
    const Finished finished = Hookswitch({"preview", "-c", config_.Path(), "--event", event_, "--format", "json"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return finished.out;
  };
  const std::string busy = shown("busy"), failed = shown("failed"), completed = shown("completed");
  EXPECT_THAT(busy, HasSubstr(R"(\"channel\":\"C2\")"));
  EXPECT_THAT(busy, HasSubstr("<!here>"));
  EXPECT_THAT(busy, HasSubstr(R"(\"event_action\":\"trigger\")"));
  EXPECT_THAT(failed, HasSubstr("<@U012ABCDEF>"));
  EXPECT_THAT(failed, Not(HasSubstr("<!here>"))) << "the status itself counts before its group";
  EXPECT_THAT(completed, Not(HasSubstr("<!here>")));
  EXPECT_THAT(completed, HasSubstr(R"(\"event_action\":\"resolve\")"));
}

TEST_F(Commands, SchemaListsTheStatusesWhereAPluginNamesOne) {
  const std::string printed = Hookswitch({"schema", "-c", config_.Path()}).out;
  const json::value schema = json::parse(printed);
  for (const auto& one : schema.at_pointer("/definitions/sink/allOf").as_array()) {
    if (one.at_pointer("/if/properties/plugin/const") != "pagerduty") continue;
    const auto& items = one.at_pointer("/then/properties/config/properties/trigger_on/items");
    EXPECT_EQ(items.at("enum"), schema.at_pointer("/definitions/status/enum"));
    EXPECT_EQ(items.at("x-hookswitch-ref"), "status");
    return;
  }
  FAIL() << printed;
}

TEST_F(Commands, CheckOfAFileThatIsNotThereIsTwo) {
  EXPECT_EQ(Hookswitch({"check", "-c", dir_ / "nothing.yaml"}).exit_code, 2);
}

TEST_F(Commands, NeedNoTemporaryFolder) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"check"}, {"schema"}, {"route", "--event", event_}, {"plugin", "list"}, {"plugin", "inspect", "slack"}}) {
    std::vector<std::string> arguments = {Program()};
    arguments.insert(arguments.end(), command.begin(), command.end());
    arguments.insert(arguments.end(), {"-c", config_.Path()});
    const Finished finished = RunProgram(arguments, {"TMPDIR=" + (dir_ / "missing")});
    EXPECT_EQ(finished.exit_code, 0) << command.front() << ": " << finished.err;
  }
}

TEST_F(Commands, TheConfigIsAlsoFoundInTheEnvironment) {
  EXPECT_EQ(RunProgram({Program(), "check"}, {"HOOKSWITCH_CONFIG=" + config_.Path()}).exit_code, 0);
}

TEST_F(Commands, WhatIsTypedCountsBeforeTheEnvironment) {
  const std::vector<std::string> elsewhere = {"HOOKSWITCH_CONFIG=" + (dir_ / "missing.yaml"),
                                              "HOOKSWITCH_ENV_FILE=" + (dir_ / "missing")};
  WriteFile(dir_ / "environment", "A=b\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"check"}, {"route", "--event", event_}, {"preview", "--event", event_}}) {
    std::vector<std::string> arguments = {Program()};
    arguments.insert(arguments.end(), command.begin(), command.end());
    arguments.insert(arguments.end(), {"-c", config_.Path(), "--env-file", dir_ / "environment"});
    const Finished finished = RunProgram(arguments, elsewhere);
    EXPECT_EQ(finished.exit_code, 0) << command.front() << ": " << finished.err;
  }
}

TEST_F(Commands, WrongUsageIsTwo) {
  EXPECT_EQ(Hookswitch({}).exit_code, 2);
  EXPECT_EQ(Hookswitch({"sreve"}).exit_code, 2);
  EXPECT_EQ(Hookswitch({"check", "--frmat", "json"}).exit_code, 2);
  EXPECT_EQ(Hookswitch({"--help"}).exit_code, 0);
  EXPECT_EQ(Hookswitch({"serve", "--help"}).exit_code, 0);
  EXPECT_THAT(Hookswitch({"--version"}).out, HasSubstr("hookswitch 0."));
}

TEST_F(Commands, RouteExplainsEachRule) {
  const Finished routed =
      Hookswitch({"route", "-c", config_.Path(), "--source", "bolna", "--event", event_, "--format", "json"});
  ASSERT_EQ(routed.exit_code, 0) << routed.err;
  const json::value result = json::parse(routed.out);
  EXPECT_EQ(result.at("event").at("call_id"), json::string_view(CallId(1)));
  EXPECT_EQ(result.at("event").at("duration"), 27.2);
  const json::array& rules = result.at("rules").as_array();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].at("matched"), false);
  EXPECT_FALSE(rules[0].at("why").as_string().empty());
  EXPECT_EQ(rules[1].at("matched"), true);
  EXPECT_EQ(result.at("deliveries"), json::parse(R"([{"sink":"ops","rule":"completed-calls"}])"));
  EXPECT_THAT(Hookswitch({"route", "-c", config_.Path(), "--source", "bolna", "--event", event_}).out,
              HasSubstr("completed-calls"));
}

TEST_F(Commands, NowHasSchedulesJudgedByAt) {
  config_.rules = "  - {name: mornings, when: {during: early}, send: [ops]}\n";
  config_.more = "schedules: {early: [{days: mon-sun, hours: \"06:00-07:00\"}]}\n";
  config_.Write();
  const auto run = [&](const char* command, std::vector<std::string> more) {
    std::vector<std::string> arguments{command, "-c", config_.Path(), "--event", event_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Hookswitch(arguments);
  };
  const std::vector<std::string> morning{"--at", "2026-03-04T06:30:00Z"};
  const std::vector<std::string> judged{"--at", "2026-03-04T06:30:00Z", "--now"};
  for (const char* command : {"route", "preview"}) {
    const Finished own = run(command, morning);
    EXPECT_THAT(own.out, Not(HasSubstr("-> ops"))) << "the call ended at another time";
    EXPECT_THAT(own.err, HasSubstr("--now")) << "which is said";
    const Finished now = run(command, judged);
    EXPECT_THAT(now.out, HasSubstr("-> ops (mornings)")) << now.err;
    EXPECT_EQ(now.err, "");
  }
}

TEST_F(Commands, NoIdForgesALineOfWhatIsPrinted) {
  WriteFile(event_, Call("a\n-> ops (forged)\u2028\x1b[2J", {{"agent_id", "b\n-> ops (forged)"}, {"status", "x\ny"}}));
  for (const char* command : {"route", "preview"}) {
    const std::string out = Hookswitch({command, "-c", config_.Path(), "--event", event_}).out;
    EXPECT_THAT(out, Not(HasSubstr("\n-> ops (forged)"))) << out;
    EXPECT_THAT(out, Not(HasSubstr("\x1b"))) << out;
    EXPECT_THAT(out, Not(HasSubstr("\u2028"))) << out;
  }
}

TEST_F(Commands, RouteOfABodyThatIsNoEventIsOne) {
  WriteFile(event_, R"({"status":"completed"})");
  const Finished routed = Hookswitch({"route", "-c", config_.Path(), "--source", "bolna", "--event", event_});
  EXPECT_EQ(routed.exit_code, 1);
  const json::value result = json::parse(routed.out);
  EXPECT_EQ(result.at("ok"), false);
  EXPECT_EQ(result.at("error"), "missing_field");
}

TEST_F(Commands, PreviewPrintsTheRequestWithTheSecretMasked) {
  const Finished shown = Hookswitch({"preview", "-c", config_.Path(), "--source", "bolna", "--event", event_});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("Bolna call ended: completed"));
  EXPECT_THAT(shown.out, HasSubstr("POST http://127.0.0.1:9/services/T0/B0/***"));
  EXPECT_THAT(shown.out + shown.err, Not(HasSubstr("lastSegmentIsTheKey")));
}

TEST_F(Commands, PreviewHasTheBodyAsItWasPosted) {
  config_.sinks = "  hook: {plugin: webhook, config: {url: \"https://example.com/\", body: raw}}\n";
  config_.rules = "  - {name: all, send: [hook]}\n";
  config_.Write();
  const std::string posted = ReadFile(event_) + "\n  ";
  WriteFile(event_, posted);
  const Finished shown = Hookswitch({"preview", "-c", config_.Path(), "--event", event_, "--format", "json"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  const json::value sinks = json::parse(shown.out);
  const auto* body = sinks.as_array().at(0).as_object().if_contains("body");
  ASSERT_TRUE(body) << shown.out;
  EXPECT_EQ(body->as_string(), posted);
}

TEST_F(Commands, AnEventThatCannotBeReadIsTwoAndSaysWhy) {
  const std::string folder = std::filesystem::path(event_).parent_path(), missing = dir_ / "missing.json";
  for (const char* command : {"route", "preview"}) {
    for (const auto& [file, why] : {std::pair(folder, "Is a directory"), {missing, "No such file or directory"}}) {
      const Finished finished = Hookswitch({command, "-c", config_.Path(), "--event", file});
      EXPECT_EQ(finished.exit_code, 2) << command;
      EXPECT_EQ(finished.err, "hookswitch: cannot read " + file + ": " + why + "\n") << command;
    }
  }
}

TEST_F(Commands, SchemaIsJsonAndHoldsThePluginsOwnConfig) {
  const Finished printed = Hookswitch({"schema", "-c", config_.Path()});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  const json::value schema = json::parse(printed.out);
  EXPECT_THAT(std::string(schema.at("$schema").as_string()), HasSubstr("draft-07"));
  EXPECT_THAT(printed.out, HasSubstr("min_duration"));
  EXPECT_THAT(printed.out, HasSubstr("webhook_url"));
}

TEST_F(Commands, SchemaLetsAPluginsSecretBeAVariableAFileOrText) {
  const json::value schema = json::parse(Hookswitch({"schema", "-c", config_.Path()}).out);
  const json::value* url = nullptr;
  for (const auto& one : schema.at_pointer("/definitions/sink/allOf").as_array()) {
    if (one.at_pointer("/if/properties/plugin/const") != "slack") continue;
    url = &one.at_pointer("/then/properties/config/properties/webhook_url");
  }
  ASSERT_NE(url, nullptr);
  EXPECT_EQ(url->at("anyOf"), json::parse(R"([{"$ref": "#/definitions/secret"}, {"type": "string"}])"));
  EXPECT_FALSE(url->as_object().contains("type")) << "a map would be refused";
  EXPECT_TRUE(url->as_object().contains("description"));
  const json::value& secret = schema.at_pointer("/definitions/secret");
  EXPECT_EQ(secret.at("type"), json::parse(R"(["object", "string"])"));
  EXPECT_TRUE(secret.at("properties").as_object().contains("env"));
  EXPECT_TRUE(secret.at("properties").as_object().contains("file"));
}

TEST_F(Commands, PluginListFindsTheBundledSinks) {
  const Finished listed = Hookswitch({"plugin", "list", "-c", config_.Path()});
  ASSERT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("slack"));
  const Finished inspected = Hookswitch({"plugin", "inspect", "slack", "-c", config_.Path()});
  EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
  EXPECT_THAT(inspected.out, HasSubstr("webhook_url (string, secret)\n"));
  EXPECT_THAT(inspected.out, HasSubstr("thread (none or call, default \"none\")\n"));
  EXPECT_THAT(inspected.out, HasSubstr("channels[].channel (string, required)\n"));
  EXPECT_THAT(inspected.out, HasSubstr("channels[].rule (string, names a rule)\n"));
  EXPECT_THAT(inspected.out, HasSubstr("mentions (object, each key names a status or a group)\n"));
}

TEST_F(Commands, ServeOfABrokenConfigEndsWithOneAndEveryProblem) {
  config_.rules = "  - {name: a, when: {min_druation: 30s}, send: [ops]}\n  - {name: b, send: [osp]}\n";
  config_.Write();
  const Finished served = Hookswitch({"serve", "-c", config_.Path()});
  EXPECT_EQ(served.exit_code, 1);
  EXPECT_THAT(served.err, HasSubstr("\"event\":\"config_error\""));
  EXPECT_THAT(served.err, HasSubstr("min_druation"));
  EXPECT_THAT(served.err, HasSubstr("osp"));
  EXPECT_THAT(served.err, HasSubstr("\"event\":\"start_failed\""));
  EXPECT_THAT(served.err, Not(HasSubstr("\n{\n"))) << "lines of JSON, whoever collects them";
}

}  // namespace
}  // namespace hookswitch::e2e
