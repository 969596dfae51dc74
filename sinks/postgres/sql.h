#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "connection.h"
#include "hookswitch/sink.hpp"

namespace postgres {

/// `table` or `schema.table` as identifiers, each with or without quotes, as written.
std::string Quoted(std::string_view table);
/// The statements that make the table. A table of the user's own needs the same columns and the key.
std::vector<std::string> CreateTable(std::string_view table);
/// The statement that writes the event $1, a normalized event as JSON, or writes it anew.
std::string Upsert(std::string_view table);

/// The row of an event for people, a column a line.
std::string RowOf(const hsw::Delivery& delivery);

/// JSON without the character U+0000, which PostgreSQL does not store.
std::string WithoutNul(std::string_view json);

hsw::Outcome OutcomeOf(const Answer& answer);

}  // namespace postgres
