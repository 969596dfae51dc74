#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/journal/journal.h"

namespace hookswitch {

struct PostgresOptions {
  std::string url{};     ///< a postgres:// URL or conninfo string; may hold a password
  std::string schema{};  ///< [a-z_][a-z0-9_]*, at most 63; created if the user may
  std::string router{};  ///< this router's name
  // As in pg::Lease::Terms. A process that has lost its lease should end: what it knows is no longer so.
  std::int64_t instance = 0;
  std::chrono::milliseconds lease = std::chrono::seconds(15);
  std::function<void()> on_taken{};
  std::function<void()> on_reload_asked{};
  std::function<void(const std::string& by)> on_lost{};
  std::chrono::milliseconds retention_age{};  ///< 0: no limit
  std::uint64_t retention_size = 0;           ///< bytes of the schema; 0: no limit
  std::uint64_t max_backlog = 0;              ///< pending deliveries per sink; 0: no limit
};

/// Tuned by benchmark; not user-configurable. Tests change it.
struct PostgresTuning {
  std::size_t max_text = std::size_t{256} << 20;                  ///< the longest text that is stored, in bytes
  std::chrono::milliseconds patience = std::chrono::seconds(10);  ///< the longest wait for an answer
  /// As in SqliteTuning.
  std::chrono::milliseconds commit_every{2};
  std::size_t events_enough = 40;
  int parts = 8;  ///< a partition holds about this part of the retention, by age or by size
};

/// Whether a schema's name means the same with and without quotes, and PostgreSQL does not cut it.
bool IsSchemaName(std::string_view schema);

/// Opens (or creates, or migrates) a journal in a schema of a PostgreSQL database, 12 or later. Of the routers that
/// share it one has the lease of what is pending and delivers it (OwnsPending); the others store what they accept, and
/// ask for the lease. Errors name the server and what to do: kUnsupported (written by a newer hookswitch, or the server
/// is too old), kInvalid (no such schema can be), kUnavailable (also: another router has this one's name). `clock` must
/// outlive it.
Result<std::unique_ptr<Journal>> OpenPostgresJournal(const PostgresOptions& options, const Clock& clock,
                                                     const PostgresTuning& tuning = {});

}  // namespace hookswitch
