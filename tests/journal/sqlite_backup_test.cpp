#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "core/base/log.h"
#include "core/journal/backup.h"
#include "core/journal/verify.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

class SqliteBackup : public SqliteFixture {
 protected:
  void SetUp() override {
    log::SetWriterForTest([](log::Level, std::string_view) {});
  }
  void TearDown() override {
    SqliteFixture::TearDown();
    log::SetWriterForTest(nullptr);
  }
  VerifyReport Verify(const std::string& path) {
    auto report = VerifyJournal(path);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : VerifyReport();
  }
  /// What is said about `table`, one per line.
  std::string Said(const std::string& table) {
    std::string said;
    for (const auto& bad : Verify(path_).listed) {
      if (bad.table == table) said += std::to_string(bad.key) + ": " + bad.what + "\n";
    }
    return said;
  }
  /// A small journal with something in every table, closed.
  void FillAndClose() {
    ASSERT_TRUE(Open());
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE(Append("e" + std::to_string(i), 500, {"ops"}));
    AttemptRecord dead;
    dead.delivery = 1;
    dead.state = DeliveryState::kPending;
    for (dead.number = 1; dead.number < 3; ++dead.number) journal_->Record(dead);
    dead.state = DeliveryState::kDead;
    dead.fallback_sink = "oncall";
    journal_->Record(dead);
    const std::vector<NewDelivery> more = {{.sink = "mail", .rule = "r", .template_name = ""}};
    ASSERT_TRUE(journal_->AddDeliveries(2, more, clock_.Wall()));
    journal_.reset();
  }
  const std::string target_ = folder_ / "backup.db";
};

TEST_F(SqliteBackup, WhatWasAnsweredBeforeItBeganIsInIt) {
  ASSERT_TRUE(Open());
  std::atomic<bool> stop = false;
  std::atomic<EventSeq> answered = 0;
  std::jthread sender([&] {
    for (int i = 0; !stop; ++i) {
      const auto accepted = Append("event " + std::to_string(i), 3000, {"ops"});
      ASSERT_TRUE(accepted);
      answered = accepted->event;
      answered.notify_all();
    }
  });
  for (int round = 0; round < 5; ++round) {
    const EventSeq before = answered + 50;
    for (EventSeq now = answered; now < before; now = answered) answered.wait(now);
    const std::string target = target_ + std::to_string(round);
    const Status done = BackupJournal(path_, target);
    ASSERT_TRUE(done) << done.error().message;
    const VerifyReport report = Verify(target);
    EXPECT_TRUE(report.IsSound());
    EXPECT_GE(report.events, static_cast<std::uint64_t>(before));
    EXPECT_EQ(report.deliveries, report.events);
  }
  stop = true;
  sender.join();
  journal_.reset();

  path_ = target_ + "4";
  ASSERT_TRUE(Open()) << "a backup is a journal";
  const std::uint64_t events = journal_->Stats().events;
  EXPECT_EQ(journal_->Stats().pending, events);
  for (EventSeq event = 1; event <= static_cast<EventSeq>(events); ++event) ASSERT_TRUE(journal_->Load(event));
  EXPECT_TRUE(Append("event 0")->duplicate);
  EXPECT_TRUE(Append("and it goes on", 10, {"ops"}));
}

TEST_F(SqliteBackup, ItIsForTheOwnerOnlyAndReplacesNothing) {
  FillAndClose();
  const std::string folder = folder_ / "backups";
  std::filesystem::create_directory(folder);
  const std::string target = folder + "/backup.db";
  std::ofstream(target + ".tmp") << "not ours";
  ASSERT_TRUE(BackupJournal(path_, target));
  struct stat info {};
  ASSERT_EQ(stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"backup.db", "backup.db.tmp"}));
  EXPECT_EQ(std::filesystem::file_size(target + ".tmp"), 8u);
  for (const char* kind : {"file", "link", "dangling"}) {
    std::filesystem::remove(target);
    if (kind == std::string("file")) std::ofstream(target) << "mine";
    if (kind == std::string("link")) std::filesystem::create_symlink(path_, target);
    if (kind == std::string("dangling")) std::filesystem::create_symlink(folder + "/none", target);
    const Status again = BackupJournal(path_, target);
    ASSERT_FALSE(again) << kind;
    EXPECT_EQ(again.error().code, ErrorCode::kInvalid);
    EXPECT_NE(again.error().message.find("exists already"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "/none"));
  EXPECT_TRUE(Verify(path_).IsSound());
}

