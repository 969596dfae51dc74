#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include "tests/e2e/poster.h"
#include "tests/e2e/router.h"
#include "tests/fakes/http_loop.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

/// A config with a good Slack sink, and a sink `other` whose plugin stands in a folder of the test.
struct OtherPlugin {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config{dir};
  std::string file = dir / "plugins/other.so";

  OtherPlugin() {
    std::filesystem::create_directory(dir / "plugins");
    config.plugin_paths = (dir / "plugins") + ", " + PluginFolder();
    config.Slack("ops", slack.Url("/services/T0/B0/ops"));
    WriteFile(dir / "other_webhook", slack.Url("/services/T0/B0/other"));
    config.sinks += "  other:\n    plugin: other\n    config: {webhook_url: {file: " + (dir / "other_webhook") +
                    "}, allow_any_host: true}\n    rate_limit: {max: 1000, per: 1s, burst: 1000}\n";
    config.rules = "  - {name: all, send: [ops, other]}\n";
  }
};

TEST(Plugins, AFileThatOthersMayWriteIsRefusedAndItsDeliveriesWait) {
  OtherPlugin test;
  std::filesystem::copy_file(PluginFolder() + "/slack.so", test.file);
  chmod(test.file.c_str(), 0666);
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  const auto line = router.WaitForEvent("sink_unavailable");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("other.so"));
  EXPECT_EQ(json::parse(router.Post(Call(CallId(1))).body).at("deliveries"), 2);
  ASSERT_TRUE(test.slack.WaitForPosted(1));
  EXPECT_EQ(test.slack.Posted("/services/T0/B0/ops").size(), 1U);

  chmod(test.file.c_str(), 0644);
  const RawAnswer reload = router.PostAdmin("/api/v1/reload");
  ASSERT_EQ(reload.status, 200) << reload.body;
  ASSERT_TRUE(test.slack.WaitForPosted(2));
  EXPECT_EQ(test.slack.Posted("/services/T0/B0/other").size(), 1U);
}

TEST(Plugins, AReloadLooksIntoTheFoldersThatTheConfigNamesNow) {
  OtherPlugin test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_TRUE(router.WaitForEvent("sink_unavailable"));
  std::filesystem::create_directory(test.dir / "more");
  std::filesystem::copy_file(PluginFolder() + "/slack.so", test.dir / "more/other.so");
  test.config.plugin_paths += ", " + (test.dir / "more");
  test.config.Write();
  const RawAnswer reload = router.PostAdmin("/api/v1/reload");
  ASSERT_EQ(reload.status, 200) << reload.body;
  EXPECT_EQ(json::parse(reload.body).at("need_restart"), json::array());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(test.slack.WaitForPosted(2));
}

TEST(Plugins, AReloadIsRefusedForAPluginThatIsNotThereUnlessItsSinkWasUnavailableBefore) {
  OtherPlugin test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_TRUE(router.WaitForEvent("sink_unavailable"));
  const auto reload = [&](const std::string& from, const std::string& to) {
    std::string text = test.config.Text();
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    WriteFile(test.config.Path(), text);
    return router.PostAdmin("/api/v1/reload");
  };
  const RawAnswer same = reload("", "");
  EXPECT_EQ(same.status, 200) << same.body;
  EXPECT_THAT(same.body, testing::AllOf(HasSubstr("\"warning\""), HasSubstr("no plugin \\\"other\\\"")));
  const std::string added = "sinks:\n  added: {plugin: nobody, config: {}}\n";
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"plugin: other", "plugin: nobody"},
                                 {"plugin: slack", "plugin: nobody"},
                                 {"sinks:\n", added}}) {
    SCOPED_TRACE(from);
    const RawAnswer answer = reload(from, to);
    EXPECT_EQ(answer.status, 422) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("no plugin \\\"nobody\\\""));
  }
}

TEST(Plugins, AFileThatIsNoPluginDoesNotStopTheRouter) {
  OtherPlugin test;
  WriteFile(test.file, "this is not a library");
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  EXPECT_TRUE(router.WaitForEvent("sink_unavailable"));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(test.slack.WaitForPosted(1));
  EXPECT_EQ(RunProgram({Program(), "check", "-c", test.config.Path()}).exit_code, 1);
}

