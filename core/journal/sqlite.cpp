#include "core/journal/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace hookswitch {
namespace {

ErrorCode CodeOf(int primary) {
  switch (primary) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return ErrorCode::kInvalid;
    case SQLITE_TOOBIG: return ErrorCode::kTooLarge;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE: return ErrorCode::kInternal;
    default: return ErrorCode::kUnavailable;
  }
}

Error FaultOf(sqlite3* db, int code) {
  const int primary = code & 0xff;
  std::string text = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  if (const int os = db != nullptr ? sqlite3_system_errno(db) : 0; os != 0 && primary == SQLITE_IOERR) {
    text += " (errno " + std::to_string(os) + ")";
  }
  return {CodeOf(primary), std::move(text)};
}

}  // namespace

Statement::~Statement() {
  sqlite3_finalize(stmt_);
}

Statement::Statement(Statement&& other) noexcept
    : stmt_(std::exchange(other.stmt_, nullptr)), unbound_(other.unbound_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(stmt_, other.stmt_);
  std::swap(unbound_, other.unbound_);
  return *this;
}

Result<bool> Statement::Step() {
  // A parameter that was not bound keeps its last value: running would store something else.
  if (unbound_ != SQLITE_OK) [[unlikely]] {
    sqlite3_reset(stmt_);
    return Error{CodeOf(unbound_ & 0xff), sqlite3_errstr(unbound_)};
  }
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) [[likely]]
    return false;
  sqlite3* db = sqlite3_db_handle(stmt_);
  Error fault = FaultOf(db, sqlite3_extended_errcode(db));
  sqlite3_reset(stmt_);
  return fault;
}

Status Statement::Run() {
  const auto row = Step();
  if (!row) return row.error();
  sqlite3_reset(stmt_);
  return Ok();
}

Result<bool> Statement::Next() {
  auto row = Step();
  if (row && !*row) sqlite3_reset(stmt_);
  return row;
}

void Statement::Reset() {
  sqlite3_reset(stmt_);
}

std::int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(stmt_, column);
}

std::string_view Statement::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(stmt_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}

void Statement::BindOne(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(stmt_, index, value); code != SQLITE_OK) unbound_ = code;
}

// A null pointer would be bound as NULL.
void Statement::BindOne(int index, std::string_view text) {
  const char* start = text.data() != nullptr ? text.data() : "";
  const int code = sqlite3_bind_text64(stmt_, index, start, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) unbound_ = code;
}

void Statement::BindOne(int index, Blob blob) {
  const char* start = blob.bytes.data() != nullptr ? blob.bytes.data() : "";
  const int code = sqlite3_bind_blob64(stmt_, index, start, blob.bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) unbound_ = code;
}

Database::~Database() {
  Close();
}

Database::Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  return *this;
}

Result<Database> Database::Open(const std::string& path, Mode mode) {
  // SQLite would count its memory, which costs a lock for each allocation, and an event takes some thirty of them.
  // Refused, which does no harm, where something else in the process has used SQLite before.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* db = nullptr;
  // A reader needs a writable handle too: reading a write-ahead log takes locks in its shared memory.
  const int code = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database opened(db);
  if (code != SQLITE_OK) return FaultOf(db, code);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 2000);
  if (mode == Mode::kRead) {
    HSW_TRY(opened.Exec("PRAGMA query_only = 1; PRAGMA cell_size_check = 1"));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  return opened;
}

Status Database::Exec(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return Ok();
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return Statement(stmt);
}

Result<std::int64_t> Database::Ask(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return std::move(statement).error();
  auto row = statement->Next();
  if (!row) return std::move(row).error();
  return *row ? statement->Int(0) : 0;
}

Result<std::string> Database::AskText(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return std::move(statement).error();
  auto row = statement->Next();
  if (!row) return std::move(row).error();
  return *row ? std::string(statement->Bytes(0)) : std::string();
}

std::int64_t Database::Changes() const {
  return sqlite3_changes64(db_);
}

std::int64_t Database::LastInsertRowid() const {
  return sqlite3_last_insert_rowid(db_);
}

void Database::WatchLog(int* frames) {
  sqlite3_wal_hook(
      db_,
      [](void* target, sqlite3*, const char*, int pages) {
        *static_cast<int*>(target) = pages;
        return SQLITE_OK;
      },
      frames);
}

Result<Database::Checkpoint> Database::MoveLog() {
  Checkpoint result;
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &result.frames, &result.moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY) return FaultOf(db_, code);
  return result;
}

Status Database::EmptyLog() {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_BUSY) return Error{ErrorCode::kUnavailable, "another program is reading it"};
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return Ok();
}

Status Database::CopyTo(Database& target) {
  sqlite3_backup* copy = sqlite3_backup_init(target.db_, "main", db_, "main");
  if (copy == nullptr) return FaultOf(target.db_, sqlite3_extended_errcode(target.db_));
  const int stepped = sqlite3_backup_step(copy, -1);
  const int finished = sqlite3_backup_finish(copy);
  if (stepped != SQLITE_DONE || finished != SQLITE_OK) {
    return Error{ErrorCode::kUnavailable, sqlite3_errstr(finished != SQLITE_OK ? finished : stepped)};
  }
  return Ok();
}

Status Database::Sync() {
  // By SQLite's own file handle: closing one of ours would drop the locks that SQLite holds on the file.
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code == SQLITE_OK) code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return Ok();
}

void Database::Close() {
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

}  // namespace hookswitch
