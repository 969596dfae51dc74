// `hookswitch preview` shows all that a sink would send or write, and does none of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/json.h"
#include "tests/e2e/process.h"

namespace hookswitch {
namespace {

using testing::HasSubstr;
using testing::Not;

class Preview : public testing::Test {
 protected:
  /// The part of the sink `config` describes, as JSON.
  json::object Of(const std::string& config, const std::string& more = "") {
    e2e::WriteFile(
        dir_ / "hookswitch.yaml",
        "version: 1\njournal: {path: " + dir_ / "journal.db" +
            "}\nsources: {bolna: {type: bolna, path: /bolna/webhook, allow_ips: [192.0.2.1]}}\nsinks:\n  x: " + config +
            "\nrules:\n  - {name: all, when: {status: any}, send: [x]}\n");
    e2e::WriteFile(dir_ / "event.json", R"({"id":"call-1","agent_id":"desk","status":"completed",
      "conversation_duration":12,"transcript":"assistant: Hello.\nuser: )" +
                                            more + R"("})");
    auto command = std::vector<std::string>{std::string(HSW_BINARY_DIR) + "/bin/hookswitch",
                                            "preview",
                                            "-c",
                                            dir_ / "hookswitch.yaml",
                                            "--event",
                                            dir_ / "event.json"};
    text_ = e2e::RunProgram(command).out;
    command.insert(command.end(), {"--format", "json"});
    const auto ran = e2e::RunProgram(command);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return json::parse(ran.out).as_array().at(0).as_object();
  }
  e2e::TempDir dir_;
  std::string text_;
};

TEST_F(Preview, ShowsEveryStepOfABot) {
  const auto shown =
      Of("{plugin: slack, config: {token: xoxb-1-2-abc, channel: C1, long_transcript: file, max_transcript: "
         "10}}",
         "a long story");
  EXPECT_EQ(shown.at("url"), "https://slack.com/api/chat.postMessage");
  std::vector<std::string> urls;
  for (const auto& step : shown.at("then").as_array()) urls.emplace_back(step.at("url").as_string());
  ASSERT_EQ(urls.size(), 3U);
  EXPECT_EQ(urls[0], "https://slack.com/api/files.getUploadURLExternal");
  EXPECT_EQ(urls[2], "https://slack.com/api/files.completeUploadExternal");
  EXPECT_EQ(shown.at("then").at(1).at("body"), "Agent: Hello.\nUser: a long story\n");
  EXPECT_THAT(text_, HasSubstr("then, if the answer is such as {\"ok\":true"));
  EXPECT_THAT(text_, Not(HasSubstr("xoxb-1-2-abc")));
}

TEST_F(Preview, ShowsTheLineAndWritesNone) {
  const std::string file = dir_ / "calls.jsonl";
  const auto shown = Of("{plugin: file, config: {path: " + file + "}}");
  EXPECT_EQ(std::string(shown.at("to").as_string()), file);
  const std::string line(shown.at("writes").as_string());
  EXPECT_THAT(line, testing::StartsWith(R"({"delivery":"d-0","rule":"all","event":{)"));
  EXPECT_EQ(json::parse(line).at("event").at("call_id"), "call-1");
  EXPECT_THAT(text_, HasSubstr(file + "\n{\"delivery\""));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(Preview, ShowsTheRowWithoutADatabase) {
  const auto shown = Of(R"({plugin: postgres, config: {connection: "postgresql://u:s3cret@127.0.0.1:9/x"}})");
  EXPECT_EQ(shown.at("to"), "row of \"hookswitch_events\"");
  EXPECT_THAT(std::string(shown.at("writes").as_string()),
              testing::AllOf(HasSubstr("\ncall_id = call-1\n"), HasSubstr("\nagent = desk\n"),
                             HasSubstr("\nended_at = NULL\n"), HasSubstr("\nevent = {")));
  EXPECT_THAT(text_, Not(HasSubstr("s3cret")));
}

TEST_F(Preview, ShowsTheMailAndTheTopic) {
  const auto mail =
      Of(R"({plugin: email, config: {server: "127.0.0.1:9", security: none, from: "Ops <a@b.c>", to: [d@e.f]}})");
  EXPECT_EQ(mail.at("to"), "smtp://127.0.0.1:9");
  EXPECT_THAT(
      std::string(mail.at("writes").as_string()),
      testing::AllOf(testing::StartsWith("From: Ops <a@b.c>\nTo: d@e.f\nSubject: "), HasSubstr("Transcript\n")));
  const auto bus = Of(R"({plugin: mqtt, config: {server: "127.0.0.1:9", topic: "calls/{agent}"}})");
  EXPECT_EQ(bus.at("to"), "mqtt://127.0.0.1:9 calls/desk");
  EXPECT_EQ(json::parse(bus.at("writes").as_string()).at("call_id"), "call-1");
}

}  // namespace
}  // namespace hookswitch
