#pragma once
#include <cstdint>
#include <string_view>

#include "core/journal/postgres/pg_connection.h"

namespace hookswitch::pg {

/// Events, deliveries and attempts lie in partitions of this many numbers; an event and its first deliveries in the
/// same one.
inline constexpr std::int64_t kPartSize = std::int64_t{1} << 24;

struct Schema {
  std::uint16_t salt = 0;  ///< of the journal's event ids
};

/// Creates the tables in an empty schema, or brings them up to date, one router at a time. Errors: kUnsupported
/// (written by a newer hookswitch), kUnavailable (no right to; the server is away).
Result<Schema> PrepareSchema(Connection& connection);

/// What PrepareSchema would find if the tables are there, as they were; for who has used them before. Errors: those of
/// PrepareSchema, kUnavailable (they are gone).
Result<Schema> FindSchema(Connection& connection);

/// Begins a transaction that no other change of the tables overlaps. Every wait for a lock in it ends after 200 ms,
/// with an error. False, and no transaction: somebody changes them now.
Result<bool> BeginAlone(Connection& connection);

/// Ok if a router may use it: no copy of it, or into it, was made that speaks against that. Errors: those of
/// hookswitch::CheckUsable.
Status CheckUsable(Connection& connection);

/// Creates the partitions `part` (0, 1, …), if they are not there.
Status MakePart(Connection& connection, std::int64_t part);
/// Likewise, and the next numbers of events and of deliveries are in it, unless they are already beyond its beginning.
Status MoveTo(Connection& connection, std::int64_t part);
/// The second half of MoveTo, in a transaction under way. Waits for all transactions that have taken numbers
/// (kTakesNumbers), so that what is before it gets no new events.
void SendMoveTo(Connection& connection, std::int64_t part);
/// Comes first in a transaction that takes numbers.
inline constexpr std::string_view kTakesNumbers = "LOCK TABLE ONLY @event IN ROW EXCLUSIVE MODE";

}  // namespace hookswitch::pg
