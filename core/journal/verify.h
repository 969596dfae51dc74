#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace hookswitch {

/// Result of VerifyJournal.
struct VerifyReport {
  /// Problems of one kind.
  struct Finding {
    std::string kind;  ///< "event", "body", "delivery", "attempt", "replay" or "file"
    std::string what;  ///< description: "its body is not there"
    std::uint64_t count = 0;
    struct Thing {
      std::string id;     ///< an event's or delivery's id, as CLI commands take it; for "file" SQLite's message
      std::string other;  ///< the id that it should refer to, or ""
    };
    std::vector<Thing> first;  ///< the first 20; empty if none has an id
  };
  std::uint64_t events = 0, deliveries = 0, pending = 0, attempts = 0;
  std::uint64_t bad = 0;          ///< number of problems
  std::vector<Finding> findings;  ///< in order of the checks
  /// False: SQLite's own page check, which cannot be sliced, was aborted because a router wrote much meanwhile. All
  /// rows were still read.
  bool pages_checked = true;

  bool IsSound() const { return bad == 0; }
};

struct VerifyTuning {
  // While a router runs: the length of one read transaction, and of the pause after it, in which the write-ahead log
  // can restart.
  std::chrono::milliseconds slice{10}, pause{10};
  std::uint32_t most_frames = 2000;  ///< log growth that aborts the page check
  /// For tests: called instead of each pause.
  std::function<void()> at_pause{};
};

/// Reads the whole journal in `path` and reports inconsistencies: SQLite's own check, the checksum of every body, every
/// event's deliveries, every delivery's event and chain of attempts, and the counters that a start relies on.
///
/// Changes nothing. While a router runs, it reads in short transactions, each consistent in itself, and ignores rows
/// added after the start. A file that nobody uses is read without locks or write permission, and no side files are
/// left. Errors: kUnavailable (cannot be read), kInvalid (not a journal), kUnsupported (another version).
Result<VerifyReport> VerifyJournal(const std::string& path, const VerifyTuning& tuning = {});

}  // namespace hookswitch
