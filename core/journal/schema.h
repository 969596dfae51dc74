#pragma once
#include <cstdint>

#include "core/journal/sqlite.h"

namespace hookswitch {

struct Schema {
  std::uint16_t salt = 0;    ///< the journal's own, see EventId
  std::int64_t version = 0;  ///< of the tables now
  std::int64_t found = 0;    ///< the version they had before; 0: there were none
};
/// Brings the tables of `db` to this program's version in one transaction, making them if the file is empty. Writes
/// nothing if the version is right already.
/// Errors: kUnsupported (a newer hookswitch wrote it), kInvalid (not a journal, or damaged as a whole), kUnavailable.
Result<Schema> PrepareSchema(Database& db);

/// Whether `db` is a journal of this very version; changes nothing.
Status CheckSchema(Database& db);

}  // namespace hookswitch
