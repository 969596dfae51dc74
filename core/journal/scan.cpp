#include "core/journal/scan.h"

#include <algorithm>

namespace hookswitch {
namespace {

// Upwards keys are counted as they are, downwards as their negatives: so one walk does both.
Result<std::int64_t> Walk(Statement& rows, std::int64_t after, std::int64_t last, bool down,
                          const std::function<bool(Statement& row)>& row) {
  std::int64_t skipped = 0;
  // All at once while nothing is damaged. From the first damage on in windows that halve when they meet it and double
  // when they do not: so every sound row between two damaged pages is found, and a long sound stretch costs few
  // windows.
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
      // A key out of order or beyond the end is a damaged cell that SQLite could not tell.
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
