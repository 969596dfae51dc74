// A plugin that crashes, exits or hangs in any of its functions: who hears of it, and that the rest runs on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/e2e/router.h"
#include "tests/fakes/http_loop.h"

namespace hookswitch::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A config with a good Slack sink "ops", and a sink "unruly" that every message goes to as well: its title is the
/// call's summary, and what the plugin does with it.
struct Unruly {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config{dir};
  std::string good_sinks;

  Unruly() {
    config.plugin_paths = PluginFolder() + ", " HSW_UNRULY_FOLDER;
    config.Slack("ops", slack.Url());
    good_sinks = config.sinks;
    config.rules = "  - {name: all, send: [ops, {sink: unruly, template: wish}]}\n";
    config.more = "templates:\n  wish: {title: \"{{summary}}\"}\n";
    Misbehave("nothing");
  }
  /// `wish` as in "create crash in the router": see tests/plugins/unruly_plugin.cpp.
  std::string Misbehave(const std::string& wish, const std::string& url = "https://unruly.test/") {
    config.sinks = good_sinks + "  unruly:\n    plugin: unruly\n    retry: {schedule: [100ms]}\n    config: {url: \"" +
                   url + "\", misbehave: " + wish + "}\n";
    return config.Write();
  }
  static std::string Wish(std::size_t number, std::string_view wish) {
    return Call(CallId(number), {{"summary", wish}});
  }
  testing::AssertionResult Works(const Router& router, std::size_t number) const {
    const std::size_t before = slack.PostedCount();
    if (const RawAnswer answer = router.Post(Wish(number, "")); answer.status != 200) {
      return testing::AssertionFailure() << answer.status << answer.error;
    }
    return slack.WaitForPosted(before + 1) ? testing::AssertionSuccess() : testing::AssertionFailure() << "no message";
  }
};

RawAnswer Reload(const Router& router) {
  return router.PostAdmin("/api/v1/reload");
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

class TriedFirst : public testing::TestWithParam<std::string> {};

TEST_P(TriedFirst, AReloadIsRefusedWithThePluginsNameAndTheNextOneWorks) {
  Unruly test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  test.Misbehave(GetParam());
  const RawAnswer refused = Reload(router);
  EXPECT_NE(refused.status, 200);
  const std::string function = GetParam().substr(0, GetParam().find(' '));
  EXPECT_THAT(refused.body, AllOf(HasSubstr("unruly.so"), HasSubstr("in its " + function)));
  EXPECT_THAT(router.WaitForEvent("config_error").value_or(""), HasSubstr("unruly.so"));
  EXPECT_THAT(router.Get("/readyz").body, HasSubstr("the last reload failed"));
  EXPECT_TRUE(test.Works(router, 1));
  test.Misbehave("nothing");
  EXPECT_EQ(Reload(router).status, 200);
  EXPECT_EQ(router.Stop(), 0);
}

TEST_P(TriedFirst, AStartGoesOnWithoutItsSink) {
  Unruly test;
  Router router(test.Misbehave(GetParam()));
  ASSERT_TRUE(router.Ready());
  const auto line = router.WaitForEvent("sink_unavailable");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, AllOf(HasSubstr("\"sink\":\"unruly\""), HasSubstr("unruly.so")));
  EXPECT_TRUE(test.Works(router, 1));
  test.Misbehave("nothing");
  EXPECT_EQ(Reload(router).status, 200);
  EXPECT_EQ(router.Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Each, TriedFirst,
                         testing::Values("check crash", "check hang", "create crash", "create exit", "create overflow",
                                         "create hang", "advise abort", "destroy _exit", "destroy hang"),
                         NameOf);

struct End {
  std::string wish, event;
  int exit_code;
};

class InTheRouter : public testing::TestWithParam<End> {};

TEST_P(InTheRouter, AnEndInCreateIsToldAndTheNextStartGoesOnWithoutIt) {
  Unruly test;
  const std::string path = test.Misbehave("create " + GetParam().wish + " in the router");
  {
    Child router({Program(), "serve", "-c", path});
    EXPECT_EQ(router.WaitForExit(seconds(20)), GetParam().exit_code);
    const auto line = router.WaitForLine("\"event\":\"" + GetParam().event + "\"", seconds(0));
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, AllOf(HasSubstr("\"plugin\":\"unruly\""), HasSubstr("\"sink\":\"unruly\""),
                             HasSubstr("\"call\":\"create\"")));
  }
  for (int start = 0; start < 2; ++start) {
    Router router(path);
    ASSERT_TRUE(router.Ready());
    EXPECT_THAT(router.WaitForEvent("sink_unavailable").value_or(""),
                HasSubstr("ended hookswitch the last time, in its create"));
    EXPECT_EQ(Reload(router).status, 200) << "which goes on without it, too";
    EXPECT_TRUE(test.Works(router, static_cast<std::size_t>(start)));
    EXPECT_EQ(router.Stop(), 0);
  }
  Router router(path);
  ASSERT_TRUE(router.Ready());
  test.Misbehave("nothing");
  EXPECT_EQ(Reload(router).status, 200);
  EXPECT_THAT(router.Get("/api/v1/sinks").body, Not(HasSubstr("unavailable")));
}

