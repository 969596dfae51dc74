#pragma once
#include <cstdint>
#include <functional>

#include "core/journal/sqlite.h"

namespace hookswitch {

/// Scans a table in key order and skips damaged rows.
///
/// `rows` selects the key as its first column, has ?1 for the least and ?2 for the greatest key, and is ordered by key.
/// The scan begins after `after`; `last` is the greatest possible key. `row` is called for each row and returns whether
/// to continue. Returns the number of keys skipped. Errors: kUnavailable (anything but damage).
Result<std::int64_t> ScanRows(Statement& rows, std::int64_t after, std::int64_t last,
                              const std::function<bool(Statement& row)>& row);

/// The same in descending order: `rows` is ordered by key descending; from below `before` to `first`.
Result<std::int64_t> ScanRowsBack(Statement& rows, std::int64_t before, std::int64_t first,
                                  const std::function<bool(Statement& row)>& row);

}  // namespace hookswitch
