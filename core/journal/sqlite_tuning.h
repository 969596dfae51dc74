#pragma once
#include <chrono>
#include <memory>

#include "core/journal/history.h"

namespace hookswitch {

/// What measurements decided; tests and benchmarks turn it, operators do not.
struct SqliteTuning {
  int page_size = 8192;  ///< of a new file
  /// Log length that starts a checkpoint, whose sync commits wait for. Slowest one in a hundred answers under load, on
  /// a slow machine: 48 ms with 4000, 33 with 2000, 24 with 1000, which accepts some percent less.
  int checkpoint_frames = 2000;
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
