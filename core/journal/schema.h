#pragma once
#include <cstdint>

#include "core/journal/sqlite.h"

namespace hookswitch {

/// Brings the tables of `db` to this program's version in one transaction, making them if the file is empty.
///
/// Returns the journal's salt (see EventId). Writes nothing if the version is right already.
/// Errors: kUnsupported (a newer hookswitch wrote it), kInvalid (not a journal, or damaged as a whole), kUnavailable.
Result<std::uint16_t> PrepareSchema(Database& db);

/// Whether `db` is a journal of this very version; changes nothing.
Status CheckSchema(Database& db);

}  // namespace hookswitch
