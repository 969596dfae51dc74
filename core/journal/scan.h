#pragma once
#include <cstdint>
#include <functional>

#include "core/journal/sqlite.h"

namespace hookswitch {

/// Walks a table in the order of its key and steps over what is damaged.
///
/// `rows` selects the key first, has ?1 for the least and ?2 for the greatest key, and is ordered by key. The walk
/// begins after `after`; `last` is the greatest key that can exist. `row` is called on each row and answers whether to
/// go on. Returns how many keys were stepped over. Errors: what is not damage (kUnavailable).
Result<std::int64_t> ScanRows(Statement& rows, std::int64_t after, std::int64_t last,
                              const std::function<bool(Statement& row)>& row);

/// The same downwards: `rows` is ordered by key descending, the walk begins below `before` and ends with `first`.
Result<std::int64_t> ScanRowsBack(Statement& rows, std::int64_t before, std::int64_t first,
                                  const std::function<bool(Statement& row)>& row);

}  // namespace hookswitch
