// What the unit file config/hookswitch.service relies on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "tests/e2e/held_thread.h"
#include "tests/e2e/notify_socket.h"
#include "tests/e2e/router.h"
#include "tests/e2e/small_disk.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

constexpr const char* kWatchdog = "WATCHDOG=1";

TEST(Systemd, IsToldOfReadinessReloadsLifeAndTheEnd) {
  TempDir dir;
  FakeSlack slack;
  NotifySocket systemd;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write(), {systemd.Environment(), "WATCHDOG_USEC=1500000"});
  ASSERT_TRUE(router.Ready());
  EXPECT_TRUE(systemd.WaitFor("READY=1", seconds(10)));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(systemd.WaitFor(kWatchdog, seconds(10)));
  router.Process().Signal(SIGHUP);
  EXPECT_TRUE(systemd.WaitFor("RELOADING=1", seconds(10)));
  EXPECT_TRUE(systemd.WaitFor("READY=1", seconds(10)));
  WriteFile(dir / "hookswitch.yaml", "nonsense: 1\n");
  router.Process().Signal(SIGHUP);
  EXPECT_TRUE(systemd.WaitFor("STATUS=the last reload failed, see the log", seconds(10)));
  router.Process().Signal(SIGTERM);
  EXPECT_TRUE(systemd.WaitFor("STOPPING=1", seconds(10)));
  EXPECT_EQ(router.Process().WaitForExit(seconds(10)), 0);
}

TEST(Systemd, IsNotPingedWithoutAWatchdog) {
  TempDir dir;
  FakeSlack slack;
  NotifySocket systemd;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write(), {systemd.Environment()});
  ASSERT_TRUE(router.Ready());
  EXPECT_FALSE(systemd.WaitFor(kWatchdog, seconds(1)));
}

class Hang : public testing::TestWithParam<const char*> {};

TEST_P(Hang, StopsThePingsAsLongAsItLasts) {
  TempDir dir;
  FakeSlack slack;
  NotifySocket systemd;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write(), {systemd.Environment(), "WATCHDOG_USEC=1500000"});
  ASSERT_TRUE(router.Ready());
  ASSERT_TRUE(systemd.WaitFor(kWatchdog, seconds(10)));
  {
    const HeldThread held(router.Process().Pid(), GetParam());
    if (!held.Held()) GTEST_SKIP() << "tracing is not allowed here";
    const auto hangs = router.WaitForEvent("router_hangs");
    ASSERT_TRUE(hangs);
    EXPECT_THAT(*hangs, HasSubstr("\"part\":\"" + std::string(GetParam()) + "\""));
    // One may have been on its way when the thread was held.
    (void)systemd.WaitFor(kWatchdog, milliseconds(0));
    (void)systemd.WaitFor(kWatchdog, milliseconds(0));
    EXPECT_FALSE(systemd.WaitFor(kWatchdog, milliseconds(1500)));
  }
  EXPECT_TRUE(systemd.WaitFor(kWatchdog, seconds(10)));
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_TRUE(slack.WaitForPosted(1));
}

INSTANTIATE_TEST_SUITE_P(Parts, Hang,
                         testing::Values("journal", "scheduler", "http-client", "answers", "ingress", "admin"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Systemd, IsPingedWhileTheDiskIsFull) {
  TempDir dir;
  SmallDisk disk(64);
  if (!disk.Mounted()) GTEST_SKIP() << "no disk can be mounted here";
  FakeSlack slack;
  NotifySocket systemd;
  RouterConfig config(dir);
  config.journal = "{path: " + (disk / "journal.db") + "}";
  Router router(config.Slack("ops", slack.Url()).Write(), {systemd.Environment(), "WATCHDOG_USEC=1500000"});
  ASSERT_TRUE(router.Ready());
  disk.Fill();
  std::size_t call = 0;
  for (int i = 0; i < 4; ++i) {
    // A checkpoint may make some room again.
    while (router.Post(Call(CallId(++call), {{"summary", std::string(500'000, 'x')}})).status == 200)
      ASSERT_LT(call, 500U);
    while (systemd.WaitFor(kWatchdog, milliseconds(0))) {
    }
    EXPECT_TRUE(systemd.WaitFor(kWatchdog, seconds(10)));
  }
}

}  // namespace
}  // namespace hookswitch::e2e
