#include "core/journal/page_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "core/journal/retention.h"
#include "core/journal/store.h"
#include "core/journal/verify.h"
#include "tests/journal/fault_vfs.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

class PageCopy : public SqliteFixture {
 protected:
  void SetUp() override {
    target_fd_ = open(target_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ASSERT_GE(target_fd_, 0);
  }
  void TearDown() override {
    SqliteFixture::TearDown();
    close(target_fd_);
  }
  Status Copy(const PageCopyTuning& tuning = {}) {
    auto source = Database::Open(path_, Database::Mode::kRead);
    if (!source) return source.error();
    return CopyPages(*source, target_fd_, tuning);
  }
  /// All that is in the tables, as text.
  static std::string Content(const std::string& path) {
    std::string text;
    auto db = Database::Open(path, Database::Mode::kRead);
    EXPECT_TRUE(db);
    EXPECT_EQ(*db->QueryText("PRAGMA integrity_check"), "ok");
    for (const std::string table :
         {"meta", "event", "raw", "delivery", "attempt", "memory", "lane", "refused", "replay"}) {
      auto rows = db->Prepare("SELECT * FROM " + table + " ORDER BY 1, 2");
      EXPECT_TRUE(rows);
      text += table + ":\n";
      for (;;) {
        const auto row = rows->Next();
        EXPECT_TRUE(row);
        if (!row || !*row) break;
        for (int column = 0; column < 3; ++column) text += std::string(rows->Bytes(column)) + "|";
        text += "\n";
      }
    }
    return text;
  }

  const std::string target_ = folder_ / "copy.db";
  int target_fd_ = -1;
};

/// Writes to a store as a router would, one random thing at a time.
class Writer {
 public:
  Writer(Store& store, const Clock& clock, std::uint32_t seed) : store_(store), clock_(clock), random_(seed) {}

  void Do() {
    switch (random_() % 8) {
      case 0: ASSERT_TRUE(store_.Checkpoint()); return;
      case 1: {
        Retention retention(store_, clock_, {}, 1);
        ASSERT_TRUE(retention.Step(2, static_cast<int>(random_() % 4) + 1));
        return;
      }
      case 2: {
        if (store_.last_delivery() == 0) return;
        AttemptRecord record;
        record.delivery = 1 + static_cast<DeliverySeq>(random_() % static_cast<std::uint64_t>(store_.last_delivery()));
        record.number = 1;
        record.state = DeliveryState::kDelivered;
        record.request = std::string(random_() % 4000, 'q');
        DeliverySeq fallback = 0;
        ASSERT_TRUE(store_.Begin());
        ASSERT_TRUE(store_.Record(record, fallback));
        ASSERT_TRUE(store_.Commit());
        return;
      }
      default: {
        ASSERT_TRUE(store_.Begin());
        for (std::uint64_t i = 0; i < 1 + random_() % 3; ++i) Append();
        random_() % 10 == 0 ? store_.Rollback() : (void)store_.Commit().has_value();
      }
    }
  }

 private:
  void Append() {
    const std::string key = std::to_string(random_());
    const std::string body(random_() % 9000, 'b');
    const NewDelivery delivery{.sink = "ops", .rule = "r", .template_name = ""};
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf(key);
    event.received_at = clock_.Wall();
    event.deliveries = {&delivery, 1};
    Accepted accepted;
    WallTime at{};
    ASSERT_TRUE(store_.Append(event, SumOf("", body), accepted, at));
  }

  Store& store_;
  const Clock& clock_;
  std::mt19937 random_;
};

TEST_F(PageCopy, WhateverIsWrittenMeanwhileTheCopyIsTheJournalAtTheEnd) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const FaultVfs no_syncs(FaultVfs::Fault::kNone, 0, seed);
    path_ = folder_ / ("journal" + std::to_string(seed) + ".db");
    { std::ofstream make(path_); }
    auto store = Store::Open(path_, 1024);
    ASSERT_TRUE(store);
    Writer writer(**store, clock_, seed);
    for (int i = 0; i < 300; ++i) writer.Do();
    ASSERT_EQ(ftruncate(target_fd_, 0), 0);
    PageCopyTuning tuning;
    tuning.step_bytes = std::filesystem::file_size(path_) / 60;
    tuning.step_pages = 4;
    int steps = 0;
    tuning.after_step = [&] {
      // Not after the last of the file: a commit would wait in vain for the lock.
      if (++steps > 60) return;
      for (std::uint32_t i = 0; i <= seed % 4; ++i) writer.Do();
    };
    const Status done = Copy(tuning);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_GE(steps, 60);
    EXPECT_TRUE(Content(target_) == Content(path_));
  }
}

