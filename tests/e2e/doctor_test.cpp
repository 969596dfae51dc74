// `hookswitch doctor` beside a running router, and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tests/e2e/router.h"
#include "tests/sinks/free_port.h"

namespace hookswitch::e2e {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Doctor : public testing::Test {
 protected:
  Finished Run(std::vector<std::string> more = {}) const {
    std::vector<std::string> command{Program(), "doctor", "-c", config_.Path()};
    command.insert(command.end(), more.begin(), more.end());
    return RunProgram(command);
  }
  /// "level check: text" of each finding.
  static std::vector<std::string> Findings(const Finished& finished) {
    json::error_code error;
    const json::value shown = json::parse(finished.out, error);
    if (error || !shown.is_object()) return {finished.out + finished.err};
    std::vector<std::string> findings;
    for (const auto& one : shown.at("findings").as_array()) {
      const auto text = [&one](const char* key) { return std::string(one.at(key).as_string()); };
      findings.push_back(text("level") + ' ' + text("check") + ": " + text("text"));
    }
    return findings;
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
};

TEST_F(Doctor, FindsNothingWrongWithARouterThatSendersReach) {
  config_.Slack("ops", slack_.Url());
  const std::string port = std::to_string(test::FreePort());
  config_.server = "{listen: \"127.0.0.1:" + port + "\", public_url: \"http://127.0.0.1:" + port + "\"}";
  const Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  const std::string admin = "http://127.0.0.1:" + std::to_string(router.Admin());
  const Finished fine = Run({"--url", admin, "--format", "json"});
  EXPECT_EQ(fine.exit_code, 0) << fine.out << fine.err;
  const auto findings = Findings(fine);
  EXPECT_THAT(findings, Contains(StartsWith("ok config: " + config_.Path() + ": 1 source, ")));
  EXPECT_THAT(findings, Contains("ok plugins: slack: loaded, and take this config"));
  EXPECT_THAT(findings, Contains(StartsWith("ok router: hookswitch ")));
  EXPECT_THAT(findings, Contains(HasSubstr("/bolna/webhook reaches this router")));
  EXPECT_THAT(findings, Contains(StartsWith("ok sink ops: http://127.0.0.1:")));
  EXPECT_THAT(findings, Contains(StartsWith("ok journal: ")));
  EXPECT_THAT(findings, Not(Contains(StartsWith("problem"))));
  EXPECT_EQ(router.Get("/api/v1/refused").body, "{\"refused\":[],\"cursor\":null}\n")
      << "the check is no refused request";

  // The name leads elsewhere now.
  std::string text = config_.Text();
  text.replace(text.find("public_url: \"http://127.0.0.1:" + port), 30 + port.size(),
               "public_url: \"http://127.0.0.1:" + std::to_string(router.Admin()));
  WriteFile(config_.Path(), text);
  const Finished elsewhere = Run({"--url", admin});
  EXPECT_EQ(elsewhere.exit_code, 1) << elsewhere.out;
  EXPECT_THAT(elsewhere.out, HasSubstr("public_url  http://127.0.0.1:"));
  EXPECT_THAT(elsewhere.out, HasSubstr("problem  "));
}

TEST_F(Doctor, NamesTheUsualMistakesAndWhatToDo) {
  config_.sinks =
      "  ops: {plugin: slack, config: {webhook_url: \"https://hooks.slack.com/services/T000/B000/XXXX\"}}\n"
      "  oncall: {plugin: slack, config: {webhook_url: {env: NOT_SET_AT_ALL}}}\n";
  config_.rules = "  - {name: all, send: [ops, oncall]}\n";
  config_.source = "{type: bolna, path: /bolna/webhook, allow_ips: [13.203.39.153]}";
  config_.server = "{listen: \"127.0.0.1:0\", public_url: \"https://calls.example.com\"}";
  config_.admin = "{listen: \"unix:" + dir_ / "nobody.sock" + "\"}";
  config_.Write();
  const Finished found = Run({"--format", "json"});
  EXPECT_EQ(found.exit_code, 1);
  const auto findings = Findings(found);
  EXPECT_THAT(findings, Contains(AllOf(StartsWith("problem config: "), HasSubstr("placeholder"))));
  EXPECT_THAT(findings, Contains(AllOf(StartsWith("problem config: "), HasSubstr("NOT_SET_AT_ALL"))));
  EXPECT_THAT(findings, Contains(AllOf(StartsWith("problem source bolna: "), HasSubstr("13.126.9.249"))));
  EXPECT_THAT(findings, Contains(AllOf(StartsWith("problem proxy: "), HasSubstr("trusted_proxies"))));
  EXPECT_THAT(findings, Contains(StartsWith("note router: none answers")));
  EXPECT_THAT(findings, Contains(StartsWith("note public_url: not checked")));
  EXPECT_THAT(findings, Contains(testing::ContainsRegex("^[a-z]+ disk: ")));
  EXPECT_THAT(findings, Contains(testing::ContainsRegex("^[a-z]+ clock: ")));
}

TEST_F(Doctor, ADestinationThatDoesNotAnswerIsAProblem) {
  const std::string port = std::to_string(test::FreePort());
  config_.Slack("ops", "http://127.0.0.1:" + port + "/services/T0/B0/aSecretPath");
  config_.admin = "{listen: \"unix:" + dir_ / "nobody.sock" + "\"}";
  config_.Write();
  const Finished found = Run();
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.out, HasSubstr("no answer from http://127.0.0.1:" + port + " (connect_failed"));
  EXPECT_THAT(found.out, Not(HasSubstr("aSecretPath")));
  const Finished inside = Run({"--no-network"});
  EXPECT_EQ(inside.exit_code, 0) << inside.out << inside.err;
}

}  // namespace
}  // namespace hookswitch::e2e