TEST(Plugins, AMissingPluginDoesNotStopTheRouter) {
  OtherPlugin test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  EXPECT_TRUE(router.WaitForEvent("sink_unavailable"));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(test.slack.WaitForPosted(1));
}

// As for a file that cannot be loaded.
TEST(Plugins, AConstructorThatRefusesDoesNotStopTheRouterAndIsRefusedByCheckAndReload) {
  OtherPlugin test;
  test.config.plugin_paths += ", " HSW_UNRULY_FOLDER;
  const auto with = [&](const std::string& secret) {
    const std::string before = test.config.sinks;
    test.config.sinks += "  taste:\n    plugin: unruly\n    config: {secret: " + secret + "}\n";
    test.config.rules = "  - {name: all, send: [ops, taste]}\n";
    const std::string path = test.config.Write();
    test.config.sinks = before;
    return path;
  };
  std::filesystem::copy_file(PluginFolder() + "/slack.so", test.file);
  for (const char* secret : {"refuse-me", "throw-at-me"}) {
    SCOPED_TRACE(secret);
    const auto checked = RunProgram({Program(), "check", "-c", with(secret)});
    EXPECT_EQ(checked.exit_code, 1) << checked.out << checked.err;
    EXPECT_THAT(checked.out + checked.err, HasSubstr("unruly"));
  }

  Router router(with("refuse-me"));
  ASSERT_TRUE(router.Ready());
  const auto line = router.WaitForEvent("sink_unavailable");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, testing::AllOf(HasSubstr("\"taste\""), HasSubstr("is not to my taste")));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(test.slack.WaitForPosted(1));

  RawAnswer reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 200) << "nothing was changed: " << reload.body;
  EXPECT_THAT(reload.body, HasSubstr("stays unavailable"));
  with("throw-at-me");
  reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 422) << "it was changed, and is wrong still: " << reload.body;
  with("another");
  reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 200) << reload.body;
  with("refuse-me");
  reload = router.PostAdmin("/api/v1/reload");
  EXPECT_EQ(reload.status, 422) << reload.body;
  EXPECT_THAT(reload.body, HasSubstr("is not to my taste"));
}

TEST(Plugins, WhatAPluginStartsInheritsNoDescriptor) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.admin = "{listen: [\"127.0.0.1:0\", \"unix:" + (dir / "admin.sock") + "\"]}";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  RawClient sender(router.Ingress());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  ASSERT_EQ(router.PostAdmin("/api/v1/reload").status, 200);
  const std::filesystem::path process = "/proc/" + std::to_string(router.Process().Pid());
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(process / "fdinfo")) {
    const std::string number = entry.path().filename();
    if (std::stoi(number) <= 2) continue;
    std::ifstream file(entry.path());
    const std::string info(std::istreambuf_iterator<char>(file), {});
    const auto flags = info.find("flags:");
    if (flags == std::string::npos) continue;  // closed meanwhile
    ++seen;
    std::error_code gone;
    const auto what = std::filesystem::read_symlink(process / "fd" / number, gone);
    EXPECT_NE(std::stoul(info.substr(flags + 6), nullptr, 8) & 02000000U, 0U) << number << " -> " << what;
  }
  EXPECT_GT(seen, 10U);
}

TEST(Plugins, OverwritingAPluginFileInPlaceDoesNotHurtTheRouter) {
  OtherPlugin test;
  std::filesystem::copy_file(PluginFolder() + "/slack.so", test.file);
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  WriteFile(test.file, "overwritten");
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(test.slack.WaitForPosted(2));
  EXPECT_EQ(router.Stop(), 0);
}

/// A router whose sink "there" is the plugin "swap", and the server that it posts to.
struct Swap {
  TempDir dir;
  std::mutex mu;
  std::map<std::string, std::multiset<std::size_t>> arrived;  ///< by build, the calls
  std::unique_ptr<fakes::HttpLoop> server;
  RouterConfig config{dir};