TEST(InTheRouterAlone, ASinkIsNotGivenAConfigThatEndedTheProcessBefore) {
  Unruly test;
  const std::string path = test.Misbehave("create crash in the router");
  {
    Child router({Program(), "serve", "-c", path});
    EXPECT_EQ(router.WaitForExit(seconds(20)), 128 + SIGSEGV);
  }
  test.Misbehave("nothing");
  Router router(path);
  ASSERT_TRUE(router.Ready());
  test.Misbehave("create crash in the router");
  const RawAnswer refused = Reload(router);
  EXPECT_NE(refused.status, 200);
  EXPECT_THAT(refused.body, HasSubstr("ended hookswitch the last time, in its create"));
  EXPECT_TRUE(test.Works(router, 1));
  EXPECT_EQ(router.Stop(), 0);
}

TEST_P(InTheRouter, AnEndInRenderNamesPluginSinkAndDelivery) {
  Unruly test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  router.Post(Unruly::Wish(1, GetParam().wish));  // its answer may be lost with the process
  EXPECT_EQ(router.Process().WaitForExit(seconds(20)), GetParam().exit_code);
  const auto line = router.WaitForEvent(GetParam().event);
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, AllOf(HasSubstr("\"plugin\":\"unruly\""), HasSubstr("\"sink\":\"unruly\""),
                           HasSubstr("\"delivery\":\"d-2\""), HasSubstr("\"call\":\"render\"")));
  EXPECT_NO_THROW(json::parse(*line)) << *line;
}

INSTANTIATE_TEST_SUITE_P(Each, InTheRouter,
                         testing::Values(End{"crash", "plugin_crashed", 128 + SIGSEGV},
                                         End{"overflow", "plugin_crashed", 128 + SIGSEGV},
                                         End{"abort", "plugin_crashed", 128 + SIGABRT}, End{"exit", "plugin_exited", 1},
                                         End{"_exit", "plugin_exited", 1}, End{"quick_exit", "plugin_exited", 1}),
                         [](const auto& info) { return info.param.wish; });

class HangsInTheRouter : public testing::TestWithParam<std::string> {};

