#include "sql.h"

#include <algorithm>
#include <array>

namespace postgres {
namespace {

struct Column {
  std::string_view name, type, from_event;
};

constexpr std::array kColumns = {
    Column{"event_id", "text PRIMARY KEY", "e->>'id'"},
    Column{"call_id", "text", "e->>'call_id'"},
    Column{"source", "text", "e->>'source'"},
    Column{"agent", "text", "coalesce(e->'agent'->>'name', e->'agent'->>'id')"},
    Column{"status", "text", "e->>'status'"},
    Column{"started_at", "timestamptz", "(e->>'started_at')::timestamptz"},
    Column{"ended_at", "timestamptz", "(e->>'ended_at')::timestamptz"},
    Column{"duration", "double precision", "(e->>'duration')::double precision"},
    Column{"received_at", "timestamptz", "(e->>'received_at')::timestamptz"},
    Column{"event", "jsonb NOT NULL", "e"},
};

/// What an error is about. All events of the sink share account, database and table.
enum class About {
  kLater,  ///< temporary: the same may pass later
  kEvent,  ///< a value of this event
  kAccount,
  kDatabase,
  kTable,
  kPartition,  ///< the table, for events of this kind
  kUnknown,
};

struct State {
  std::string_view sqlstate;  ///< five characters, or a class of two
  About about;
};

// PostgreSQL's manual, appendix A. The first match counts; others are temporary: 08 connection, 25 read-only, 40
// conflicts, 53 resources, 55 locks, 57 shutdown, 58 system, XX …
constexpr std::array kStates = {
    State{"28", About::kAccount},      // authentication
    State{"3D000", About::kDatabase},  // no such database
    State{"0A000", About::kTable},     // not supported by this kind of table
    State{"3F", About::kTable},        // no such schema
    State{"42", About::kTable},        // no such table, column, key or right
    State{"55000", About::kTable},     // not insertable
    State{"22", About::kEvent},        // a value that the column does not accept
    State{"23", About::kEvent},        // a constraint: see AboutOf
    State{"44", About::kEvent},        // the check of a view
    State{"54", About::kEvent},        // too large for an index, a row
    State{"2F", About::kUnknown},      // the user's functions and triggers
    State{"38", About::kUnknown},     State{"39", About::kUnknown}, State{"P0", About::kUnknown},
};

About AboutOf(const Answer& answer) {
  if (answer.sqlstate == "23514" && answer.constraint.empty()) return About::kPartition;
  // A column that the sink does not fill fails for every event.
  if (answer.sqlstate == "23502") {
    const bool ours =
        std::any_of(kColumns.begin(), kColumns.end(), [&](const Column& c) { return c.name == answer.column; });
    return ours ? About::kEvent : About::kTable;
  }
  for (const State& state : kStates) {
    if (answer.sqlstate.starts_with(state.sqlstate)) return state.about;
  }
  return About::kLater;
}

/// libpq's messages, without a locale, for failures before the server has responded.
struct Words {
  std::string_view words, code, what, action;
};
constexpr std::string_view kCheckTls = "check host, sslmode and sslrootcert in connection";
constexpr std::string_view kCheckAccount = "check user and password in connection, and the server's pg_hba.conf";
constexpr std::array kWords = {
    Words{"certificate", "bad_certificate", "the database's certificate is not trusted", kCheckTls},
    Words{"does not support SSL", "no_tls", "the database does not encrypt", kCheckTls},
    Words{"no password supplied", "no_password", "the database does not accept the account", kCheckAccount},
    Words{"authentication method", "bad_authentication", "the database does not accept the account", kCheckAccount},
    Words{"channel binding", "bad_authentication", "the database does not accept the account", kCheckAccount},
    Words{"invalid port number", "bad_connection", "libpq does not take the connection's settings", "check connection"},
    Words{"invalid sslmode", "bad_connection", "libpq does not take the connection's settings", "check connection"},
    Words{"invalid target_session_attrs", "bad_connection", "libpq does not take the connection's settings",
          "check connection"},
};

}  // namespace

std::string Quoted(std::string_view table) {
  std::string out;
  bool quoted = false;
  for (const char c : table) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      out += "\".\"";
    } else {
      out += c;
    }
  }
  return '"' + out + '"';
}

