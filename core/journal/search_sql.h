#pragma once
#include <string>

#include "core/base/result.h"
#include "core/journal/search_filter.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// A SearchFilter as SQLite takes it.
struct SearchSql {
  bool is_never = false;  ///< nothing can fit
  std::string where;      ///< conditions on a row of `doc`, or ""
  bool by_call = false;   ///< `where` wants few calls: their index is the best way
  std::string must;       ///< FTS5 query that an event's words and marks meet, or ""
  std::string must_not;   ///< FTS5 query that they do not meet, or ""
};

/// Translates `filter` with the names that the index at `db` has. Call it in the transaction that uses the result.
Result<SearchSql> MakeSearchSql(Database& db, const SearchFilter& filter);

}  // namespace hookswitch
