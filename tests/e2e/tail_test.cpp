// `hookswitch tail` beside a running router.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A running `tail`; its stdout and stderr are its lines.
class Tail : public testing::Test {
 protected:
  Tail() {
    config_.Slack("ops", slack_.Url());
    config_.admin = "{listen: [\"127.0.0.1:0\", \"unix:" + dir_ / "admin.sock" + "\"]}";
  }
  void StartRouter() {
    router_ = std::make_unique<Router>(config_.Write());
    ASSERT_TRUE(router_->Ready());
  }
  std::unique_ptr<Child> Follow(std::vector<std::string> arguments) {
    std::vector<std::string> command{"/bin/sh", "-c", "exec \"$@\" 1>&2", "sh", Program(), "tail"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"-c", config_.Path(), "--url", "unix:" + dir_ / "admin.sock"});
    auto tail = std::make_unique<Child>(command);
    EXPECT_TRUE(tail->WaitForLine("following", seconds(20)));
    return tail;
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
};

TEST_F(Tail, ShowsWhatIsReceivedSentAndRefusedAndEndsAfterSoManyLines) {
  StartRouter();
  const auto tail = Follow({"--count", "3"});
  ASSERT_EQ(router_->Post("nonsense").status, 400);
  const auto refused = tail->WaitForLine("refused", seconds(20));
  ASSERT_TRUE(refused);
  EXPECT_THAT(*refused, HasSubstr("400  invalid_json  bolna"));
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  const auto event = tail->WaitForLine("event", seconds(20));
  ASSERT_TRUE(event);
  EXPECT_THAT(*event, HasSubstr(CallId(1) + "  -> ops"));
  const auto delivered = tail->WaitForLine("delivered", seconds(20));
  ASSERT_TRUE(delivered);
  EXPECT_THAT(*delivered, HasSubstr("  ops  completed"));
  EXPECT_THAT(*delivered, Not(HasSubstr("\x1b"))) << "no colours where there is no terminal";
  EXPECT_EQ(tail->WaitForExit(seconds(20)), 0);
}

TEST_F(Tail, AfterARestartItGoesOnWithWhatItMissed) {
  StartRouter();
  const auto tail = Follow({"--kind", "event", "--format", "json", "--count", "3"});
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(tail->WaitForLine(CallId(1), seconds(20)));
  router_->Kill();
  ASSERT_TRUE(tail->WaitForLine("Trying again", seconds(20)));
  StartRouter();
  ASSERT_EQ(router_->Post(Call(CallId(2))).status, 200);
  const auto missed = tail->WaitForLine(CallId(2), seconds(20));
  ASSERT_TRUE(missed);
  json::error_code error;
  const json::value line = json::parse(*missed, error);
  ASSERT_TRUE(line.is_object() && !error) << *missed;
  EXPECT_EQ(line.at("kind"), "event");
  EXPECT_EQ(line.at("data").at("status"), "completed");
  ASSERT_TRUE(tail->WaitForLine("connected again", seconds(20)));
}

TEST_F(Tail, SaysAtOnceWhyItCannotBegin) {
  const Finished nobody = RunProgram({Program(), "tail", "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("is hookswitch running"));
  const Finished wrong = RunProgram({Program(), "tail", "--url", "http://127.0.0.1:1", "--status", "complete"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean \"completed\"?"));
  WriteFile(dir_ / "token", "the-admin-token");
  config_.admin = "{listen: \"127.0.0.1:0\", token: {file: " + (dir_ / "token") + "}}";
  StartRouter();
  const Finished refused = RunProgram(
      {Program(), "tail", "-c", config_.Path(), "--url", "http://127.0.0.1:" + std::to_string(router_->Admin())},
      {"HOOKSWITCH_ADMIN_TOKEN=another"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("refuses the token"));
}

}  // namespace
}  // namespace hookswitch::e2e
