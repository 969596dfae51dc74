#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/e2e/router.h"
#include "tests/fakes/http_loop.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

/// A running router whose admin listener wants a token, and its operator's shell.
class Remote : public testing::Test {
 protected:
  Remote() {
    config_.Slack("ops", slack_.Url());
    WriteFile(dir_ / "token", "the-admin-token");
    good_ = config_.Text();
    const std::string open = "admin: {listen: \"127.0.0.1:0\"}";
    good_.replace(good_.find(open), open.size(),
                  "admin: {listen: \"127.0.0.1:0\", token: {file: " + (dir_ / "token") + "}}");
    WriteFile(config_.Path(), good_);
    router_ = std::make_unique<Router>(config_.Path());
  }
  Finished Hookswitch(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) const {
    arguments.insert(arguments.begin(), Program());
    arguments.insert(arguments.end(),
                     {"-c", config_.Path(), "--url", "http://127.0.0.1:" + std::to_string(router_->Admin())});
    return RunProgram(arguments, environment);
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::string good_;
  std::unique_ptr<Router> router_;
};

TEST_F(Remote, SinksAreListedPausedAndResumed) {
  ASSERT_TRUE(router_->Ready());
  const Finished list = Hookswitch({"sinks"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("ops  open"));
  const Finished paused = Hookswitch({"sinks", "pause", "ops"});
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  EXPECT_EQ(paused.out, "ops: paused\n");
  EXPECT_THAT(Hookswitch({"sinks"}).out, HasSubstr("ops  paused"));
  const Finished resumed = Hookswitch({"sinks", "resume", "ops", "--format", "json"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  json::error_code error;
  EXPECT_TRUE(json::parse(resumed.out, error).is_object() && !error) << "one document: " << resumed.out;
}

TEST_F(Remote, NoProxyOfTheEnvironmentGetsTheToken) {
  ASSERT_TRUE(router_->Ready());
  std::atomic<int> asked{0};
  const auto proxy = fakes::HttpLoop::Start([&](const fakes::HttpRequest&) {
    ++asked;
    return fakes::HttpReply{};
  });
  std::vector<std::string> environment;
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    environment.push_back(std::string(name) + "=http://127.0.0.1:" + std::to_string((*proxy)->Port()));
  }
  const std::vector<std::vector<std::string>> commands = {
      {"sinks"}, {"sinks", "pause", "ops"}, {"events"}, {"deliveries"}, {"reload"}};
  for (const auto& command : commands) {
    const Finished done = Hookswitch(command, environment);
    EXPECT_EQ(done.exit_code, 0) << command[0] << ": " << done.err;
  }
  EXPECT_EQ(asked, 0);
}

TEST_F(Remote, PausingASinkThatIsNotThereIsOne) {
  ASSERT_TRUE(router_->Ready());
  const Finished paused = Hookswitch({"sinks", "pause", "osp"});
  EXPECT_EQ(paused.exit_code, 1);
  EXPECT_EQ(paused.out, "");
  EXPECT_THAT(paused.err, HasSubstr("not_found"));
}

TEST_F(Remote, ReloadSaysTheGenerationOrEveryProblem) {
  ASSERT_TRUE(router_->Ready());
  const Finished reloaded = Hookswitch({"reload"});
  EXPECT_EQ(reloaded.exit_code, 0) << reloaded.err;
  EXPECT_EQ(reloaded.out, "reloaded: generation 2\n");

  std::string broken = good_;
  broken.replace(broken.find("rules:"), 6, "rulez:");
  WriteFile(config_.Path(), broken);
  const Finished refused = Hookswitch({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("\"rulez\""));
  EXPECT_THAT(refused.err, HasSubstr("did you mean \"rules\""));
  EXPECT_THAT(refused.err, HasSubstr("generation 2 goes on"));
}

TEST_F(Remote, ABodylessPostIsEnoughForTheAdminApi) {
  ASSERT_TRUE(router_->Ready());
  RawClient client(router_->Admin());
  ASSERT_TRUE(
      client.Send("POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-admin-token\r\n\r\n"));
  EXPECT_EQ(client.Receive().status, 200);
}

}  // namespace
}  // namespace hookswitch::e2e
