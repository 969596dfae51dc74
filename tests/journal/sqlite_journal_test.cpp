#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <future>
#include <map>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/journal/retention.h"
#include "core/journal/store.h"
#include "core/journal/verify.h"
#include "tests/journal/row_limit.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

using SqliteJournal = SqliteFixture;

TEST_F(SqliteJournal, FolderAndFilesAreMadeForTheOwnerOnly) {
  path_ = folder_ / "a/b/journal.db";
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a"));
  const auto mode = [](const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode(folder_ / "a"), 0700u);
  EXPECT_EQ(mode(folder_ / "a/b"), 0700u);
  EXPECT_EQ(mode(path_), 0600u);
  EXPECT_EQ(mode(path_ + "-wal"), 0600u);
  EXPECT_EQ(mode(path_ + "-shm"), 0600u);
  EXPECT_EQ(mode(path_ + ".lock"), 0600u);
}

TEST_F(SqliteJournal, SecondOpeningIsRefusedWithTheHolder) {
  ASSERT_TRUE(Open());
  const auto second = OpenSqliteJournal(options_, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find("in use by another hookswitch (pid " + std::to_string(getpid()) + ")"),
            std::string::npos)
      << second.error().message;
  journal_.reset();
  EXPECT_TRUE(Open());
}

TEST_F(SqliteJournal, OutsidersMayReadWhileItRuns) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  EXPECT_EQ(Shell("SELECT count(*) FROM event"), "1");
  EXPECT_EQ(Shell("SELECT sink FROM delivery"), "ops");
  EXPECT_TRUE(Append("b"));
}

TEST_F(SqliteJournal, NewerSchemaIsRefusedWithItsVersion) {
  ASSERT_TRUE(Open());
  journal_.reset();
  Shell("UPDATE meta SET value = 99 WHERE key = 'schema_version'");
  Shell("UPDATE meta SET value = '7.1.0' WHERE key = 'written_by'");
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(opened.error().message.find("hookswitch 7.1.0 wrote it (schema_version 99)"), std::string::npos)
      << opened.error().message;
}

TEST_F(SqliteJournal, ForeignFilesAreRefusedAndLeftAlone) {
  std::ofstream(path_) << "These are my notes. Please keep them as they are, they are not a database at all.\n";
  const Status text = Open();
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(text.error().message.find(path_), std::string::npos);
  std::string kept;
  std::getline(std::ifstream(path_), kept);
  EXPECT_TRUE(kept.starts_with("These are my notes"));

  path_ = folder_ / "other.db";
  Shell("CREATE TABLE photo(id INTEGER PRIMARY KEY)");
  const Status other = Open();
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("not a journal of hookswitch"), std::string::npos) << other.error().message;
}

TEST_F(SqliteJournal, PathThatIsAFolderIsRefused) {
  path_ = folder_.path();
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
}

// RLIMIT_FSIZE makes every write past it fail, as a full disk does.
class DiskLimit {
 public:
  explicit DiskLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    Set(bytes);
  }
  ~DiskLimit() { Set(before_.rlim_cur); }

 private:
  void Set(rlim_t bytes) {
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  rlimit before_{};
};

TEST_F(SqliteJournal, FullDiskIsUnavailableUntilThereIsSpaceAgain) {
  log::SetWriterForTest([](log::Level, std::string_view) {});
  ASSERT_TRUE(Open());
  const auto first = Append("first", 100, {"ops"});
  ASSERT_TRUE(first);
  {
    const DiskLimit limit(256 * 1024);
    int stored = 0;
    for (;; ++stored) {
      ASSERT_LT(stored, 1000);
      const auto accepted = Append("fill " + std::to_string(stored), 8000);
      if (accepted) continue;
      EXPECT_EQ(accepted.error().code, ErrorCode::kUnavailable);
      break;
    }
    const DiskLimit nothing(1);  // so that it cannot free itself
    EXPECT_NE(journal_->Stats().unwritable_reason.find(path_), std::string::npos);
    EXPECT_EQ(journal_->Stats().events, static_cast<std::uint64_t>(stored + 1));
    EXPECT_TRUE(journal_->Load(first->event));
    Deliver(first->first_delivery, first->event);
    // Nothing of the refused event may be remembered, or its repetition would be taken for a duplicate.
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_FALSE(Append("fill " + std::to_string(stored), 8000));
    EXPECT_EQ(journal_->Stats().pending, 1u);
  }
  clock_.Advance(std::chrono::seconds(1));
  const auto again = Append("after", 8000);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  EXPECT_EQ(journal_->Stats().pending, 0u) << "the record that waited is stored by now";
  ASSERT_TRUE(Open());
  EXPECT_TRUE(Append("after", 8000)->duplicate);
  log::SetWriterForTest(nullptr);
}

