#include "core/app/open_journal.h"

#include <fstream>
#include <random>
#include <utility>

#include "core/journal/journal_files.h"
#include "core/journal/postgres/postgres_journal.h"
#include "core/journal/sqlite_journal.h"

namespace hookswitch {
namespace {

/// A number that tells this router's process from one of the same name elsewhere, kept in `path` for the next start.
Result<std::int64_t> InstanceOf(const std::string& path) {
  std::int64_t number = 0;
  {
    std::ifstream file(path);
    file >> number;
  }
  if (number > 0) return number;
  HSW_TRY(MakeFile(path));
  std::random_device random;
  number = static_cast<std::int64_t>((std::uint64_t{random()} << 31 ^ random()) | 1);
  std::ofstream file(path, std::ios::trunc);
  if (!(file << number << '\n' << std::flush)) {
    return Error{ErrorCode::kUnavailable, path + " cannot be written: check the folder (state_dir) and its disk"};
  }
  return number;
}

}  // namespace

Result<std::unique_ptr<Journal>> OpenJournal(const config::Config& config, const Clock& clock, JournalEvents events) {
  const config::Journal& journal = config.journal;
  if (!journal.postgres) {
    return OpenSqliteJournal({.path = journal.path,
                              .retention_age = journal.retention_age,
                              .retention_size = journal.retention_size,
                              .max_backlog = journal.max_backlog},
                             clock);
  }
  const auto instance = InstanceOf(journal.beside + ".id");
  if (!instance) return instance.error();
  return OpenPostgresJournal({.url = journal.postgres->url.Reveal(),
                              .schema = journal.postgres->schema,
                              .router = config.cluster.name,
                              .instance = *instance,
                              .lease = config.cluster.lease,
                              .on_taken = std::move(events.on_taken),
                              .on_reload_asked = std::move(events.on_reload_asked),
                              .on_lost = std::move(events.on_lost),
                              .retention_age = journal.retention_age,
                              .retention_size = journal.retention_size,
                              .max_backlog = journal.max_backlog},
                             clock);
}

}  // namespace hookswitch
