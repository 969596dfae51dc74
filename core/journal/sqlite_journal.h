#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/journal/journal.h"

namespace hookswitch {

struct SqliteOptions {
  std::string path;  ///< its folder is created if missing; files get mode 0600
  std::chrono::milliseconds retention_age{};
  std::uint64_t retention_size = 0;
  std::uint64_t max_backlog = 0;  ///< pending deliveries per sink; 0: no limit
};

/// Tuned by benchmark; not user-configurable. Tests and benchmarks change it.
struct SqliteTuning {
  int page_size = 8192;  ///< bytes, of a new file
  /// Log length that starts a checkpoint; commits wait for its sync. p99 response time under load on a slow machine: 48
  /// ms with 4000, 33 ms with 2000, 24 ms with 1000, which costs some percent of throughput.
  int checkpoint_frames = 2000;
  int max_log_frames = 65536;     ///< log length at which the writer waits for the checkpoint
  bool checkpoint_thread = true;  ///< false: the writer checkpoints itself
  int retention_chunk = 64;       ///< least number of events to remove between two commits
  /// Under load (the last commit held several changes) the least time between commits, unless `events_enough` events
  /// wait: each commit costs a sync and several wake-ups, however little it holds.
  std::chrono::milliseconds commit_every{2};
  std::size_t events_enough = 40;
};

/// Opens (or creates, or migrates) a journal in one SQLite file. Errors name the file and what to do: kUnsupported
/// (written by a newer hookswitch), kUnavailable (locked by another process, not writable, not a database). `clock`
/// must outlive it.
Result<std::unique_ptr<Journal>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock,
                                                   const SqliteTuning& tuning = {});

}  // namespace hookswitch