/// Waits for a line of the log.
class LogLine {
 public:
  explicit LogLine(std::string word) {
    log::SetWriterForTest([this, word = std::move(word)](log::Level, std::string_view line) {
      if (line.find(word) != std::string_view::npos && !std::exchange(seen_, true)) come_.set_value();
    });
  }
  ~LogLine() { log::SetWriterForTest(nullptr); }
  bool Await() { return come_.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready; }

 private:
  bool seen_ = false;
  std::promise<void> come_;
};

TEST_F(SqliteJournal, NoticesByItselfThatThereIsSpaceAgain) {
  LogLine writable("journal_writable_again");
  ASSERT_TRUE(Open());
  {
    const DiskLimit limit(1);
    EXPECT_FALSE(Append("first"));
    EXPECT_NE(journal_->Stats().unwritable_reason, "");
  }
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(writable.Await());
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  journal_.reset();
}

TEST_F(SqliteJournal, ALogThatFilledTheDiskIsMovedAndUsedAgain) {
  LogLine writable("journal_writable_again");
  ASSERT_TRUE(Open());
  const DiskLimit limit(256 * 1024);
  for (int i = 0; Append("fill " + std::to_string(i), 8000); ++i) ASSERT_LT(i, 1000);
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(writable.Await());
  EXPECT_TRUE(Append("after", 8000));
  journal_.reset();
}

TEST_F(SqliteJournal, RefusedRequestsAreARingOfThousand) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 1003; ++i) {
    RefusedRequest refused;
    refused.source = "bolna";
    refused.http_status = 401;
    refused.error = "unauthorized";
    refused.detail = std::to_string(i);
    journal_->RecordRefused(refused);
    if (i % 100 == 0) {
      ASSERT_TRUE(Append("commit " + std::to_string(i)));
    }
  }
  ASSERT_TRUE(Append("last"));
  EXPECT_EQ(Shell("SELECT count(*) FROM refused"), "1000");
  EXPECT_EQ(Shell("SELECT detail FROM refused ORDER BY number DESC LIMIT 1"), "1002");
}

TEST_F(SqliteJournal, RetentionByAgeRemovesOldEventsWithAllThatBelongsToThem) {
  options_.retention_age = std::chrono::hours(24);
  ASSERT_TRUE(Open());
  const auto old = Append("old", 100, {"ops"});
  ASSERT_TRUE(old);
  Deliver(old->first_delivery, old->event, "thread");
  ASSERT_TRUE(Append("old")->duplicate);
  clock_.Advance(std::chrono::hours(23));
  ASSERT_TRUE(Append("young"));
  EXPECT_EQ(journal_->Stats().events, 2u);
  clock_.Advance(std::chrono::hours(2));
  // Removal follows the commit of one append and is done before the next.
  ASSERT_TRUE(Append("now"));
  ASSERT_TRUE(Append("and now"));
  EXPECT_EQ(journal_->Stats().events, 3u);
  EXPECT_EQ(journal_->Load(old->event).error().code, ErrorCode::kNotFound);
  for (const char* table : {"delivery", "attempt", "memory"}) {
    EXPECT_EQ(Shell(std::string("SELECT count(*) FROM ") + table), "0") << table;
  }
  EXPECT_EQ(Shell("SELECT count(*) FROM raw"), "3");
  EXPECT_FALSE(Append("old")->duplicate) << "a removed event is no longer known";
}