TEST_F(PageCopy, TheLogStartsAgainFromItsBeginningMeanwhile) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  journal_.reset();
  auto store = Store::Open(path_, tuning_.page_size);
  ASSERT_TRUE(store);
  PageCopyTuning tuning;
  tuning.step_bytes = 4096;
  int most = 0, steps = 0;
  tuning.after_step = [&] {
    if (++steps > 150) return;
    ASSERT_TRUE((*store)->Begin() && (*store)->Probe() && (*store)->Commit());
    most = std::max(most, (*store)->log_frames());
    if ((*store)->log_frames() < 10) return;
    ASSERT_TRUE((*store)->Checkpoint());
    EXPECT_EQ((*store)->log_frames(), 0) << "nobody holds it back";
  };
  ASSERT_TRUE(Copy(tuning));
  EXPECT_GT(steps, 150);
  EXPECT_LE(most, 12) << "it never grew over what makes it start again";
}

TEST_F(PageCopy, WritersGoOnAllTheTime) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  std::atomic<bool> stop = false;
  std::atomic<int> stored = 0;
  std::jthread sender([&] {
    for (int i = 0; !stop; ++i) {
      ASSERT_TRUE(Append("more " + std::to_string(i), 3000, {"ops"}));
      ++stored;
    }
  });
  PageCopyTuning tuning;
  tuning.step_bytes = 32 * 1024;
  // Each step waits for some commits: they are not held up, or this would never end.
  tuning.after_step = [&, steps = 0]() mutable {
    if (++steps > 20) return;
    for (const int before = stored; stored < before + 3;) std::this_thread::yield();
  };
  ASSERT_TRUE(Copy(tuning));
  stop = true;
  sender.join();
  const auto report = VerifyJournal(target_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->IsSound());
  EXPECT_GT(report->events, 300u);
}

TEST_F(PageCopy, AFileWithoutALogIsCopiedToo) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
  journal_.reset();
  EXPECT_EQ(Shell("PRAGMA journal_mode = DELETE"), "delete");
  ASSERT_TRUE(Copy());
  EXPECT_TRUE(Content(target_) == Content(path_));
}

struct Following : SqliteFixture {
  void SetUp() override {
    ASSERT_TRUE(Open());
    journal_.reset();
    auto opened = Store::Open(path_, tuning_.page_size);
    ASSERT_TRUE(opened);
    store = std::move(*opened);
  }
  void Commit() const { ASSERT_TRUE(store->Begin() && store->Probe() && store->Commit()); }
  std::unique_ptr<Store> store;
};

TEST_F(Following, TellsWhatIsInTheLogAndWhatWasMoved) {
  Commit();
  auto follower = LogFollower::Start(path_);
  ASSERT_TRUE(follower);
  auto changes = (*follower)->Take(100);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->first_frame, 1u);
  EXPECT_EQ(changes->in_log.size(), static_cast<std::size_t>(store->log_frames())) << "from the round's beginning on";
  const auto known = changes->in_log.size();
  Commit();
  changes = (*follower)->Take(100);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->first_frame, known + 1);
  ASSERT_FALSE(changes->in_log.empty());
  const std::uint32_t page = changes->in_log.front();
  EXPECT_TRUE((*follower)->Take(100)->in_log.empty());
  ASSERT_TRUE(store->Checkpoint());
  Commit();
  changes = (*follower)->Take(100);
  ASSERT_TRUE(changes);
  EXPECT_FALSE(changes->lost);
  EXPECT_NE(std::ranges::find(changes->in_file, page), changes->in_file.end());
  EXPECT_TRUE(changes->in_log.empty()) << "first what was moved";
  EXPECT_EQ((*follower)->Take(100)->first_frame, 1u) << "a new round";
}

TEST_F(Following, ALogThatDidNotExistIsFollowedFromItsBeginning) {
  store = nullptr;
  for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(path_ + part);
  auto follower = LogFollower::Start(path_);
  ASSERT_TRUE(follower) << follower.error().message;
  EXPECT_TRUE((*follower)->Take(100)->in_log.empty());
  store = std::move(*Store::Open(path_, tuning_.page_size));
  Commit();
  const auto changes = (*follower)->Take(100);
  ASSERT_TRUE(changes);
  EXPECT_FALSE(changes->lost);
  EXPECT_EQ(changes->in_log.size(), static_cast<std::size_t>(store->log_frames()));
}

TEST_F(Following, ALogThatWasCutIsLost) {
  Commit();
  auto follower = LogFollower::Start(path_);
  ASSERT_TRUE(follower);
  EXPECT_EQ(Shell("PRAGMA wal_checkpoint(TRUNCATE)"), "0");
  Commit();
  const auto changes = (*follower)->Take(100);
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->lost) << "what was written just before it was cut is not known";
}

}  // namespace
}  // namespace hookswitch
