#pragma once
#include <cstdint>

#include "core/journal/sqlite.h"

namespace hookswitch {

struct Schema {
  std::uint16_t salt = 0;    ///< of this journal; see EventId
  std::int64_t version = 0;  ///< current version of the tables
  std::int64_t found = 0;    ///< version before the call; 0: no tables
};
/// Creates the tables of `db`, or migrates them to this program's version, in one transaction. Writes nothing if the
/// version is current. Errors: kUnsupported (a newer hookswitch wrote it), kInvalid (not a journal, or damaged as a
/// whole), kUnavailable.
Result<Schema> PrepareSchema(Database& db);

/// Ok if `db` is a journal of exactly this version. Errors as above, and kUnsupported for an older version. Changes
/// nothing.
Status CheckSchema(Database& db);

}  // namespace hookswitch
