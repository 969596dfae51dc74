#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/e2e/poster.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

TEST(Reload, TwoHundredReloadsUnderLoadLoseDoubleAndRefuseNothing) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  Poster poster(4);
  poster.Go(router.Ingress(), 1'000'000);
  poster.WaitForAccepted(10);
  for (std::size_t i = 1; i <= 200; ++i) {
    config.more = i % 2 == 1 ? "defaults: {timezone: Asia/Kolkata}\n" : "";
    config.Write();
    router.Process().Signal(SIGHUP);
    ASSERT_TRUE(router.WaitForEvents("reloaded", i)) << router.Log().substr(0, 4000);
  }
  poster.Stop();
  poster.Join();
  EXPECT_TRUE(poster.Others().empty()) << poster.Others().begin()->first;
  ASSERT_TRUE(slack.WaitForPosted(poster.Accepted().size(), seconds(60)));
  EXPECT_EQ(router.Stop(), 0);
  EXPECT_EQ(slack.PostedCount(), poster.Accepted().size());
  std::set<std::size_t> arrived;
  for (const auto& posted : slack.Posted()) arrived.insert(CallNumberIn(posted.body).value_or(SIZE_MAX));
  EXPECT_EQ(arrived, poster.Accepted());
}

TEST(Reload, AfterABurstOfSignalsTheLastConfigHoldsAndNothingIsLost) {
  constexpr std::size_t kSignals = 20;
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("first", slack.Url("/services/T0/B0/first")).Slack("last", slack.Url("/services/T0/B0/last"));
  config.rules = "  - {name: all, send: [first]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  Poster poster(2);
  poster.Go(router.Ingress(), 1'000'000);
  poster.WaitForAccepted(10);
  std::string others;
  for (std::size_t i = 1; i <= kSignals; ++i) {
    config.rules = others + "  - {name: all, send: [" + (i < kSignals ? "first" : "last") + "]}\n";
    others += "  - {name: other-" + std::to_string(i) + ", when: {agent: nobody}, send: [first]}\n";
    WriteFile(dir / "next.yaml", config.Text());
    std::filesystem::rename(dir / "next.yaml", config.Path());
    router.Process().Signal(SIGHUP);
  }
  // Each config has one rule more than the one before. Signals may be merged, but never the last with an earlier
  // config.
  ASSERT_TRUE(router.Process().WaitForLine("\"rules\":" + std::to_string(kSignals) + ",", seconds(20))) << router.Log();
  poster.Stop();
  poster.Join();
  EXPECT_TRUE(poster.Others().empty()) << poster.Others().begin()->first;
  ASSERT_EQ(router.Post(Call(CallId(poster.Next()))).status, 200);
  const std::size_t sent = poster.Accepted().size() + 1;
  ASSERT_TRUE(slack.WaitForPosted(sent, seconds(60)));
  EXPECT_EQ(router.Stop(), 0);
  EXPECT_EQ(slack.PostedCount(), sent);
  const auto last = slack.Posted("/services/T0/B0/last");
  ASSERT_FALSE(last.empty());
  EXPECT_TRUE(std::ranges::any_of(last, [&](const auto& post) { return CallNumberIn(post.body) == poster.Next(); }));
  std::set<std::size_t> arrived;
  for (const auto& posted : slack.Posted()) arrived.insert(CallNumberIn(posted.body).value_or(SIZE_MAX));
  EXPECT_EQ(arrived.size(), sent);
  EXPECT_THAT(router.Log(), testing::Not(HasSubstr("reload_failed")));
}

TEST(Reload, NewRulesHoldFromTheNextEventOn) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url("/services/T0/B0/x1")).Slack("oncall", slack.Url("/services/T0/B0/x2"));
  config.rules = "  - {name: all, send: [ops]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  config.rules = "  - {name: all, send: [oncall]}\n";
  config.Write();
  const RawAnswer reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 200) << reload.body;
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
  ASSERT_EQ(slack.Posted("/services/T0/B0/x2").size(), 1U);
  EXPECT_EQ(CallNumberIn(slack.Posted("/services/T0/B0/x2")[0].body), 2U);
}

TEST(Reload, ABrokenConfigChangesNothingAndSaysWhy) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  const std::string rules = "  - {name: all, when: {min_druation: 30s}, send: [ops]}\n";
  config.rules = rules;
  config.more = "templates: {short: {title: \"{{agnt}}\"}}\n";
  config.Write();
  router.Process().Signal(SIGHUP);
  ASSERT_TRUE(router.WaitForEvent("reload_failed"));
  EXPECT_THAT(router.Log(), HasSubstr("min_druation"));
  const RawAnswer reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 422);
  EXPECT_THAT(reload.body, HasSubstr("min_druation"));
  EXPECT_THAT(reload.body, HasSubstr("agnt"));
  EXPECT_THAT(router.Get("/readyz").body, HasSubstr("reload"));
  EXPECT_THAT(router.Get("/metrics").body, HasSubstr("hookswitch_config_last_reload_successful 0"));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(slack.WaitForPosted(1));
  config.rules = config.more = "";
  config.Write();
  router.Process().Signal(SIGHUP);
  EXPECT_TRUE(router.WaitForEvent("reloaded"));
}