  Swap() {
    auto started = fakes::HttpLoop::Start([this](const fakes::HttpRequest& request) {
      const std::lock_guard lock(mu);
      arrived[std::string(request.Header("X-Build"))].insert(CallNumberIn(request.body).value_or(SIZE_MAX));
      return fakes::HttpReply{};
    });
    if (started) server = std::move(*started);
    std::filesystem::create_directory(dir / "plugins");
    Install("1");
    config.plugin_paths = dir / "plugins";
    config.sinks =
        "  there:\n    plugin: swap\n    config: {url: \"http://127.0.0.1:" + std::to_string(server->Port()) +
        "/\"}\n    concurrency: 32\n";
    config.rules = "  - {name: all, send: [there]}\n";
  }
  /// As `install` does: a new file takes the old one's place at once.
  void Install(const std::string& build) const {
    std::filesystem::copy_file(std::string(HSW_SWAP_FOLDER) + "/swap-" + build + ".so", dir / "plugins/new");
    std::filesystem::rename(dir / "plugins/new", dir / "plugins/swap.so");
  }
  std::size_t Count(const std::string& build) {
    const std::lock_guard lock(mu);
    return arrived[build].size();
  }
};

TEST(Plugins, ANewBuildTakesOverUnderLoadAndNothingIsLostOrDoubled) {
  Swap swap;
  Router router(swap.config.Write());
  ASSERT_TRUE(router.Ready());
  Poster poster(4);
  poster.Go(router.Ingress(), 1'000'000);
  poster.WaitForAccepted(200);
  swap.Install("2");
  router.Process().Signal(SIGHUP);
  ASSERT_TRUE(router.WaitForEvents("reloaded", 1)) << router.Log().substr(0, 4000);
  poster.WaitForAccepted(600);
  poster.Stop();
  poster.Join();
  EXPECT_TRUE(poster.Others().empty()) << poster.Others().begin()->first;
  EXPECT_EQ(router.Stop(), 0);

  std::multiset<std::size_t> all = swap.arrived["1"];
  all.insert(swap.arrived["2"].begin(), swap.arrived["2"].end());
  EXPECT_GT(swap.arrived["1"].size(), 0U);
  EXPECT_GT(swap.arrived["2"].size(), 0U);
  EXPECT_EQ(swap.arrived.size(), 2U);
  if (all.size() < poster.Accepted().size()) {
    // The rest waits in the journal: an orderly stop does not wait for a backlog.
    Router again(swap.config.Write());
    ASSERT_TRUE(again.Ready());
    ASSERT_TRUE(again.WaitForEvents("delivery_delivered", poster.Accepted().size() - all.size(), seconds(60)));
    EXPECT_EQ(again.Stop(), 0);
    all = swap.arrived["1"];
    all.insert(swap.arrived["2"].begin(), swap.arrived["2"].end());
  }
  EXPECT_EQ(std::set<std::size_t>(all.begin(), all.end()), poster.Accepted());
  EXPECT_EQ(all.size(), poster.Accepted().size());
}

TEST(Plugins, ANewBuildThatCrashesWhileItIsLoadedIsRefusedAndTheOldOneGoesOn) {
  Swap swap;
  Router router(swap.config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router.WaitForEvents("delivery_delivered", 1));
  swap.Install("3");
  const RawAnswer reload = router.PostAdmin("/api/v1/reload");
  ASSERT_EQ(router.Post(Call(CallId(2))).status, 200);
  ASSERT_TRUE(router.WaitForEvents("delivery_delivered", 2)) << reload.status << reload.body << router.Log();
  EXPECT_EQ(swap.Count("1"), 2U);
  EXPECT_THAT(reload.body + router.Log(), HasSubstr("crashes while it is loaded"));
  swap.Install("2");
  EXPECT_EQ(router.PostAdmin("/api/v1/reload").status, 200);
  ASSERT_EQ(router.Post(Call(CallId(3))).status, 200);
  ASSERT_TRUE(router.WaitForEvents("delivery_delivered", 3));
  EXPECT_EQ(swap.Count("2"), 1U);
  EXPECT_EQ(router.Stop(), 0);
}

}  // namespace
}  // namespace hookswitch::e2e