TEST_F(SqliteBackup, WhatIsNoJournalIsRefusedAndLeavesNothing) {
  EXPECT_FALSE(BackupJournal(folder_ / "none.db", target_));
  Shell("CREATE TABLE photo(id)");
  EXPECT_FALSE(BackupJournal(path_, target_));
  path_ = folder_ / "journal2.db";
  std::ofstream(folder_ / "text") << std::string(1000, 't');
  EXPECT_FALSE(BackupJournal(folder_ / "text", target_));
  FillAndClose();
  EXPECT_FALSE(BackupJournal(path_, folder_ / "no/such/folder"));
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("backup")) << entry.path();
  }
}

TEST_F(SqliteBackup, ADamagedJournalIsCopiedAsItIs) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  journal_.reset();
  const std::string page = Shell("SELECT pageno FROM dbstat WHERE name = 'raw' AND pagetype = 'leaf' LIMIT 1 OFFSET 5");
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp((std::stoll(page) - 1) * tuning_.page_size);
    file << std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5');
  }
  ASSERT_TRUE(BackupJournal(path_, target_));
  const VerifyReport report = Verify(target_);
  EXPECT_FALSE(report.IsSound());
  EXPECT_EQ(report.events, 300u);
  path_ = target_;
  ASSERT_TRUE(Open());
  EXPECT_EQ(journal_->Stats().pending, 300u);
}

TEST_F(SqliteBackup, VerifyingASoundJournalCountsAndChangesNothing) {
  FillAndClose();
  const auto size = std::filesystem::file_size(path_);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("in the log", 100, {"ops"}));
  const VerifyReport report = Verify(path_);
  EXPECT_TRUE(report.IsSound()) << report.listed.front().what;
  EXPECT_EQ(report.events, 4u);
  EXPECT_EQ(report.deliveries, 6u);
  EXPECT_EQ(report.pending, 5u);
  EXPECT_EQ(report.attempts, 3u);
  EXPECT_EQ(std::filesystem::file_size(path_), size);
}

TEST_F(SqliteBackup, VerifyNamesEveryRowThatDoesNotFit) {
  FillAndClose();
  Shell("UPDATE raw SET body = x'00' WHERE seq = 1; DELETE FROM raw WHERE seq = 2");
  EXPECT_EQ(Said("raw"), "1: headers and body do not have the sum they were stored with\n");
  EXPECT_EQ(Said("event"), "2: its body is not there\n");
  Shell("DELETE FROM attempt WHERE number = 1; UPDATE delivery SET event = 77 WHERE seq = 3");
  EXPECT_EQ(Said("delivery"), "1: its attempts end at 1\n3: its event 77 is not there\n");
  EXPECT_EQ(Said("event"), "2: its body is not there\n3: its delivery 3 is not there\n");
  Shell("DELETE FROM delivery WHERE seq = 4; UPDATE meta SET value = 3 WHERE key = 'pending_floor'");
  EXPECT_EQ(Said("delivery"),
            "1: its fallback 4 is not there\n1: its attempts end at 1\n2: it waits, but a start would not look at it\n"
            "3: its event 77 is not there\n");
  Shell("UPDATE delivery SET state = 9 WHERE seq = 2; INSERT INTO replay VALUES(88, 99, 1)");
  EXPECT_NE(Said("delivery").find("2: its state is none"), std::string::npos);
  EXPECT_EQ(Said("replay"), "88: its event is not there\n88: its delivery 99 is not there\n");
  EXPECT_EQ(Verify(path_).bad, 9u);
}

TEST_F(SqliteBackup, VerifyRefusesWhatIsNoJournal) {
  EXPECT_EQ(VerifyJournal(folder_ / "none.db").error().code, ErrorCode::kUnavailable);
  Shell("CREATE TABLE photo(id)");
  EXPECT_EQ(VerifyJournal(path_).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace hookswitch
