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
  /// What is said about things of a kind: "what: id -> other" in lines.
  std::string Said(const std::string& kind) {
    std::string said;
    for (const auto& finding : Verify(path_).findings) {
      if (finding.kind != kind) continue;
      for (const auto& thing : finding.first) {
        said += finding.what + ": " + thing.id + (thing.other.empty() ? "" : " -> " + thing.other) + "\n";
      }
    }
    return said;
  }
  /// An event's id, as commands take it.
  std::string Id(EventSeq event) {
    return EventId(clock_.Wall(),
                   static_cast<std::uint16_t>(std::stoi(Shell("SELECT value FROM meta WHERE key = 'salt'"))), event);
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
    ASSERT_TRUE(journal_->history().AddDeliveries(2, more, clock_.Wall()));
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
  EXPECT_TRUE(report.IsSound()) << report.findings.front().what;
  EXPECT_EQ(report.events, 4u);
  EXPECT_EQ(report.deliveries, 6u);
  EXPECT_EQ(report.pending, 5u);
  EXPECT_EQ(report.attempts, 3u);
  EXPECT_EQ(std::filesystem::file_size(path_), size);
}

TEST_F(SqliteBackup, VerifyNamesWhatDoesNotFitAsCommandsDo) {
  FillAndClose();
  Shell("UPDATE raw SET body = x'00' WHERE seq = 1; DELETE FROM raw WHERE seq = 2");
  EXPECT_EQ(Said("body"), "headers and body do not have the sum they were stored with: " + Id(1) + "\n");
  EXPECT_EQ(Said("event"), "its body is not there: " + Id(2) + "\n");
  Shell("DELETE FROM attempt WHERE number = 1; UPDATE delivery SET event = 77 WHERE seq = 3");
  const std::string unknown = EventId(
      WallTime{}, static_cast<std::uint16_t>(std::stoi(Shell("SELECT value FROM meta WHERE key = 'salt'"))), 77);
  EXPECT_EQ(Said("delivery"),
            "some of its attempts are not there: d-1\nits event is not there: d-3 -> " + unknown + "\n");
  EXPECT_EQ(Said("event"),
            "its body is not there: " + Id(2) + "\na delivery of it is not there: " + Id(3) + " -> d-3\n");
  Shell("DELETE FROM delivery WHERE seq = 4; UPDATE meta SET value = 3 WHERE key = 'pending_floor'");
  EXPECT_EQ(Said("delivery"),
            "its fallback is not there: d-1 -> d-4\nsome of its attempts are not there: d-1\n"
            "it waits, but a start would not look at it: d-2\nits event is not there: d-3 -> " +
                unknown + "\n");
  Shell(
      "UPDATE delivery SET state = 9 WHERE seq = 2; INSERT INTO replay VALUES(88, 99, 1);"
      "INSERT INTO attempt SELECT 900, 0, 4711, number, 0, 0, 99, 0, 0, '', '', '', '', 0, '', '', '', -1, -1 FROM "
      "attempt LIMIT "
      "1");
  EXPECT_NE(Said("delivery").find("its state is none: d-2\n"), std::string::npos);
  EXPECT_EQ(Said("attempt"), "its delivery is not there: d-1267\nits outcome is none: d-1267\n");
  EXPECT_NE(Said("replay").find("a delivery of it is not there: "), std::string::npos);
  EXPECT_EQ(Verify(path_).bad, 11u);
  Shell("UPDATE event SET config = 5 WHERE seq = 3");
  EXPECT_NE(Said("event").find("the config that routed it is not there: " + Id(3) + "\n"), std::string::npos);
}

TEST_F(SqliteBackup, VerifyGroupsWhatIsWrongInTheSameWay) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 10, {"ops"}));
  journal_.reset();
  Shell("DELETE FROM raw WHERE seq % 2 = 0; DELETE FROM event WHERE seq > 290");
  const VerifyReport report = Verify(path_);
  ASSERT_EQ(report.findings.size(), 3u);
  EXPECT_EQ(report.findings[0].what, "its body is not there");
  EXPECT_EQ(report.findings[0].count, 145u);
  EXPECT_EQ(report.findings[0].first.size(), 20u);
  EXPECT_EQ(report.findings[1].kind + report.findings[1].what, "bodyits event is not there");
  EXPECT_EQ(report.findings[2].kind + report.findings[2].what, "deliveryits event is not there");
  EXPECT_EQ(report.findings[2].count, 10u);
  EXPECT_EQ(report.bad, 145u + 5u + 10u);
}

/// All files in a folder, with size and time of change.
std::string FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path().filename().string() + " " + std::to_string(entry.file_size()) + " " +
                    std::to_string(entry.last_write_time().time_since_epoch().count()));
  }
  std::ranges::sort(files);
  std::string text;
  for (const std::string& file : files) text += file + "\n";
  return text;
}

