#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Called on threads of the journal, if it is shared: as in PostgresOptions.
struct JournalEvents {
  std::function<void()> on_taken, on_reload_asked;
  std::function<void(const std::string& by)> on_lost;
};

/// Opens the journal that `config` names, in SQLite or in PostgreSQL. Call with the crash marks open: they say that no
/// other process has this router's files. Errors: those of OpenSqliteJournal and OpenPostgresJournal. `clock` must
/// outlive it.
Result<std::unique_ptr<Journal>> OpenJournal(const config::Config& config, const Clock& clock, JournalEvents events);

}  // namespace hookswitch
