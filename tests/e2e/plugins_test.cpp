#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/e2e/router.h"

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
  const RawAnswer reload = fakes::Fetch(router.Admin(), "POST", "/api/v1/reload");
  ASSERT_EQ(reload.status, 200) << reload.body;
  ASSERT_TRUE(test.slack.WaitForPosted(2));
  EXPECT_EQ(test.slack.Posted("/services/T0/B0/other").size(), 1U);
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

}  // namespace
}  // namespace hookswitch::e2e
