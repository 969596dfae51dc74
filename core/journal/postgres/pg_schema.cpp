#include "core/journal/postgres/pg_schema.h"

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/copy/copy_mark.h"

namespace hookswitch::pg {
namespace {

// Step n migrates from version n to n + 1. A released step is never changed.
//
// All that came from outside is bytea: it may hold zeros and broken UTF-8. Times are milliseconds since 1970. Nothing
// on the accept path is updated, and no table is searched for work: what is open is found by `delivery_open`, once, by
// whoever takes over. An event's deliveries have consecutive numbers (first_delivery, deliveries) or stand in `more`.
// `config_use` has which configs the events of a partition may name, counter.removed how many events were ever removed.
constexpr std::array kSteps = {
    R"sql(
CREATE TABLE @meta(key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE @counter(only_one bool PRIMARY KEY DEFAULT true CHECK (only_one), removed bigint NOT NULL DEFAULT 0);
INSERT INTO @counter VALUES(true);
CREATE SEQUENCE @event_number;
CREATE SEQUENCE @delivery_number;
CREATE TABLE @router(number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
  instance bigint NOT NULL, seen timestamptz NOT NULL, version bytea NOT NULL DEFAULT '', config bytea NOT NULL DEFAULT '',
  sinks bytea NOT NULL DEFAULT '', reload bigint NOT NULL DEFAULT 0);
CREATE TABLE @lease(name text PRIMARY KEY, router integer NOT NULL, instance bigint NOT NULL, epoch bigint NOT NULL,
  expires timestamptz NOT NULL);
CREATE TABLE @batch(router integer NOT NULL, number bigint NOT NULL, token bigint NOT NULL, PRIMARY KEY(router, number));
CREATE TABLE @news(router integer NOT NULL, number bigint NOT NULL, stored timestamptz NOT NULL DEFAULT clock_timestamp(),
  newest_refused bigint NOT NULL, has_memory bigint NOT NULL, events bigint[] NOT NULL, opened bigint[] NOT NULL,
  canceled bigint[] NOT NULL, recorded bigint[] NOT NULL, revised bigint[] NOT NULL, ended bigint[] NOT NULL,
  sinks bytea NOT NULL, PRIMARY KEY(router, number));
CREATE TABLE @event(seq bigint NOT NULL, received_ms bigint NOT NULL, call_key bigint NOT NULL, content bigint NOT NULL,
  config bigint NOT NULL, first_delivery bigint NOT NULL, deliveries bigint NOT NULL, revisions bigint NOT NULL DEFAULT 0,
  source bytea NOT NULL, call_id bytea NOT NULL, agent bytea NOT NULL, status bytea NOT NULL, note bytea NOT NULL,
  headers bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY(seq)) PARTITION BY RANGE(seq);
CREATE TABLE @dedup(digest bytea PRIMARY KEY, event bigint NOT NULL);
CREATE TABLE @delivery(seq bigint NOT NULL, event bigint NOT NULL, call_key bigint NOT NULL, accepted_ms bigint NOT NULL,
  replayed_ms bigint NOT NULL DEFAULT 0, due_ms bigint NOT NULL, first_failed_ms bigint NOT NULL DEFAULT 0,
  fallback bigint NOT NULL DEFAULT 0, state smallint NOT NULL, flags smallint NOT NULL, attempts integer NOT NULL DEFAULT 0,
  step integer NOT NULL DEFAULT 0, sink bytea NOT NULL, rule bytea NOT NULL, template bytea NOT NULL,
  carried bytea NOT NULL DEFAULT '', story bytea NOT NULL DEFAULT '', code bytea NOT NULL DEFAULT '',
  because bytea NOT NULL DEFAULT '', PRIMARY KEY(seq)) PARTITION BY RANGE(seq);
CREATE INDEX delivery_open ON @delivery(seq) WHERE state < 2;
CREATE INDEX delivery_dead ON @delivery(seq) WHERE state = 3;
CREATE TABLE @more(event bigint NOT NULL, delivery bigint NOT NULL, PRIMARY KEY(event, delivery));
CREATE SEQUENCE @attempt_seq;
CREATE TABLE @attempt(delivery bigint NOT NULL, seq bigint NOT NULL DEFAULT nextval('@attempt_seq'), number integer NOT NULL,
  trigger_kind smallint NOT NULL, started_ms bigint NOT NULL, latency_ms bigint NOT NULL, kind smallint NOT NULL,
  may_have_been_delivered smallint NOT NULL, http_status integer NOT NULL, connect_ms bigint NOT NULL,
  first_byte_ms bigint NOT NULL, code bytea NOT NULL, reason bytea NOT NULL, action bytea NOT NULL,
  remote_id bytea NOT NULL, request bytea NOT NULL, response bytea NOT NULL, waits bytea NOT NULL,
  PRIMARY KEY(delivery, seq)) PARTITION BY RANGE(delivery);
CREATE TABLE @revision(event bigint NOT NULL, number bigint NOT NULL, until_ms bigint NOT NULL, headers bytea NOT NULL,
  body bytea NOT NULL, PRIMARY KEY(event, number));
CREATE TABLE @memory(sink bytea NOT NULL, call_key bigint NOT NULL, event bigint NOT NULL, text bytea NOT NULL,
  PRIMARY KEY(sink, call_key));
CREATE TABLE @lane(sink bytea PRIMARY KEY, due_ms bigint NOT NULL DEFAULT 0, paused smallint NOT NULL DEFAULT 0,
  until_ms bigint NOT NULL DEFAULT 0, because bytea NOT NULL DEFAULT '');
CREATE TABLE @config(number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hash bytea NOT NULL UNIQUE,
  since_ms bigint NOT NULL, text bytea NOT NULL);
CREATE TABLE @config_use(part bigint NOT NULL, config bigint NOT NULL, PRIMARY KEY(part, config));
CREATE TABLE @refused(number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at_ms bigint NOT NULL, source bytea NOT NULL,
  peer bytea NOT NULL, http_status integer NOT NULL, error bytea NOT NULL, detail bytea NOT NULL, path bytea NOT NULL);
CREATE TABLE @action(number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at_ms bigint NOT NULL, who bytea NOT NULL,
  peer bytea NOT NULL, action bytea NOT NULL, target bytea NOT NULL, detail bytea NOT NULL, http_status integer NOT NULL,
  result bytea NOT NULL);
)sql",
};
constexpr std::int64_t kVersion = kSteps.size();

// Of a transaction that changes tables, so that one router does it; any number that nobody else is likely to use.
constexpr std::int64_t kLock = 0x686f6f6b73776974;

std::string RandomSalt() {
  return std::to_string(std::random_device()() & 0xffff);
}

/// The statements of a script, which end with ";" at the end of a line.
std::vector<std::string_view> StatementsOf(std::string_view script) {
  std::vector<std::string_view> statements;
  for (std::size_t end = 0; (end = script.find(";\n")) != std::string_view::npos; script.remove_prefix(end + 2)) {
    statements.push_back(script.substr(0, end));
  }
  return statements;
}

/// 0: there are no tables yet. After it the transaction stays usable.
Result<std::int64_t> VersionOf(Connection& connection) {
  const auto there = connection.Run("SELECT to_regclass('@meta') IS NOT NULL");
  if (!there) return there.error();
  if (there->Int(0, 0) == 0) return std::int64_t{0};
  const auto found = connection.Run(
      "SELECT value::bigint, (SELECT value FROM @meta WHERE key = 'written_by') FROM @meta WHERE key = "
      "'schema_version'");
  if (!found) return found.error();
  if (found->rows() == 0) return Error{ErrorCode::kInvalid, "its table meta does not say which schema_version it has"};
  const std::int64_t version = found->Int(0, 0);
  if (version <= kVersion) return version;
  return Error{ErrorCode::kUnsupported, "hookswitch " + std::string(found->Bytes(0, 1)) + " wrote it (schema_version " +
                                            std::to_string(version) + "), this is " HSW_VERSION " (schema_version " +
                                            std::to_string(kVersion) +
                                            "): run that version or a later one, or name another schema"};
}

Status SendParts(Connection& connection, std::int64_t part) {
  const std::string from = std::to_string(part * kPartSize), to = std::to_string((part + 1) * kPartSize);
  for (const char* table : {"event", "delivery", "attempt"}) {
    // To attach a table takes no lock that a reader of the others would wait for; to create it in its place does.
    const std::string parent = "@" + std::string(table), child = parent + "_" + std::to_string(part);
    connection.Send("CREATE TABLE " + child + " (LIKE " + parent + " INCLUDING DEFAULTS INCLUDING STORAGE)");
    connection.Send("ALTER TABLE " + parent + " ATTACH PARTITION " + child + " FOR VALUES FROM (" + from + ") TO (" +
                    to + ")");
  }
  auto sent = connection.Receive();
  if (!sent) return std::move(sent).error();
  return Ok();
}

/// Runs `change` in a transaction that no other router's overlaps.
template <class Change>
Status Alone(Connection& connection, Change change) {
  const auto run = [&]() -> Status {
    connection.Begin();
    connection.Send("SELECT pg_advisory_xact_lock($1)", Params().Add(kLock));
    if (auto begun = connection.Receive(); !begun) return std::move(begun).error();
    HSW_TRY(change());
    if (auto done = connection.Run("COMMIT"); !done) return std::move(done).error();
    return Ok();
  };
  Status done = run();
  if (!done) connection.Rollback();
  return done;
}

Status Migrate(Connection& connection) {
  const auto from = VersionOf(connection);
  if (!from) return from.error();
  if (*from == kVersion) return Ok();
  for (std::int64_t step = *from; step < kVersion; ++step) {
    for (const std::string_view statement : StatementsOf(kSteps[static_cast<std::size_t>(step)])) {
      connection.Send(statement);
    }
  }
  const auto set = [&](const std::string& key, const std::string& value) {
    connection.Send("INSERT INTO @meta VALUES('" + key + "', '" + value +
                    "') ON CONFLICT(key) DO UPDATE SET value = '" + value + "'");
  };
  if (*from == 0) set("salt", RandomSalt());
  set("schema_version", std::to_string(kVersion));
  set("written_by", HSW_VERSION);
  if (auto done = connection.Receive(); !done) return std::move(done).error();
  return *from == 0 ? SendParts(connection, 0) : Ok();
}

Status MakeSchema(Connection& connection) {
  const auto there =
      connection.Run("SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = convert_from($1, 'UTF8'))",
                     Params().Add(connection.schema()));
  if (!there) return there.error();
  if (there->Int(0, 0) != 0) return Ok();
  auto made = connection.Run("CREATE SCHEMA IF NOT EXISTS " + connection.quoted_schema());
  if (!made) {
    return Error{made.error().code, made.error().message + "; have its owner create it: CREATE SCHEMA " +
                                        connection.quoted_schema() + " AUTHORIZATION <the user of the URL>"};
  }
  return Ok();
}

}  // namespace

Result<Schema> PrepareSchema(Connection& connection) {
  HSW_TRY(MakeSchema(connection));
  auto version = VersionOf(connection);
  if (!version) return version.error();
  if (*version < kVersion) HSW_TRY(Alone(connection, [&] { return Migrate(connection); }));
  return FindSchema(connection);
}

Result<Schema> FindSchema(Connection& connection) {
  const auto version = VersionOf(connection);
  if (!version) return version.error();
  if (*version == 0) return Error{ErrorCode::kUnavailable, "its tables are gone: restore them, or restart the router"};
  const auto salt = connection.Run("SELECT value::bigint FROM @meta WHERE key = 'salt'");
  if (!salt) return salt.error();
  if (salt->rows() == 0) return Error{ErrorCode::kInvalid, "its table meta has no salt"};
  return Schema{static_cast<std::uint16_t>(salt->Int(0, 0))};
}

Result<bool> BeginAlone(Connection& connection) {
  connection.Begin();
  connection.Send("SET LOCAL lock_timeout = '200ms'");
  connection.Send("LOCK TABLE ONLY @batch IN ROW EXCLUSIVE MODE");  // by which Writer::EndStuck knows it
  connection.Send("SELECT pg_try_advisory_xact_lock($1)", Params().Add(kLock));
  const auto begun = connection.Receive();
  if (!begun) return begun.error();
  if (begun->back().Int(0, 0) != 0) return true;
  connection.Rollback();
  return false;
}

Status CheckUsable(Connection& connection) {
  const auto mark = connection.Run("SELECT convert_to(value, 'UTF8') FROM @meta WHERE key = 'copy'");
  if (!mark) return mark.error();
  return hookswitch::CheckUsable(mark->rows() == 0 ? std::string_view() : mark->Bytes(0, 0));
}

Status MakePart(Connection& connection, std::int64_t part) {
  return Alone(connection, [&]() -> Status {
    const auto there = connection.Run("SELECT to_regclass('@event_" + std::to_string(part) + "') IS NOT NULL");
    if (!there) return there.error();
    if (there->Int(0, 0) != 0) return Ok();
    return SendParts(connection, part);
  });
}

void SendMoveTo(Connection& connection, std::int64_t part) {
  connection.Send("LOCK TABLE ONLY @event IN SHARE MODE");
  for (const char* sequence : {"@event_number", "@delivery_number"}) {
    connection.Send(
        "SELECT setval('" + std::string(sequence) + "', $1, false) FROM " + sequence + " WHERE last_value < $1",
        Params().Add(part * kPartSize));
  }
}

Status MoveTo(Connection& connection, std::int64_t part) {
  HSW_TRY(MakePart(connection, part));
  return Alone(connection, [&]() -> Status {
    SendMoveTo(connection, part);
    if (auto moved = connection.Receive(); !moved) return std::move(moved).error();
    return Ok();
  });
}

}  // namespace hookswitch::pg
