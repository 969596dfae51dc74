#include "core/journal/scan.h"

#include <algorithm>

namespace hookswitch {
namespace {

// Scans keys upwards, or their negatives downwards, with the same loop.
Result<std::int64_t> Walk(Statement& rows, std::int64_t after, std::int64_t last, bool down,
                          const std::function<bool(Statement& row)>& row) {
  std::int64_t skipped = 0;
  // One window while nothing is damaged. After damage, windows halve when they hit it and double when they do not: this
  // finds every intact row between damaged pages, and a long intact stretch takes few windows.
  std::int64_t window = last - after;
  while (after < last) {
    const std::int64_t end = window < last - after ? after + window : last;
    rows.Reset();
    down ? rows.Bind(-end, -(after + 1)) : rows.Bind(after + 1, end);
    for (;;) {
      const auto next = rows.Next();
      if (!next) {
        if (next.error().code != ErrorCode::kInvalid) return next.error();
        if (end - after == 1) {
          ++skipped;
          ++after;
        }
        window = std::max<std::int64_t>((end - after) / 2, 1);
        break;
      }
      if (!*next) {
        after = end;
        if (window < last - after) window *= 2;
        break;
      }
      const std::int64_t key = down ? -rows.Int(0) : rows.Int(0);
      // A key out of order or range is a damaged cell that SQLite did not detect.
      if (key <= after || key > end) {
        ++skipped;
        continue;
      }
      after = key;
      if (!row(rows)) {
        rows.Reset();
        return skipped;
      }
    }
  }
  rows.Reset();
  return skipped;
}

}  // namespace

Result<std::int64_t> ScanRows(Statement& rows, std::int64_t after, std::int64_t last,
                              const std::function<bool(Statement& row)>& row) {
  return Walk(rows, after, last, /*down=*/false, row);
}

Result<std::int64_t> ScanRowsBack(Statement& rows, std::int64_t before, std::int64_t first,
                                  const std::function<bool(Statement& row)>& row) {
  return Walk(rows, -before, -first, /*down=*/true, row);
}

}  // namespace hookswitch