TEST_F(SqliteBackup, AFileThatNobodyUsesIsReadAsItIsAndNothingIsLeftBesideIt) {
  FillAndClose();
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("in the log only", 100, {"ops"}));
  const std::string folder = folder_ / "cold ?#% x";
  std::filesystem::create_directory(folder);
  for (const char* part : {"", "-wal"}) {
    std::filesystem::copy_file(path_ + part, folder + "/journal.db" + part);
    const std::string before = FilesIn(folder);
    ASSERT_EQ(chmod(folder.c_str(), 0500), 0);
    const VerifyReport report = Verify(folder + "/journal.db");
    EXPECT_TRUE(report.IsSound());
    EXPECT_TRUE(report.pages_checked);
    EXPECT_EQ(report.events, part[0] == '\0' ? 3u : 4u);
    EXPECT_EQ(FilesIn(folder), before);
    ASSERT_EQ(chmod(folder.c_str(), 0700), 0);
  }
}

TEST_F(SqliteBackup, VerifyHoldsTheLogNoLongerThanASlice) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  VerifyTuning tuning;
  tuning.slice = std::chrono::milliseconds(0);  // a row each
  int pauses = 0, started_again = 0;
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  tuning.at_pause = [&] {
    if (++pauses % 10 != 0) return;
    // Whoever still read would be in the way of this.
    int frames = -1, moved = -1;
    EXPECT_EQ(sqlite3_wal_checkpoint_v2(other, nullptr, SQLITE_CHECKPOINT_RESTART, &frames, &moved), SQLITE_OK);
    EXPECT_EQ(frames, moved);
    ++started_again;
    ASSERT_TRUE(Append("meanwhile " + std::to_string(pauses), 3000, {"ops"}));
  };
  const auto report = VerifyJournal(path_, tuning);
  sqlite3_close(other);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->IsSound()) << report->findings.front().what;
  EXPECT_EQ(report->events, 300u) << "what came later is left out";
  EXPECT_GT(pauses, 900);
  EXPECT_GT(started_again, 90);
}

TEST_F(SqliteBackup, VerifyBesideARouterThatChangesAllSeesNoDamage) {
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 300, {"ops"}));
  VerifyTuning tuning;
  tuning.slice = std::chrono::milliseconds(0);
  DeliverySeq next = 1;
  tuning.at_pause = [&] {
    const DeliverySeq delivery = next++;
    if (delivery > 200) return;
    switch (delivery % 4) {
      case 0: {
        AttemptRecord dead;
        dead.delivery = delivery;
        dead.event = delivery;
        dead.number = 1;
        dead.state = DeliveryState::kDead;
        dead.fallback_sink = "oncall";
        journal_->Record(dead);
        break;
      }
      case 1: {
        const std::vector<DeliverySeq> one{delivery};
        ASSERT_TRUE(journal_->history().Cancel(one, "purged"));
        break;
      }
      default: Deliver(delivery, delivery);
    }
    const std::vector<NewDelivery> more = {{.sink = "mail", .rule = "r", .template_name = ""}};
    if (delivery % 5 == 0) {
      ASSERT_TRUE(journal_->history().AddDeliveries(delivery, more, clock_.Wall()));
    }
    if (delivery == 100) clock_.Advance(std::chrono::hours(2));
    ASSERT_TRUE(Append("more " + std::to_string(delivery), 300, {"ops"}));
  };
  const auto report = VerifyJournal(path_, tuning);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GE(next, 200);
  EXPECT_TRUE(report->IsSound()) << report->findings.front().kind << ": " << report->findings.front().what;
}

TEST_F(SqliteBackup, TheCheckOfThePagesIsGivenUpBeforeTheLogGrowsLong) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  VerifyTuning tuning;
  tuning.most_frames = 0;  // any
  std::atomic<bool> stop = false;
  std::jthread sender([&] {
    for (int i = 0; !stop; ++i) ASSERT_TRUE(Append("more " + std::to_string(i), 3000, {"ops"}));
  });
  VerifyReport report;
  for (int i = 0; i < 1000; ++i) {
    report = *VerifyJournal(path_, tuning);
    EXPECT_TRUE(report.IsSound());
    if (!report.pages_checked) break;
  }
  stop = true;
  EXPECT_FALSE(report.pages_checked);
}

TEST_F(SqliteBackup, VerifyRefusesWhatIsNoJournal) {
  EXPECT_EQ(VerifyJournal(folder_ / "none.db").error().code, ErrorCode::kUnavailable);
  Shell("CREATE TABLE photo(id)");
  EXPECT_EQ(VerifyJournal(path_).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace hookswitch