TEST_F(SqliteJournal, RetentionNeverRemovesWhatWaits) {
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  const auto waits = Append("waits", 100, {"ops"});
  const auto done = Append("done", 100, {"ops"});
  ASSERT_TRUE(waits && done);
  Deliver(done->first_delivery, done->event);
  ASSERT_TRUE(Append("the record is stored with this or before"));
  clock_.Advance(std::chrono::hours(2));
  ASSERT_TRUE(Append("now"));
  ASSERT_TRUE(Append("and now"));
  EXPECT_TRUE(journal_->Load(waits->event));
  EXPECT_FALSE(journal_->Load(done->event));

  Deliver(waits->first_delivery, waits->event);
  ASSERT_TRUE(Append("and this one"));
  clock_.Advance(std::chrono::minutes(2));
  ASSERT_TRUE(Append("later"));
  ASSERT_TRUE(Append("and later"));
  EXPECT_FALSE(journal_->Load(waits->event)) << "it goes once it has ended";
}

TEST_F(SqliteJournal, RetentionThatFindsNothingToRemoveWritesNothing) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append("waits " + std::to_string(i), 100, {"ops"}));
  journal_.reset();
  auto store = Store::Open(path_, tuning_.page_size);
  ASSERT_TRUE(store);
  Retention retention(**store, clock_, std::chrono::hours(1), 0);
  clock_.Advance(std::chrono::hours(2));
  auto watch = Database::Open(path_, Database::Mode::kRead);
  ASSERT_TRUE(watch);
  const auto before = watch->QueryInt("PRAGMA data_version");
  for (int step = 0; step < 5; ++step) ASSERT_TRUE(retention.Step(0, 4));
  EXPECT_EQ(*watch->QueryInt("PRAGMA data_version"), *before);
  EXPECT_EQ((*store)->events(), 10u);
}

TEST_F(SqliteJournal, RetentionBySizeKeepsTheNewest) {
  options_.retention_size = 1 << 20;
  ASSERT_TRUE(Open());
  constexpr int kEvents = 1000;
  EventSeq last = 0;
  for (int i = 0; i < kEvents; ++i) {
    const auto accepted = Append("event " + std::to_string(i), 4000);
    ASSERT_TRUE(accepted);
    last = accepted->event;
  }
  EXPECT_LT(journal_->Stats().bytes, (1u << 20) + (300u << 10));
  EXPECT_LT(journal_->Stats().events, 400u);
  EXPECT_GT(journal_->Stats().events, 50u);
  EXPECT_TRUE(journal_->Load(last));
  EXPECT_FALSE(journal_->Load(1));
}

TEST_F(SqliteJournal, NumbersAreNotUsedAgainAfterEverythingWasRemoved) {
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  const auto before = Append("before", 100, {"ops"});
  ASSERT_TRUE(before);
  Deliver(before->first_delivery, before->event);
  ASSERT_TRUE(Append("before", 100, {"ops"})->duplicate);
  clock_.Advance(std::chrono::hours(2));
  while (journal_->Stats().events != 0) std::this_thread::yield();
  ASSERT_TRUE(Open());
  const auto after = Append("after", 100, {"ops"});
  ASSERT_TRUE(after);
  EXPECT_GT(after->event, before->event);
  EXPECT_GT(after->first_delivery, before->first_delivery);
}

TEST_F(SqliteJournal, LogIsMovedIntoTheDatabaseWhileEventsArrive) {
  tuning_.checkpoint_frames = 20;
  // Without it nothing bounds the log on a machine that does not run the checkpoint's thread.
  tuning_.max_log_frames = 200;
  ASSERT_TRUE(Open());
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 4000));
  const auto log_bytes = std::filesystem::file_size(path_ + "-wal");
  EXPECT_LT(log_bytes, std::filesystem::file_size(path_));
}

