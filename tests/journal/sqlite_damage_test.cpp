#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "core/base/log.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

class SqliteDamage : public SqliteFixture {
 protected:
  void SetUp() override {
    log::SetWriterForTest([](log::Level, std::string_view) {});
  }
  void TearDown() override {
    SqliteFixture::TearDown();
    log::SetWriterForTest(nullptr);
  }

  /// Fills a journal with `count` events of one delivery each and closes it, so that all is in the database file.
  void Fill(int count) {
    ASSERT_TRUE(Open());
    for (int i = 0; i < count; ++i) ASSERT_TRUE(Append("event " + std::to_string(i), 3000, {"ops"}));
    journal_.reset();
  }
  /// Pages of a table's leaves, left to right.
  std::vector<int> Leaves(const std::string& table) {
    std::vector<int> pages;
    const std::string sql = "SELECT group_concat(pageno) FROM (SELECT pageno FROM dbstat WHERE name = '" + table +
                            "' AND pagetype = 'leaf' ORDER BY path)";
    const std::string list = Shell(sql);
    for (std::size_t at = 0; at < list.size();) {
      pages.push_back(std::stoi(list.substr(at)));
      const auto comma = list.find(',', at);
      if (comma == std::string::npos) break;
      at = comma + 1;
    }
    return pages;
  }
  void Overwrite(int page, std::int64_t offset, const std::string& bytes) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    const off_t at = static_cast<off_t>(page - 1) * tuning_.page_size + offset;
    EXPECT_EQ(pwrite(fd, bytes.data(), bytes.size(), at), static_cast<ssize_t>(bytes.size()));
    close(fd);
  }
};

TEST_F(SqliteDamage, FlippedByteInABodyIsTold) {
  Fill(10);
  const auto leaves = Leaves("raw");
  ASSERT_GE(leaves.size(), 2u);
  Overwrite(leaves[0], tuning_.page_size - 1000, "#");
  ASSERT_TRUE(Open());
  int damaged = 0;
  for (EventSeq event = 1; event <= 10; ++event) {
    const auto stored = journal_->Load(event);
    if (stored) continue;
    EXPECT_EQ(stored.error().code, ErrorCode::kInvalid);
    ++damaged;
  }
  EXPECT_EQ(damaged, 1);
  EXPECT_GE(journal_->Stats().bad_rows, 1u);
}

