#pragma once
#include <chrono>
#include <memory>

#include "core/journal/history.h"

namespace hookswitch {

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

Result<std::unique_ptr<JournalWithHistory>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock,
                                                              const SqliteTuning& tuning);

}  // namespace hookswitch
