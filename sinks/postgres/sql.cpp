#include "sql.h"

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

/// Of a SQLSTATE (PostgreSQL's manual, appendix A).
enum class Class { kRetry, kRejected, kAccount, kDatabase, kTable };

Class ClassOf(std::string_view sqlstate) {
  const auto group = sqlstate.substr(0, 2);
  if (sqlstate == "28P01" || group == "28") return Class::kAccount;
  if (sqlstate == "3D000") return Class::kDatabase;
  if (group == "42" || group == "3F") return Class::kTable;
  if (group == "22" || group == "23" || group == "54") return Class::kRejected;
  return Class::kRetry;  // 08 connection, 25006 read-only, 40 conflicts, 53 resources, 57 shutdown, XX …
}

}  // namespace

std::string Quoted(std::string_view table) {
  std::string out = "\"";
  for (const char c : table) {
    if (c == '.') {
      out += "\".\"";
    } else {
      out += c;
    }
  }
  return out + '"';
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
    if (answer.message.find("certificate") != std::string::npos) {
      return hsw::Outcome::Misconfigured("bad_certificate", "the database's certificate is not trusted" + why,
                                         "check host, sslmode and sslrootcert in connection");
    }
    auto outcome =
        hsw::Outcome::Retry(answer.lost ? "connection_lost" : "connect_failed", "no connection to the database" + why);
    if (answer.lost) outcome.MaybeDelivered();
    return outcome;
  }
  const std::string code = "sqlstate_" + answer.sqlstate;
  switch (ClassOf(answer.sqlstate)) {
    case Class::kAccount:
      return hsw::Outcome::Misconfigured(code, "the database does not accept the account" + why,
                                         "check user and password in connection, and the server's pg_hba.conf");
    case Class::kDatabase:
      return hsw::Outcome::Misconfigured(code, "the database does not exist" + why, "check dbname in connection");
    case Class::kTable:
      return hsw::Outcome::Misconfigured(
          code, "the table cannot be written" + why,
          "check table, that it has the columns and the key of sinks/postgres/README.md, "
          "and that the user may write it");
    case Class::kRejected: return hsw::Outcome::Rejected(code, "the database refuses the event" + why);
    case Class::kRetry: break;
  }
  return hsw::Outcome::Retry(code, "the database cannot take it now" + why);
}

}  // namespace postgres
