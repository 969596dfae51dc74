#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace hookswitch {

/// What was found in a journal.
struct VerifyReport {
  struct BadRow {
    std::string table;
    std::int64_t key = 0;  ///< 0: the file as a whole
    std::string what;
  };
  std::uint64_t events = 0, deliveries = 0, pending = 0, attempts = 0;
  std::uint64_t bad = 0;       ///< how many rows or pages are not as they must be
  std::vector<BadRow> listed;  ///< the first of them, at most 1000

  bool IsSound() const { return bad == 0; }
};

/// Reads everything in the journal in `path` and says what does not fit: SQLite's own check, the sum of every body,
/// every event's deliveries, every delivery's event and chain of attempts, and the numbers a start relies on.
///
/// Changes nothing and works beside a router, as of one moment; the write-ahead log cannot be shortened meanwhile.
/// Errors: kUnavailable (cannot be read), kInvalid (no journal), kUnsupported (of another version).
Result<VerifyReport> VerifyJournal(const std::string& path);

}  // namespace hookswitch