TEST_F(SqliteDamage, DestroyedPagesCostOnlyWhatTheyHeld) {
  constexpr int kEvents = 600;
  Fill(kEvents);
  for (const char* table : {"event", "raw", "delivery"}) {
    const auto leaves = Leaves(table);
    ASSERT_GE(leaves.size(), 4u) << table;
    Overwrite(leaves[leaves.size() / 2], 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  }
  ASSERT_TRUE(Open());
  EXPECT_GT(journal_->Stats().bad_rows, 0u);
  const auto pending = journal_->LoadPending(0, 10'000);
  ASSERT_TRUE(pending);
  EXPECT_GT(pending->size(), kEvents - 200u);
  EXPECT_LT(pending->size(), static_cast<std::size_t>(kEvents));
  EXPECT_EQ(pending->front().seq, 1);
  EXPECT_EQ(pending->back().seq, kEvents);
  int readable = 0;
  for (const PendingDelivery& delivery : *pending) readable += journal_->Load(delivery.event).has_value();
  EXPECT_GT(readable, kEvents - 300);

  // Records go on, also when one of them meets the damage.
  for (DeliverySeq delivery = 1; delivery <= kEvents; ++delivery) Deliver(delivery, delivery);
  const auto accepted = Append("new", 3000, {"ops"});
  ASSERT_TRUE(accepted) << accepted.error().message;
  ASSERT_TRUE(Open());
  const auto left = journal_->LoadPending(0, 10'000);
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ(left->front().seq, accepted->first_delivery);
}

TEST_F(SqliteDamage, ARecordThatMeetsItIsToldAsSetAside) {
  constexpr int kEvents = 600;
  Fill(kEvents);
  const auto leaves = Leaves("delivery");
  ASSERT_GE(leaves.size(), 4u);
  Overwrite(leaves[leaves.size() / 2], 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  ASSERT_TRUE(Open());
  std::mutex mu;
  std::condition_variable changed;
  std::map<DeliverySeq, bool> told;
  journal_->OnRecorded([&](DeliverySeq delivery, DeliverySeq, bool stored) {
    std::lock_guard lock(mu);
    EXPECT_TRUE(told.emplace(delivery, stored).second) << "told once";
    changed.notify_all();
  });
  for (DeliverySeq delivery = 1; delivery <= kEvents; ++delivery) Deliver(delivery, delivery);
  {
    std::unique_lock lock(mu);
    changed.wait(lock, [&] { return told.size() == kEvents; });
  }
  const auto set_aside = std::ranges::count_if(told, [](const auto& entry) { return !entry.second; });
  EXPECT_GT(set_aside, 0);
  EXPECT_LT(set_aside, 200);
  EXPECT_TRUE(told.at(1));
  EXPECT_TRUE(told.at(kEvents));
  journal_.reset();
}

TEST_F(SqliteDamage, EveryRowBetweenDestroyedPagesIsFound) {
  constexpr int kEvents = 300;
  tuning_.page_size = 1024;
  Fill(kEvents);
  const auto leaves = Leaves("delivery");
  std::vector<int> rows;
  for (const int page : leaves) {
    rows.push_back(std::stoi(Shell("SELECT ncell FROM dbstat WHERE pageno = " + std::to_string(page))));
  }
  // Those that doubling steps from the beginning would meet; the last one stays.
  int lost = 0, destroyed = 0, before = 0;
  for (std::size_t i = 0; i + 1 < leaves.size(); before += rows[i++]) {
    bool meets = false;
    for (int key = 1; key < kEvents; key *= 2) meets = meets || (key + 1 > before && key + 1 <= before + rows[i]);
    if (!meets) continue;
    Overwrite(leaves[i], 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
    lost += rows[i];
    ++destroyed;
  }
  ASSERT_GE(destroyed, 3);
  ASSERT_GE(leaves.size(), static_cast<std::size_t>(destroyed) + 3);
  ASSERT_TRUE(Open());
  EXPECT_EQ(journal_->Stats().pending, static_cast<std::uint64_t>(kEvents - lost));
  const auto pending = journal_->LoadPending(0, 10'000);
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->size(), static_cast<std::size_t>(kEvents - lost));
  const auto listed = journal_->history().ListDeliveries({}, 0, 10'000);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->items.size(), static_cast<std::size_t>(kEvents - lost));
}

TEST_F(SqliteDamage, CommandsStepOverWhatCannotBeRead) {
  constexpr int kEvents = 300;
  Fill(kEvents);
  const auto leaves = Leaves("delivery");
  ASSERT_GE(leaves.size(), 3u);
  const int lost = std::stoi(Shell("SELECT ncell FROM dbstat WHERE pageno = " + std::to_string(leaves[1])));
  Overwrite(leaves[1], 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  ASSERT_TRUE(Open());
  std::vector<DeliverySeq> all;
  for (DeliverySeq delivery = 1; delivery <= kEvents; ++delivery) all.push_back(delivery);
  const auto canceled = journal_->history().Cancel(all, "purged");
  ASSERT_TRUE(canceled) << canceled.error().message;
  // A neighbour of the page may need it to change size.
  EXPECT_GE(canceled->size(), static_cast<std::size_t>(kEvents - lost - 3));
  const auto revived = journal_->history().Revive(all, clock_.Wall());
  ASSERT_TRUE(revived) << revived.error().message;
  EXPECT_GE(revived->size(), static_cast<std::size_t>(kEvents - lost - 3));
}

TEST_F(SqliteDamage, RetentionStepsOverDestroyedPages) {
  constexpr int kEvents = 500;
  ASSERT_NO_FATAL_FAILURE(Fill(kEvents));
  const auto leaves = Leaves("event");
  ASSERT_GE(leaves.size(), 2u);
  Overwrite(leaves[1], 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  for (DeliverySeq delivery = 1; delivery <= kEvents; ++delivery) Deliver(delivery, delivery);
  ASSERT_TRUE(Append("recorded"));
  clock_.Advance(std::chrono::hours(2));
  EventSeq last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto accepted = Append("new " + std::to_string(i));
    ASSERT_TRUE(accepted);
    last = accepted->event;
  }
  const auto oldest = journal_->Load(1);
  ASSERT_FALSE(oldest);
  EXPECT_EQ(oldest.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(journal_->Load(last));
  EXPECT_LT(journal_->Stats().events, kEvents + 0u) << "what is far from the damage is gone";
}

TEST_F(SqliteDamage, DamagedRefusedRequestsHoldUpNothing) {
  const auto refuse = [this](int count) {
    for (int i = 0; i < count; ++i) {
      RefusedRequest refused;
      refused.detail = std::string(200, 'd');
      journal_->RecordRefused(refused);
    }
  };
  ASSERT_TRUE(Open());
  refuse(900);
  ASSERT_TRUE(Append("first", 100, {"ops"}));
  journal_.reset();
  for (const int page : Leaves("refused")) {
    Overwrite(page, 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  }
  ASSERT_TRUE(Open());
  refuse(10);
  Deliver(1, 1);
  const auto accepted = Append("second");
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  EXPECT_EQ(journal_->Stats().pending, 0u);
  EXPECT_EQ(journal_->Stats().bad_rows, 10u);
}

TEST_F(SqliteDamage, DamagedActionsHoldUpNothing) {
  const auto act = [this] {
    journal_->history().RecordAction(
        {.who = "ana", .peer = "", .action = "purge", .target = "deliveries", .detail = std::string(5000, 'd')});
  };
  ASSERT_TRUE(Open());
  for (int i = 0; i < 20; ++i) act();
  ASSERT_TRUE(Append("first", 100, {"ops"}));
  journal_.reset();
  for (const int page : Leaves("action")) {
    Overwrite(page, 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  }
  ASSERT_TRUE(Open());
  act();
  const auto accepted = Append("second");
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  EXPECT_EQ(journal_->Stats().bad_rows, 1u);
  EXPECT_TRUE(journal_->history().ListActions(0, 10));
}

TEST_F(SqliteDamage, DamagedConfigsHoldUpNothing) {
  ASSERT_TRUE(Open());
  for (int i = 0; i < 3; ++i) {
    config_ = {DigestOf("config " + std::to_string(i)), {}, std::string(5000, 'c')};
    ASSERT_TRUE(Append("event " + std::to_string(i)));
  }
  journal_.reset();
  for (const int page : Leaves("config")) {
    Overwrite(page, 0, std::string(static_cast<std::size_t>(tuning_.page_size), '\xa5'));
  }
  ASSERT_TRUE(Open());
  EXPECT_EQ(journal_->Stats().bad_rows, 1u);
  config_->hash = DigestOf("another");
  const auto accepted = Append("new");
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(journal_->Load(accepted->event)->config, 0);
  EXPECT_EQ(journal_->Load(1)->config, 1);
  EXPECT_EQ(journal_->history().LoadConfig(1).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
}

TEST_F(SqliteDamage, AConfigThatCannotBeStoredHoldsUpNothing) {
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  config_ = {DigestOf("first"), {}, std::string(5000, 'c')};
  ASSERT_TRUE(Append("event"));
  Shell(
      "DROP TABLE config; CREATE TABLE config(number INTEGER PRIMARY KEY, hash BLOB NOT NULL, since_ms INTEGER NOT "
      "NULL, text TEXT NOT NULL CHECK (length(text) < 10))");
  config_ = {DigestOf("second"), {}, std::string(5000, 'c')};
  const auto accepted = Append("new", 100, {"ops"});
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(journal_->Load(accepted->event)->config, 0);
  EXPECT_EQ(journal_->Stats().bad_rows, 1u);
  EXPECT_EQ(journal_->Stats().pending, 1u);
}

TEST_F(SqliteDamage, DestroyedHeaderIsRefusedWithWhatToDo) {
  Fill(5);
  Overwrite(1, 0, std::string(100, '\xa5'));
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(opened.error().message.find(path_), std::string::npos);
  EXPECT_NE(opened.error().message.find("move the file aside"), std::string::npos);
}

}  // namespace
}  // namespace hookswitch
