#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace hookswitch {

/// What was found in a journal.
struct VerifyReport {
  /// Things that are wrong in the same way.
  struct Finding {
    std::string kind;  ///< "event", "body", "delivery", "attempt", "replay" or "file"
    std::string what;  ///< of each: "its body is not there"
    std::uint64_t count = 0;
    struct Thing {
      std::string id;     ///< as commands take it: an event's or delivery's id; for "file" what SQLite says
      std::string other;  ///< the id of what it should lead to, or ""
    };
    std::vector<Thing> first;  ///< of them, at most 20; empty where none has an id
  };
  std::uint64_t events = 0, deliveries = 0, pending = 0, attempts = 0;
  std::uint64_t bad = 0;          ///< how many things are not as they must be
  std::vector<Finding> findings;  ///< in the order of the check
  /// False: SQLite's own check of the file's pages, which cannot be done in parts, was given up, for a router wrote
  /// much meanwhile. Every row was read all the same.
  bool pages_checked = true;

  bool IsSound() const { return bad == 0; }
};

struct VerifyTuning {
  // Beside a router: how long one transaction reads, and how long nobody does then, so that the write-ahead log can
  // start again from its beginning.
  std::chrono::milliseconds slice{10}, pause{10};
  std::uint32_t most_frames = 2000;  ///< so far the log may grow behind the check of the pages
  /// Tests: called instead of each pause.
  std::function<void()> at_pause{};
};

/// Reads everything in the journal in `path` and says what does not fit: SQLite's own check, the sum of every body,
/// every event's deliveries, every delivery's event and chain of attempts, and the numbers a start relies on.
///
/// Changes nothing. Beside a router it reads in short transactions, each of which has all that it compares; what comes
/// later than the beginning is left out. A file that nobody uses is read as it is, also where nothing can be written,
/// and nothing is left beside it. Errors: kUnavailable (cannot be read), kInvalid (no journal), kUnsupported (of
/// another version).
Result<VerifyReport> VerifyJournal(const std::string& path, const VerifyTuning& tuning = {});

}  // namespace hookswitch
