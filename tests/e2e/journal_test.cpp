#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

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

TEST(JournalFile, ItsSizeOnDiskIsAMetric) {
  TempDir dir;
  RouterConfig config(dir);
  FakeSlack slack;
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  for (std::size_t i = 1; i <= 50; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
  ASSERT_TRUE(router.WaitForEvents("delivery_delivered", 50));
  const std::string metrics = router.Get("/metrics").body;
  const auto value = [&](const std::string& name) {
    const auto at = metrics.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? 0.0 : std::stod(metrics.substr(at + name.size() + 2));
  };
  const auto size = [&](const char* file) { return static_cast<double>(std::filesystem::file_size(dir / file)); };
  const double log = value("hookswitch_journal_file_bytes{file=\"log\"}");
  EXPECT_EQ(value("hookswitch_journal_file_bytes{file=\"database\"}"), size("journal.db"));
  EXPECT_EQ(log, size("journal.db-wal"));
  EXPECT_EQ(value("hookswitch_journal_file_bytes{file=\"index\"}"), size("journal.db-shm"));
  EXPECT_GT(log, 100'000) << "it is where the events are";
  EXPECT_GE(value("hookswitch_journal_bytes"), log);
}

TEST(JournalCommands, DamageIsToldVerdictFirstWithIdsThatCommandsTake) {
  TempDir dir;
  RouterConfig config(dir);
  FakeSlack slack;
  config.Slack("ops", slack.Url());
  {
    Router router(config.Write());
    ASSERT_TRUE(router.Ready());
    for (std::size_t i = 1; i <= 300; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    ASSERT_EQ(router.Stop(), 0);
  }
  {
    std::fstream file(dir / "journal.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40 * 8192);
    file << std::string(20 * 8192, '\xa5');
  }
  const Finished verified = RunProgram({Program(), "journal", "verify", "--file", dir / "journal.db"});
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_TRUE(verified.out.starts_with(dir / "journal.db" + ": DAMAGED, ")) << verified.out;
  EXPECT_LT(std::ranges::count(verified.out, '\n'), 60) << verified.out;
  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  const Finished live = RunProgram({Program(), "journal", "verify", "-c", config.Path(), "--format", "json"});
  EXPECT_EQ(live.exit_code, 1);
  const json::value report = json::parse(live.out);
  int tried = 0;
  for (const json::value& finding : report.at("findings").as_array()) {
    const std::string kind(finding.at("kind").as_string());
    if (kind != "event" && kind != "body" && kind != "delivery") continue;
    for (const json::value& thing : finding.at("first").as_array()) {
      const std::string id(thing.at("id").as_string());
      const std::string url = "http://127.0.0.1:" + std::to_string(router.Admin());
      const Finished shown = RunProgram(
          {Program(), kind == "delivery" ? "deliveries" : "events", "show", id, "-c", config.Path(), "--url", url});
      EXPECT_NE(shown.exit_code, 2) << "an id that it knows: " << shown.err;
      EXPECT_THAT(shown.err, testing::Not(HasSubstr("invalid"))) << id;
      if (++tried == 3) return;
    }
  }
  EXPECT_GT(tried, 0) << live.out;
}

TEST(Orphans, AreToldByAReloadAndByAStart) {
  TempDir dir;
  RouterConfig config(dir);
  config.Slack("ops", "http://127.0.0.1:1/services/T0/B0/x1");
  const std::string with = config.Text();
  RouterConfig other(dir);
  other.Slack("oncall", "http://127.0.0.1:1/services/T0/B0/x2");
  const std::string without = other.Text();
  WriteFile(config.Path(), with);
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.PostAdmin("/api/v1/sinks/ops/pause").status, 200);
    for (std::size_t i = 1; i <= 3; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    WriteFile(config.Path(), without);
    const std::string url = "http://127.0.0.1:" + std::to_string(router.Admin());
    const Finished reloaded = RunProgram({Program(), "reload", "-c", config.Path(), "--url", url});
    EXPECT_EQ(reloaded.exit_code, 0) << reloaded.err;
    EXPECT_THAT(reloaded.out, HasSubstr("3 deliveries wait for the sink ops, which the config does not have"));
    const auto line = router.WaitForEvent("deliveries_orphaned");
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, HasSubstr("\"sink\":\"ops\",\"pending\":3"));
    EXPECT_EQ(router.Stop(), 0);
  }
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    EXPECT_THAT(router.Log(), HasSubstr("\"event\":\"deliveries_orphaned\""));
    EXPECT_EQ(router.Stop(), 0);
  }
  WriteFile(config.Path(), with);
  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  EXPECT_THAT(router.Log(), testing::Not(HasSubstr("deliveries_orphaned")));
  EXPECT_THAT(router.Log(), HasSubstr("\"event\":\"lane_paused\",\"sink\":\"ops\",\"pending\":3,"
                                      "\"reason\":\"paused by the operator before this start\""));
}

}  // namespace
}  // namespace hookswitch::e2e
