#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

TEST(JournalCommands, ABackupOfARunningRouterVerifiesAndServesAgain) {
  TempDir dir;
  RouterConfig config(dir);
  FakeSlack slack;
  config.Slack("ops", slack.Url());
  config.Write();
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    for (std::size_t i = 1; i <= 20; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    const Finished backup = RunProgram({Program(), "backup", "-c", config.Path(), dir / "backup.db"});
    EXPECT_EQ(backup.exit_code, 0) << backup.err;
    const Finished live = RunProgram({Program(), "journal", "verify", "-c", config.Path()});
    EXPECT_EQ(live.exit_code, 0) << live.out;
    EXPECT_THAT(live.out, HasSubstr("20 events"));
  }
  const Finished again = RunProgram({Program(), "backup", "-c", config.Path(), dir / "backup.db"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("exists already"));
  const Finished verified = RunProgram(
      {Program(), "journal", "verify", "-c", config.Path(), "--file", dir / "backup.db", "--format", "json"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_THAT(verified.out, HasSubstr("\"sound\": true"));
  const Finished none = RunProgram({Program(), "journal", "verify", "-c", config.Path(), "--file", dir / "none.db"});
  EXPECT_EQ(none.exit_code, 2);
}

TEST(JournalFile, AfterACleanStopACopyOfTheFileAloneIsComplete) {
  for (const int signal : {SIGTERM, SIGINT}) {
    TempDir dir;
    RouterConfig config(dir);
    FakeSlack slack;
    config.Slack("ops", slack.Url());
    Router router(config.Write());
    ASSERT_TRUE(router.Ready());
    for (std::size_t i = 1; i <= 20; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    router.Process().Signal(signal);
    ASSERT_EQ(router.Process().WaitForExit(seconds(30)), 0);
    std::filesystem::copy_file(dir / "journal.db", dir / "cold.db");
    const Finished verified =
        RunProgram({Program(), "journal", "verify", "--file", dir / "cold.db", "--format", "json"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
    EXPECT_EQ(json::parse(verified.out).at("events").as_int64(), 20);
    for (const char* part : {"journal.db-wal", "journal.db-shm"}) {
      EXPECT_FALSE(std::filesystem::exists(dir / part)) << part;
    }
  }
}

}  // namespace
}  // namespace hookswitch::e2e