TEST_P(HangsInTheRouter, CostsAReloadSomeSecondsAndNothingElse) {
  Unruly test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  test.Misbehave(GetParam() + " hang in the router");
  const RawAnswer first = Reload(router);
  // Of these functions only create is asked by the reload that brings the config.
  EXPECT_EQ(first.status == 200, GetParam() != "create") << first.body;
  EXPECT_TRUE(test.Works(router, 1));
  EXPECT_EQ(Reload(router).status == 200, GetParam() != "create");
  test.Misbehave("nothing");
  EXPECT_EQ(Reload(router).status, 200);
  EXPECT_EQ(Reload(router).status, 200);
  EXPECT_TRUE(test.Works(router, 2));
  if (GetParam() == "create") {
    EXPECT_THAT(router.Log(), HasSubstr("hangs in its create"));
  } else {
    // A sink that was replaced is destroyed some time after the reload.
    EXPECT_TRUE(router.WaitForEvent("plugin_stuck"));
  }
  EXPECT_EQ(router.Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Each, HangsInTheRouter, testing::Values("create", "reopen", "destroy"), NameOf);

TEST(Hangs, ASignalEndsAStartThatWaitsForAPlugin) {
  for (const int number : {SIGTERM, SIGINT}) {
    Unruly test;
    Child router({Program(), "serve", "-c", test.Misbehave("create hang")});
    // The first file that a start makes: signals are waited for since before.
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    while (!std::filesystem::exists(test.dir / "journal.db.inflight") && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    router.Signal(number);
    EXPECT_EQ(router.WaitForExit(seconds(4)), 0) << "sooner than the plugin is given up";
  }
}

TEST(Hangs, ASignalEndsTheRouterWhileAReloadWaitsForAPlugin) {
  Unruly test;
  Router router(test.config.Write());
  ASSERT_TRUE(router.Ready());
  test.Misbehave("create hang in the router");
  router.Process().Signal(SIGHUP);
  EXPECT_EQ(router.Stop(seconds(4)), 0);
}

TEST(Hangs, AMessageThatHangsTwiceIsDeadAndTheOthersGetThroughAlsoAfterARestart) {
  Unruly test;
  const auto loop = fakes::HttpLoop::Start([](const fakes::HttpRequest&) { return fakes::HttpReply{}; });
  ASSERT_TRUE(loop);
  const std::string url = "http://127.0.0.1:" + std::to_string((*loop)->Port()) + "/";
  test.config.server = "{listen: \"127.0.0.1:0\", drain_timeout: 1s}";
  const std::string path = test.Misbehave("nothing", url);
  constexpr std::size_t kGood = 30;
  {
    Router router(path);
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.Post(Unruly::Wish(1, "hang")).status, 200);
    ASSERT_EQ(router.Post(Unruly::Wish(2, "interpret hang")).status, 200);
    for (std::size_t i = 0; i < kGood; ++i) {
      ASSERT_EQ(router.Post(Unruly::Wish(10 + i, "only delivered")).status, 200);
    }
    ASSERT_TRUE(router.WaitForEvents("plugin_stuck", 2));
    EXPECT_EQ(router.Stop(), 0);
  }
  Router router(path);
  ASSERT_TRUE(router.Ready());
  ASSERT_TRUE(router.WaitForEvents("delivery_dead", 2)) << router.Log();
  EXPECT_TRUE(router.Process().WaitForLines("\"code\":\"hung_twice\"", 2, seconds(0))) << router.Log();
  ASSERT_EQ(router.Post(Unruly::Wish(99, "only delivered")).status, 200);
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  std::size_t delivered = 0;
  while (delivered <= kGood && std::chrono::steady_clock::now() < until) {
    const auto answer = json::parse(router.Get("/api/v1/deliveries?sink=unruly&state=delivered&limit=100").body);
    delivered = answer.at("deliveries").as_array().size();
  }
  EXPECT_EQ(delivered, kGood + 1);
  EXPECT_THAT(router.Get("/api/v1/sinks").body, Not(HasSubstr("unavailable")));
  EXPECT_EQ(router.Stop(), 0);
}

TEST(Hangs, BeingKilledInACallIsNotHeldAgainstADelivery) {
  Unruly test;
  const std::string path = test.config.Write();
  for (int start = 0; start < 3; ++start) {
    Router router(path);
    ASSERT_TRUE(router.Ready());
    if (start == 0) {
      ASSERT_EQ(router.Post(Unruly::Wish(1, "hang")).status, 200);
    }
    ASSERT_TRUE(router.Process().WaitForLine("\"text\":\"hangs\"", seconds(20)));
    EXPECT_EQ(router.Log().find("\"code\":\"killed\"") != std::string::npos, start > 0);
    router.Kill();
  }
  Router router(path);
  ASSERT_TRUE(router.Ready());
  ASSERT_TRUE(router.Process().WaitForLine("\"text\":\"hangs\"", seconds(20))) << "it is tried again";
  EXPECT_THAT(router.Log(), Not(HasSubstr("crashed")));
  EXPECT_EQ(router.Stop(), 0);
}

TEST(Cores, AreWrittenOnlyIfAskedFor) {
  Unruly test;
  const std::string path = test.config.Write();
  const auto limit = [](pid_t pid) {
    const std::string limits = ReadFile("/proc/" + std::to_string(pid) + "/limits");
    const auto at = limits.find("Max core file size");
    return limits.substr(at, limits.find('\n', at) - at);
  };
  {
    Router router(path, {}, {"/bin/sh", "-c", "ulimit -S -c 4096; exec \"$@\"", "sh"});
    ASSERT_TRUE(router.Ready());
    EXPECT_THAT(limit(router.Process().Pid()), testing::ContainsRegex("size +0 +0 "));
  }
  Router router(path, {}, {"/bin/sh", "-c", "ulimit -S -c 4096; exec \"$@\" --core-dumps", "sh"});
  ASSERT_TRUE(router.Ready());
  EXPECT_THAT(limit(router.Process().Pid()), Not(testing::ContainsRegex("size +0 ")));
}

}  // namespace
}  // namespace hookswitch::e2e