std::vector<std::string> CreateTable(std::string_view table) {
  std::string columns;
  for (const Column& column : kColumns) {
    columns.append(columns.empty() ? "" : ", ").append(column.name).append(" ").append(column.type);
  }
  return {"CREATE TABLE IF NOT EXISTS " + Quoted(table) + " (" + columns + ")",
          "CREATE INDEX ON " + Quoted(table) + " (call_id)", "CREATE INDEX ON " + Quoted(table) + " (received_at)"};
}

std::string Upsert(std::string_view table) {
  std::string names, values, changes;
  for (const Column& column : kColumns) {
    const char* comma = names.empty() ? "" : ", ";
    names.append(comma).append(column.name);
    values.append(comma).append(column.from_event);
    if (column.name == "event_id") continue;
    changes.append(changes.empty() ? "" : ", ").append(column.name).append(" = EXCLUDED.").append(column.name);
  }
  return "INSERT INTO " + Quoted(table) + " (" + names + ") SELECT " + values +
         " FROM (SELECT $1::jsonb AS e) AS given ON CONFLICT (event_id) DO UPDATE SET " + changes;
}

std::string RowOf(const hsw::Delivery& delivery) {
  std::string row;
  for (const Column& column : kColumns) {
    const auto value = column.name == "event"      ? delivery.EventJson()
                       : column.name == "event_id" ? delivery.Value("/id")
                       : column.name == "agent"    ? delivery.Value("/agent/name")
                                                   : delivery.Value("/" + std::string(column.name));
    const auto agent_id = column.name == "agent" && !value ? delivery.Value("/agent/id") : std::nullopt;
    row.append(column.name).append(" = ").append(value ? *value : agent_id.value_or("NULL")).append("\n");
  }
  return row;
}

std::string WithoutNul(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i++];
    } else if (json.substr(i, 6) == "\\u0000") {
      i += 6;
    } else {
      out += json.substr(i, 2);
      i += 2;
    }
  }
  return out;
}

hsw::Outcome OutcomeOf(const Answer& answer) {
  if (answer.ok) return hsw::Outcome::Delivered();
  if (answer.canceled) return hsw::Outcome::Retry("canceled", "hookswitch was stopping").MaybeDelivered();
  if (answer.timed_out) return hsw::Outcome::Retry("timeout", "the database did not answer in time").MaybeDelivered();
  const std::string why = ": " + answer.message;
  if (answer.sqlstate.empty()) {
    for (const Words& known : kWords) {
      if (answer.lost || answer.message.find(known.words) == std::string::npos) continue;
      return hsw::Outcome::Misconfigured(std::string(known.code), std::string(known.what) + why,
                                         std::string(known.action))
          .OfSink();
    }
    auto outcome =
        hsw::Outcome::Retry(answer.lost ? "connection_lost" : "connect_failed", "no connection to the database" + why);
    if (answer.lost) outcome.MaybeDelivered();
    return outcome;
  }
  const std::string code = "sqlstate_" + answer.sqlstate;
  switch (AboutOf(answer)) {
    case About::kAccount:
      return hsw::Outcome::Misconfigured(code, "the database does not accept the account" + why,
                                         std::string(kCheckAccount))
          .OfSink();
    case About::kDatabase:
      return hsw::Outcome::Misconfigured(code, "the database does not exist" + why, "check dbname in connection")
          .OfSink();
    case About::kTable:
      return hsw::Outcome::Misconfigured(
                 code, "the table cannot be written" + why,
                 "check table, that it has the columns and the key of sinks/postgres/README.md, "
                 "and that the user may write it")
          .OfSink();
    case About::kPartition:
      return hsw::Outcome::Misconfigured(code, "the table has no partition for the event" + why,
                                         "make the partition, or a default one");
    case About::kUnknown:
      return hsw::Outcome::Misconfigured(code, "a function or a trigger of the table refuses the event" + why,
                                         "see what the database's log says of it");
    case About::kEvent: return hsw::Outcome::Rejected(code, "the database refuses the event" + why);
    case About::kLater: break;
  }
  return hsw::Outcome::Retry(code, "the database cannot take it now" + why);
}

}  // namespace postgres
