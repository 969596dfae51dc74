#include "core/journal/scan.h"

namespace hookswitch {
namespace {

// Whether a walk can begin after `key`.
Result<bool> Readable(Statement& rows, std::int64_t key) {
  rows.Reset();
  rows.Bind(key);
  const auto next = rows.Next();
  rows.Reset();
  if (next) return true;
  if (next.error().code == ErrorCode::kInvalid) return false;
  return next.error();
}

// The first key from which a walk can go on, in steps that double and then halve; `last` if there is none.
Result<std::int64_t> PastDamage(Statement& rows, std::int64_t after, std::int64_t last) {
  std::int64_t bad = after;
  std::int64_t good = last;
  for (std::int64_t step = 1; after + step < last; step *= 2) {
    const auto readable = Readable(rows, after + step);
    if (!readable) return readable.error();
    if (*readable) {
      good = after + step;
      break;
    }
    bad = after + step;
  }
  while (good - bad > 1) {
    const std::int64_t middle = bad + (good - bad) / 2;
    const auto readable = Readable(rows, middle);
    if (!readable) return readable.error();
    (*readable ? good : bad) = middle;
  }
  return good;
}

}  // namespace

Result<std::int64_t> ScanRows(Statement& rows, std::int64_t after, std::int64_t last,
                              const std::function<bool(Statement& row)>& row) {
  std::int64_t skipped = 0;
  while (after < last) {
    rows.Reset();
    rows.Bind(after);
    bool damaged = false;
    for (;;) {
      const auto next = rows.Next();
      if (!next) {
        if (next.error().code != ErrorCode::kInvalid) return next.error();
        damaged = true;
        break;
      }
      if (!*next) return skipped;
      const std::int64_t key = rows.Int(0);
      // A key out of order or beyond the end is a damaged cell that SQLite could not tell.
      if (key <= after || key > last) {
        ++skipped;
        continue;
      }
      after = key;
      if (!row(rows)) {
        rows.Reset();
        return skipped;
      }
    }
    if (damaged) {
      const auto good = PastDamage(rows, after, last);
      if (!good) return good.error();
      skipped += *good - after;
      after = *good;
    }
  }
  rows.Reset();
  return skipped;
}

}  // namespace hookswitch