struct LogTest : SqliteFixture {
  void SetUp() override {
    ASSERT_TRUE(Open());
    journal_.reset();
    auto opened = Store::Open(path_, tuning_.page_size);
    ASSERT_TRUE(opened);
    store = std::move(*opened);
    ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  }
  void TearDown() override { sqlite3_close(other); }
  void Commit() const { ASSERT_TRUE(store->Begin() && store->Probe() && store->Commit()); }

  std::unique_ptr<Store> store;
  sqlite3* other = nullptr;  ///< an outsider's connection
};

TEST_F(LogTest, HasNothingToMoveAfterItWasMovedUntilItGrows) {
  Commit();
  const int frames = store->log_frames();
  EXPECT_GT(frames, 0);
  ASSERT_TRUE(store->Checkpoint());
  EXPECT_EQ(store->log_frames(), 0);
  Commit();
  EXPECT_LE(store->log_frames(), frames) << "it did not begin anew";
  EXPECT_GT(store->log_frames(), 0);
}

TEST_F(LogTest, KeepsWhatAReaderHoldsBackToBeMoved) {
  Commit();
  ASSERT_EQ(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM meta", nullptr, nullptr, nullptr), SQLITE_OK);
  Commit();
  const int frames = store->log_frames();
  ASSERT_TRUE(store->Checkpoint());
  EXPECT_EQ(store->log_frames(), frames);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_TRUE(store->Checkpoint());
  EXPECT_EQ(store->log_frames(), 0);
}

TEST_F(LogTest, IsNotTakenForMovedWhenAnotherIsAtIt) {
  Commit();
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM meta", nullptr, nullptr, nullptr), SQLITE_OK);
  Commit();
  const int frames = store->log_frames();
  // It knows nothing of the log until it has read.
  ASSERT_EQ(sqlite3_exec(other, "SELECT count(*) FROM meta", nullptr, nullptr, nullptr), SQLITE_OK);
  // The other one's checkpoint, which has its lock by then, asks whether to wait for the reader.
  bool asked = false;
  auto look = [&] {
    asked = true;
    const auto done = store->Checkpoint();
    ASSERT_TRUE(done);
    EXPECT_EQ(done->frames, -1);
    EXPECT_EQ(store->log_frames(), frames);
  };
  using Look = decltype(look);
  sqlite3_busy_handler(
      other,
      [](void* context, int) {
        (*static_cast<Look*>(context))();
        return 0;
      },
      &look);
  EXPECT_EQ(sqlite3_wal_checkpoint_v2(other, nullptr, SQLITE_CHECKPOINT_FULL, nullptr, nullptr), SQLITE_BUSY);
  EXPECT_TRUE(asked);
  sqlite3_close(reader);
}

TEST_F(SqliteJournal, WhatIsTooLongForARowHoldsUpNothingElse) {
  log::SetWriterForTest([](log::Level, std::string_view) {});
  const RowLimit limit(100'000);
  ASSERT_TRUE(Open());
  // The writer is held where it tells of a first commit, so that all that follows goes with one.
  std::binary_semaphore entered(0), go_on(0), all(0);
  std::map<DeliverySeq, bool> told;
  journal_->OnRecorded([&](DeliverySeq delivery, DeliverySeq, bool stored) {
    told[delivery] = stored;
    if (told.size() == 1) {
      entered.release();
      go_on.acquire();
    }
    if (told.size() == 4) all.release();
  });
  ASSERT_TRUE(Append("before", 100, {"a", "b", "c", "d"}));
  Deliver(1, 1);
  entered.acquire();

  constexpr int kEvents = 20;
  std::vector<std::string> keys, bodies;
  for (int i = 0; i < kEvents; ++i) {
    keys.push_back("event " + std::to_string(i));
    bodies.push_back(keys.back() + std::string(i % 5 == 2 ? 200'000 : 1000, 'b'));
  }
  std::vector<std::optional<ErrorCode>> answers(kEvents, ErrorCode::kNotFound);
  std::vector<NewEvent> events(kEvents);
  for (std::size_t i = 0; i < kEvents; ++i) {
    events[i].source = "bolna";
    events[i].body = bodies[i];
    events[i].dedup = DigestOf(keys[i]);
    events[i].received_at = clock_.Wall();
    journal_->AppendThen(events[i], [&answers, i](const Result<Accepted>& accepted) {
      answers[i] = accepted ? std::optional<ErrorCode>() : accepted.error().code;
    });
  }
  AttemptRecord record;
  record.event = 1;
  record.number = 1;
  record.state = DeliveryState::kDelivered;
  for (record.delivery = 2; record.delivery <= 4; ++record.delivery) {
    record.response = std::string(record.delivery == 3 ? 200'000 : 10, 'r');
    journal_->Record(record);
  }
  RefusedRequest refused;
  refused.detail = std::string(200'000, 'd');
  journal_->RecordRefused(refused);
  go_on.release();
  const Status paused = journal_->history().SavePause(std::string(200'000, 's'), Pause{});
  ASSERT_FALSE(paused);
  EXPECT_EQ(paused.error().code, ErrorCode::kTooLarge);
  all.acquire();

  for (int i = 0; i < kEvents; ++i) {
    const auto expected = i % 5 == 2 ? std::optional(ErrorCode::kTooLarge) : std::nullopt;
    EXPECT_EQ(answers[static_cast<std::size_t>(i)], expected) << i;
  }
  EXPECT_EQ(told, (std::map<DeliverySeq, bool>{{1, true}, {2, true}, {3, false}, {4, true}}));
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  EXPECT_EQ(journal_->Stats().events, 1u + kEvents - kEvents / 5);
  EXPECT_TRUE(journal_->history().SavePause("ops", Pause{}));
  ASSERT_TRUE(Open());
  EXPECT_EQ(journal_->Stats().pending, 1u);
  log::SetWriterForTest(nullptr);
}

TEST_F(SqliteJournal, AParameterThatCannotBeBoundIsToldAndNothingIsStored) {
  Shell("CREATE TABLE t(a, b)");
  auto db = Database::Open(path_, Database::Mode::kWrite);
  ASSERT_TRUE(db);
  auto insert = db->Prepare("INSERT INTO t VALUES(?, ?)");
  ASSERT_TRUE(insert);
  ASSERT_TRUE(insert->Bind(1, 1).Run());
  const Status surplus = insert->Bind(2, 2, 2).Run();
  ASSERT_FALSE(surplus);
  EXPECT_EQ(surplus.error().code, ErrorCode::kInternal);
  // More than SQLite takes, and nobody looks at it.
  const std::string_view endless("", std::size_t{1} << 40);
  for (const bool first : {true, false}) {
    const Status done = first ? insert->Bind(endless, 3).Run() : insert->Bind(3, Statement::Blob{endless}).Run();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kTooLarge);
  }
  EXPECT_TRUE(insert->Bind(4, 4).Run()) << "what was not bound once is bound again";
  EXPECT_EQ(Shell("SELECT group_concat(a) FROM t"), "1,4");
}

TEST_F(SqliteJournal, UnderLoadACommitGathersWhatComesMeanwhile) {
  tuning_.commit_every = std::chrono::milliseconds(200);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) Deliver(1, 1);
  ASSERT_TRUE(Append("b"));  // perhaps with the same commit
  ASSERT_TRUE(Append("c"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, tuning_.commit_every);
}

TEST_F(SqliteJournal, ACommitWithEnoughEventsDoesNotWaitForMore) {
  tuning_.commit_every = std::chrono::hours(1);
  tuning_.events_enough = 3;
  ASSERT_TRUE(Open());
  // The writer is held where it tells of the first two commits, so that what each of them holds is certain.
  std::binary_semaphore entered(0), go_on(0);
  int told = 0;
  journal_->OnRecorded([&](DeliverySeq, DeliverySeq, bool) {
    if (++told > 2) return;
    entered.release();
    go_on.acquire();
  });
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  Deliver(1, 1);
  entered.acquire();
  for (int i = 0; i < 20; ++i) Deliver(1, 1);
  go_on.release();
  entered.acquire();
  std::vector<std::thread> senders;
  for (int i = 0; i < 3; ++i) senders.emplace_back([this, i] { EXPECT_TRUE(Append(std::to_string(i))); });
  go_on.release();
  for (auto& sender : senders) sender.join();
}

TEST_F(SqliteJournal, OneSenderAfterTheOtherIsNotHeldUp) {
  tuning_.commit_every = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::to_string(i), 100, {"ops"}));
}

TEST_F(SqliteJournal, EndsAtOnceWhileACommitGathers) {
  tuning_.commit_every = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  for (int i = 0; i < 200; ++i) Deliver(1, 1);
  ASSERT_TRUE(Open());
  EXPECT_EQ(Shell("SELECT count(*) FROM attempt"), "200");
}

TEST_F(SqliteJournal, AfterCloseTheFileAloneIsComplete) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  ASSERT_TRUE(journal_->Load(1) && journal_->history().FindEvent(1) && journal_->LoadPending(0, 10))
      << "readers are open";
  for (DeliverySeq delivery = 1; delivery <= 30; ++delivery) Deliver(delivery, delivery);
  journal_->Close();
  for (const char* part : {"-wal", "-shm"}) EXPECT_FALSE(std::filesystem::exists(path_ + part)) << part;
  const std::string copy = folder_ / "cold.db";
  std::filesystem::copy_file(path_, copy);
  const auto report = VerifyJournal(copy);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->IsSound());
  EXPECT_EQ(report->events, 50u);
  EXPECT_EQ(report->attempts, 30u);
  EXPECT_EQ(report->pending, 20u);
}

TEST_F(SqliteJournal, WhatIsAskedAfterCloseFailsAtOnce) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  journal_->Close();
  journal_->Close();
  EXPECT_EQ(Append("b").error().code, ErrorCode::kUnavailable);
  NewEvent event;
  event.source = "bolna";
  std::optional<ErrorCode> told;
  journal_->AppendThen(event, [&](const Result<Accepted>& accepted) { told = accepted.error().code; });
  EXPECT_EQ(told, ErrorCode::kUnavailable);
  Deliver(1, 1);
  journal_->RecordRefused({});
  EXPECT_EQ(journal_->history().SavePause("ops", Pause{}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal_->Load(1).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal_->LoadPending(0, 1).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal_->history().ListEvents({}, 0, 1).error().code, ErrorCode::kUnavailable);
  journal_->history().RecordAction({});
  EXPECT_EQ(journal_->history().ListActions(0, 1).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal_->Stats().events, 1u);
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal")) << "nothing opens it again";
}

TEST_F(SqliteJournal, AReaderThatStaysDoesNotHoldUpItsEnd) {
  LogLine warned("journal_checkpoint_failed");
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a"));
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM event", nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_TRUE(Append("b"));
  journal_->Close();
  EXPECT_TRUE(warned.Await());
  sqlite3_close(reader);
  ASSERT_TRUE(Open());
  EXPECT_TRUE(Append("b")->duplicate) << "it is in the log";
}

TEST_F(SqliteJournal, MemoryIsNotReadWhileNoSinkHasLeftAny) {
  ASSERT_TRUE(Open());
  Shell("INSERT INTO memory VALUES('ops', 7, 1, 'put there behind its back')");
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "") << "it did not look";
  const auto accepted = Append("a", 100, {"ops"});
  ASSERT_TRUE(accepted);
  Deliver(accepted->first_delivery, accepted->event, "left by a sink");
  ASSERT_TRUE(Append("b"));
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "left by a sink");
  ASSERT_TRUE(Open());
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "left by a sink");
}

}  // namespace
}  // namespace hookswitch