TEST(Reload, SecretsAreReadAgain) {
  TempDir dir;
  FakeSlack slack;
  WriteFile(dir / "secret", "first");
  RouterConfig config(dir);
  config.Slack("ops", slack.Url("/services/T0/B0/old"));
  config.source =
      "{type: bolna, path: /bolna/webhook, auth: {header: X-Secret, secret: {file: " + (dir / "secret") + "}}}";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  EXPECT_EQ(router.Post(Call(CallId(1)), {{"X-Secret", "first"}}).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  WriteFile(dir / "secret", "second");
  WriteFile(dir / "ops_webhook", slack.Url("/services/T0/B0/new"));
  ASSERT_EQ(router.PostAdmin("/api/v1/reload").status, 200);
  EXPECT_EQ(router.Post(Call(CallId(2)), {{"X-Secret", "first"}}).status, 401);
  EXPECT_EQ(router.Post(Call(CallId(3)), {{"X-Secret", "second"}}).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
  EXPECT_EQ(slack.Posted("/services/T0/B0/new").size(), 1U);
}

/// A router whose sink's URL is the variable OPS of a file of variables, or of its own environment.
class EnvReload : public testing::Test {
 protected:
  EnvReload() {
    config_.sinks = "  ops: {plugin: slack, config: {webhook_url: {env: OPS}, allow_any_host: true}}\n";
    config_.rules = "  - {name: all, when: {status: any}, send: [ops]}\n";
    config_.Write();
    Set("/services/T0/B0/old");
  }
  void Set(const std::string& path) {
    WriteFile(env_file_, "# of ops\nOPS='" + slack_.Url(path) + "'\n");
    std::filesystem::permissions(env_file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  Finished ReloadCommand(const Router& router) const {
    return RunProgram(
        {Program(), "reload", "-c", config_.Path(), "--url", "http://127.0.0.1:" + std::to_string(router.Admin())});
  }
  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  const std::string env_file_ = dir_ / "environment";
};

TEST_F(EnvReload, TheFileOfVariablesIsReadAgain) {
  Router router(config_.Path(), {"HOOKSWITCH_ENV_FILE=" + env_file_});
  ASSERT_TRUE(router.Ready());
  Set("/services/T0/B0/new");
  router.Process().Signal(SIGHUP);
  ASSERT_TRUE(router.WaitForEvent("reloaded"));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack_.WaitForPosted(1));
  EXPECT_EQ(slack_.Posted("/services/T0/B0/new").size(), 1U);
  Set("/services/T0/B0/newest");
  const Finished reloaded = ReloadCommand(router);
  EXPECT_EQ(reloaded.exit_code, 0) << reloaded.err;
  EXPECT_THAT(reloaded.out, Not(HasSubstr("OPS"))) << "it was read anew";
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(slack_.WaitForPosted(2));
  EXPECT_EQ(slack_.Posted("/services/T0/B0/newest").size(), 1U);
}

TEST_F(EnvReload, AVariableThatLeavesTheFileIsMissedAlthoughTheProcessStillHasIt) {
  Router router(config_.Path(), {"HOOKSWITCH_ENV_FILE=" + env_file_, "OPS=" + slack_.Url("/services/T0/B0/old")});
  ASSERT_TRUE(router.Ready());
  WriteFile(env_file_, "");
  const Finished reloaded = ReloadCommand(router);
  EXPECT_EQ(reloaded.exit_code, 1);
  EXPECT_THAT(reloaded.err, HasSubstr("environment variable OPS is not set"));
}

TEST_F(EnvReload, AFileOfVariablesThatCannotBeReadFailsTheReload) {
  Router router(config_.Path(), {"HOOKSWITCH_ENV_FILE=" + env_file_});
  ASSERT_TRUE(router.Ready());
  std::filesystem::remove(env_file_);
  const Finished reloaded = ReloadCommand(router);
  EXPECT_EQ(reloaded.exit_code, 1);
  EXPECT_THAT(reloaded.err, HasSubstr(env_file_));
  EXPECT_THAT(reloaded.err, HasSubstr("cannot read the file of environment variables: No such file or directory"));
  EXPECT_THAT(reloaded.err, HasSubstr("nothing was changed"));
  EXPECT_TRUE(router.WaitForEvent("reload_failed"));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(slack_.WaitForPosted(1)) << "it goes on with what it has";
}

TEST_F(EnvReload, VariablesOfTheProcessAreSaidToBeAsTheyWere) {
  Router router(config_.Path(), {"OPS=" + slack_.Url("/services/T0/B0/old")});
  ASSERT_TRUE(router.Ready());
  const Finished reloaded = ReloadCommand(router);
  EXPECT_EQ(reloaded.exit_code, 0) << reloaded.err;
  EXPECT_THAT(reloaded.out, HasSubstr("as they were at the start: OPS ("));
  const auto line = router.WaitForEvent("variables_kept");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("\"variables\":\"OPS\""));
}

TEST(Reload, AListenerThatChangedAsksForARestart) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  config.server = "{listen: \"127.0.0.2:0\"}";
  config.Write();
  const RawAnswer reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 200);
  EXPECT_THAT(reload.body, HasSubstr("server.listen"));
  EXPECT_EQ(router.Post(Call(CallId(1))).status, 200);
}

TEST(Reload, DeliveriesOfARemovedSinkWaitForItsReturn) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  slack.GoDown();
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("delivery_retry"));
  RouterConfig without(dir);
  without.Slack("other", slack.Url("/services/T0/B0/other"));
  without.Write();
  ASSERT_EQ(router.PostAdmin("/api/v1/reload").status, 200);
  slack.ComeBack();
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_EQ(CallNumberIn(slack.Posted()[0].body), 2U);
  config.Write();
  ASSERT_EQ(router.PostAdmin("/api/v1/reload").status, 200);
  ASSERT_TRUE(slack.WaitForPosted(2));
}

}  // namespace
}  // namespace hookswitch::e2e
