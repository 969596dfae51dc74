#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace hookswitch {

/// A journal: a SQLite file or a schema of a PostgreSQL database.
struct CopyPlace {
  std::string path;                   ///< of the file; "": it is in PostgreSQL
  std::string url{};                  ///< a postgres:// URL or conninfo string; may hold a password
  std::string schema = "hookswitch";  ///< with url
};

struct CopyTuning {
  std::size_t most_rows = 1000;  ///< of one step
  /// How long the lease of another router may take to be over, at most.
  std::chrono::milliseconds lease = std::chrono::seconds(15);
  /// Called after each table, with its rows.
  std::function<void(std::string_view table, std::int64_t rows)> on_table{};
  /// For tests: called before each durable change; the copy ends if it returns false.
  std::function<bool()> before_step{};
};

struct CopyReport {
  std::string from, to;   ///< their names; hold no password
  bool was_done = false;  ///< it had been moved before, by an earlier call
  std::int64_t events = 0, deliveries = 0, attempts = 0;
};

/// Moves a journal from one kind of store to the other: all events, deliveries (also those that wait), attempts and
/// what else is kept, with their numbers, so that ids stay. `to` must be empty; nobody may use either.
///
/// Ended at any moment, the same call goes on where it was. No router takes `from` once it has begun (see CopyMark),
/// and none takes `to` before all is there, was read again and compared, and `from` is marked as moved: never both.
/// `clock` is only used within the call. Errors name the journal: kInvalid (`to` is not empty, a row is damaged, `from`
/// was moved elsewhere, both are of one kind), kUnavailable (a router uses one of them, a disk or server fails).
Result<CopyReport> CopyJournal(const CopyPlace& from, const CopyPlace& to, const Clock& clock,
                               const CopyTuning& tuning = {});

/// Ends a copy of `from` that is not finished: routers may use it again, and what was copied is worthless. Returns the
/// name of the journal it was copied to. Errors: kInvalid (it is not being copied), kUnavailable.
Result<std::string> GiveUpCopy(const CopyPlace& from, const Clock& clock, const CopyTuning& tuning = {});

}  // namespace hookswitch
