#include "core/journal/schema.h"

#include <array>
#include <random>
#include <string>

namespace hookswitch {
namespace {

// Step n migrates from version n to n + 1. A released step is never changed.
//
// Everything an event writes is appended under an integer key. No table has another index, except one of the few rows
// that are dead: each would cost the accept path a random page per row (half of the throughput). Attempts form a chain
// from their delivery (last_attempt, previous); an event's deliveries have consecutive numbers (first_delivery,
// deliveries) or are found by `fallback` or `replay`. A delivery's row reserves space for its first update, so that
// full pages do not split. Bodies have their own table, so that listing events and loading digests reads little.
constexpr std::array kSteps = {
    R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE event(
  seq INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, dedup BLOB NOT NULL, call_key INTEGER NOT NULL,
  first_delivery INTEGER NOT NULL, deliveries INTEGER NOT NULL,
  source TEXT NOT NULL, call_id TEXT NOT NULL, agent TEXT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE raw(
  seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE delivery(
  seq INTEGER PRIMARY KEY, event INTEGER NOT NULL, call_key INTEGER NOT NULL, accepted_ms INTEGER NOT NULL,
  state INTEGER NOT NULL, due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, step INTEGER NOT NULL,
  last_attempt INTEGER NOT NULL, fallback INTEGER NOT NULL, is_fallback INTEGER NOT NULL,
  sink TEXT NOT NULL, rule TEXT NOT NULL, template TEXT NOT NULL,
  carried TEXT NOT NULL, room BLOB NOT NULL);
CREATE TABLE attempt(
  seq INTEGER PRIMARY KEY, previous INTEGER NOT NULL, delivery INTEGER NOT NULL, number INTEGER NOT NULL,
  started_ms INTEGER NOT NULL, latency_ms INTEGER NOT NULL, kind INTEGER NOT NULL,
  may_have_been_delivered INTEGER NOT NULL, http_status INTEGER NOT NULL,
  code TEXT NOT NULL, reason TEXT NOT NULL, action TEXT NOT NULL, remote_id TEXT NOT NULL);
CREATE TABLE memory(
  sink TEXT NOT NULL, call_key INTEGER NOT NULL, event INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(sink, call_key)) WITHOUT ROWID;
CREATE TABLE lane(sink TEXT PRIMARY KEY, due_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refused(
  slot INTEGER PRIMARY KEY, number INTEGER NOT NULL, at_ms INTEGER NOT NULL, source TEXT NOT NULL, peer TEXT NOT NULL,
  http_status INTEGER NOT NULL, error TEXT NOT NULL, detail TEXT NOT NULL);
INSERT INTO meta VALUES('next_event', 1), ('next_delivery', 1), ('pending_floor', 1);
)sql",
    // `flags`: see rows.h. `code`, `because`: reason for a state that no attempt caused. `replay`: an event's
    // deliveries that neither its own numbers nor `fallback` lead to; few, so its key need not be append-only.
    R"sql(
ALTER TABLE delivery ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN story TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN because TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN "trigger" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN response TEXT NOT NULL DEFAULT '';
ALTER TABLE lane ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
CREATE TABLE replay(
  event INTEGER NOT NULL, first_delivery INTEGER NOT NULL, deliveries INTEGER NOT NULL,
  PRIMARY KEY(event, first_delivery)) WITHOUT ROWID;
)sql",
    // `content`: checksum that distinguishes a duplicate from a revision; 0: unknown. `revision`: earlier revisions of
    // an event; few, so its key need not be append-only.
    R"sql(
ALTER TABLE event ADD COLUMN content INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN revisions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN first_failed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN replayed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN until_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN because TEXT NOT NULL DEFAULT '';
ALTER TABLE refused ADD COLUMN path TEXT NOT NULL DEFAULT '';
CREATE TABLE revision(
  event INTEGER NOT NULL, number INTEGER NOT NULL, until_ms INTEGER NOT NULL, headers TEXT NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY(event, number)) WITHOUT ROWID;
)sql",
    // `config`: what decides how events are read and routed, without secrets; event.config is its number, 0: unknown.
    // `waits`: what an attempt waited for, "pace 1200,order 40" (milliseconds). `connect_ms`, `first_byte_ms`: -1:
    // unknown. `action`: what operators did. `delivery_dead`: dead deliveries (DeliveryState::kDead), which are few.
    R"sql(
ALTER TABLE event ADD COLUMN config INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN waits TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN connect_ms INTEGER NOT NULL DEFAULT -1;
ALTER TABLE attempt ADD COLUMN first_byte_ms INTEGER NOT NULL DEFAULT -1;
CREATE TABLE config(
  number INTEGER PRIMARY KEY, hash BLOB NOT NULL, since_ms INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE action(
  number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, peer TEXT NOT NULL, action TEXT NOT NULL,
  target TEXT NOT NULL, detail TEXT NOT NULL, http_status INTEGER NOT NULL, result TEXT NOT NULL);
CREATE INDEX delivery_dead ON delivery(seq) WHERE state = 3;
)sql",
};
constexpr std::int64_t kVersion = kSteps.size();
constexpr std::string_view kSelectVersion = "SELECT value FROM meta WHERE key = 'schema_version'";

std::int64_t RandomSalt() {
  return std::random_device()() & 0xffff;
}

Status Migrate(Database& db, std::int64_t from) {
  HSW_TRY(db.Exec("BEGIN IMMEDIATE"));
  for (std::int64_t step = from; step < kVersion; ++step) {
    HSW_TRY(db.Exec(kSteps[static_cast<std::size_t>(step)]));
  }
  if (from == 0) {
    const std::string salt = "INSERT INTO meta VALUES('salt', " + std::to_string(RandomSalt()) + ")";
    HSW_TRY(db.Exec(salt.c_str()));
  }
  const std::string version = "INSERT OR REPLACE INTO meta VALUES('schema_version', " + std::to_string(kVersion) +
                              "), ('written_by', '" HSW_VERSION "')";
  HSW_TRY(db.Exec(version.c_str()));
  return db.Exec("COMMIT");
}

/// The version of the tables; 0: the file is empty.
Result<std::int64_t> VersionOf(Database& db) {
  const auto tables = db.QueryInt("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  std::int64_t version = 0;
  if (*tables != 0) {
    const auto ours = db.QueryInt("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'event', 'delivery')");
    if (!ours) return ours.error();
    if (*ours != 3) return Error{ErrorCode::kInvalid, "it is a SQLite database, but not a journal of hookswitch"};
    const auto found = db.QueryInt(kSelectVersion);
    if (!found) return found.error();
    version = *found;
    if (version < 1) return Error{ErrorCode::kInvalid, "its table meta does not say which schema_version it has"};
  }
  if (version > kVersion) {
    std::string writer = "a newer one";
    if (auto ask = db.Prepare("SELECT value FROM meta WHERE key = 'written_by'"); ask) {
      if (const auto row = ask->Next(); row && *row) writer = std::string(ask->Bytes(0));
    }
    return Error{ErrorCode::kUnsupported, "hookswitch " + writer + " wrote it (schema_version " +
                                              std::to_string(version) + "), this is " HSW_VERSION " (schema_version " +
                                              std::to_string(kVersion) +
                                              "): run that version or a later one, or name another journal.path"};
  }
  return version;
}

}  // namespace

Status CheckSchema(Database& db) {
  const auto version = VersionOf(db);
  if (!version) return version.error();
  if (*version == kVersion) return Ok();
  if (*version == 0) return Error{ErrorCode::kInvalid, "it is empty"};
  return Error{ErrorCode::kUnsupported, "an earlier hookswitch wrote it (schema_version " + std::to_string(*version) +
                                            "): `hookswitch serve` brings it up to date"};
}

Result<Schema> PrepareSchema(Database& db) {
  const auto version = VersionOf(db);
  if (!version) return version.error();
  if (*version < kVersion) {
    if (Status migrated = Migrate(db, *version); !migrated) {
      (void)db.Exec("ROLLBACK");
      return migrated.error();
    }
  }
  const auto salt = db.QueryInt("SELECT value FROM meta WHERE key = 'salt'");
  if (!salt) return salt.error();
  return Schema{static_cast<std::uint16_t>(*salt), kVersion, *version};
}

}  // namespace hookswitch
