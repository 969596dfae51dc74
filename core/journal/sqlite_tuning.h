#pragma once
#include <chrono>
#include <memory>

#include "core/journal/history.h"

namespace hookswitch {

/// What measurements decided; tests and benchmarks turn it, operators do not.
struct SqliteTuning {
  int page_size = 8192;  ///< of a new file
  /// Log length that starts a checkpoint. Commits wait on the disk for as long as its sync takes: with 4000 some 30 ms
  /// now and then, with 1000 less than 10, for the same work altogether.
  int checkpoint_frames = 1000;
  int max_log_frames = 65536;     ///< log length from which the writer waits for the checkpoint
  bool checkpoint_thread = true;  ///< false: the writer does it all
  int retention_chunk = 64;       ///< events removed between two commits, at least
  /// Under load (the last one held several changes) commits begin no sooner after each other, unless so many events
  /// wait: each costs a sync and the wake-ups of all that follows, whatever it holds.
  std::chrono::milliseconds commit_every{2};
  std::size_t events_enough = 40;
};

Result<std::unique_ptr<JournalWithHistory>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock,
                                                              const SqliteTuning& tuning);

}  // namespace hookswitch
