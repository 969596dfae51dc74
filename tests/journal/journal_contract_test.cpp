#include "tests/contract/journal_contract.h"

#include "core/journal/sqlite_journal.h"
#include "tests/contract/changes_contract.h"
#include "tests/contract/history_contract.h"
#include "tests/contract/kept_config_contract.h"
#include "tests/contract/list_contract.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"
#include "tests/journal/row_limit.h"
#include "tests/journal/temp_folder.h"

namespace hookswitch {
namespace {

class SqliteHome final : public JournalHome {
 public:
  std::unique_ptr<Journal> Open(std::uint64_t max_backlog) override {
    auto journal = OpenSqliteJournal({.path = (folder_ / place_) + "/journal.db", .max_backlog = max_backlog}, clock_);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? std::move(*journal) : nullptr;
  }

  // A copy of the files while they are in use is what a killed process leaves; the shared memory is made anew.
  std::unique_ptr<Journal> Crash(std::unique_ptr<Journal> journal) override {
    const std::string before = folder_ / place_;
    place_ += "x";
    std::filesystem::create_directories(folder_ / place_);
    for (const char* name : {"journal.db", "journal.db-wal"}) {
      std::filesystem::copy_file(before + "/" + name, (folder_ / place_) + "/" + name);
    }
    journal.reset();
    return Open(0);
  }
  void LimitSize(int bytes) override { limit_.emplace(bytes); }

 private:
  std::optional<RowLimit> limit_;
  TempFolder folder_;
  std::string place_ = "a";
  FakeClock clock_;
};

class MemoryHome final : public JournalHome {
 public:
  std::unique_ptr<Journal> Open(std::uint64_t max_backlog) override {
    auto journal = std::make_unique<MemoryJournal>(disk_, max_backlog);
    journal->SetMaxSize(max_size_);
    return journal;
  }
  std::unique_ptr<Journal> Crash(std::unique_ptr<Journal> journal) override {
    journal.reset();
    return Open(0);
  }
  void LimitSize(int bytes) override { max_size_ = static_cast<std::size_t>(bytes); }

 private:
  std::size_t max_size_ = MemoryJournal::kNoLimit;
  std::shared_ptr<MemoryJournal::Disk> disk_ = MemoryJournal::MakeDisk();
};

INSTANTIATE_TEST_SUITE_P(Journals, JournalContract,
                         testing::Values(JournalKind{"sqlite", [] { return std::make_unique<SqliteHome>(); }},
                                         JournalKind{"memory", [] { return std::make_unique<MemoryHome>(); }}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Journals, RevisionContract,
                         testing::Values(JournalKind{"sqlite", [] { return std::make_unique<SqliteHome>(); }},
                                         JournalKind{"memory", [] { return std::make_unique<MemoryHome>(); }}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Journals, ChangesContract,
                         testing::Values(JournalKind{"sqlite", [] { return std::make_unique<SqliteHome>(); }},
                                         JournalKind{"memory", [] { return std::make_unique<MemoryHome>(); }}),
                         [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Journals, ListContract,
                         testing::Values(JournalKind{"sqlite", [] { return std::make_unique<SqliteHome>(); }},
                                         JournalKind{"memory", [] { return std::make_unique<MemoryHome>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hookswitch
