// What every journal keeps, kept on a real PostgreSQL.
#include "core/journal/postgres/postgres_journal.h"
#include "tests/contract/changes_contract.h"
#include "tests/contract/history_contract.h"
#include "tests/contract/journal_contract.h"
#include "tests/contract/kept_config_contract.h"
#include "tests/contract/list_contract.h"
#include "tests/fakes/fake_clock.h"
#include "tests/journal/postgres_home.h"

namespace hookswitch {
namespace {

class PostgresHome final : public JournalHome {
 public:
  std::unique_ptr<Journal> Open(std::uint64_t max_backlog) override {
    auto journal = OpenPostgresJournal({.url = test::TheDatabase().Conninfo(),
                                        .schema = schema_.name(),
                                        .router = "router-1",
                                        .instance = 1,
                                        .max_backlog = max_backlog},
                                       clock_, tuning_);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? std::move(*journal) : nullptr;
  }
  // Without its tables a journal can store nothing more, however it ends.
  std::unique_ptr<Journal> Crash(std::unique_ptr<Journal> journal) override {
    schema_.Rename();
    journal.reset();
    return Open(0);
  }
  void LimitSize(int bytes) override { tuning_.max_text = static_cast<std::size_t>(bytes); }

 private:
  test::OwnSchema schema_;
  PostgresTuning tuning_;
  FakeClock clock_;
};

const auto kPostgres = testing::Values(JournalKind{"postgres", [] { return std::make_unique<PostgresHome>(); }});
const auto kName = [](const auto& info) { return info.param.name; };

INSTANTIATE_TEST_SUITE_P(Journals, JournalContract, kPostgres, kName);
INSTANTIATE_TEST_SUITE_P(Journals, RevisionContract, kPostgres, kName);
INSTANTIATE_TEST_SUITE_P(Journals, ChangesContract, kPostgres, kName);
INSTANTIATE_TEST_SUITE_P(Journals, ListContract, kPostgres, kName);

}  // namespace
}  // namespace hookswitch
