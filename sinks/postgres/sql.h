#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "hookswitch/sink.hpp"

namespace postgres {

/// `table` or `schema.table` as identifiers, each with or without quotes, as written.
std::string Quoted(std::string_view table);
/// The statements that create the table. A user's own table needs the same columns and key.
std::vector<std::string> CreateTable(std::string_view table);
/// The statement that inserts or overwrites the event $1, a normalized event as JSON.
std::string Upsert(std::string_view table);

/// An event's row for people, one column per line.
std::string RowOf(const hsw::Delivery& delivery);

/// JSON without U+0000, which PostgreSQL cannot store.
std::string WithoutNul(std::string_view json);

hsw::Outcome OutcomeOf(const Answer& answer);

}  // namespace postgres
