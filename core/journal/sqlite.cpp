#include "core/journal/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/encoding.h"

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

/// https://sqlite.org/uri.html
std::string UriOf(const std::string& path) {
  return "file:" + PercentEncoded(path, "/");
}

/// SQLite keeps the log beside the real file, links resolved.
bool HasLog(const std::string& path) {
  std::error_code failed;
  const auto file = std::filesystem::canonical(path, failed);
  const auto size = failed ? 0 : std::filesystem::file_size(file.string() + "-wal", failed);
  return !failed && size != 0;
}

// Scans keys upwards, or their negatives downwards, with the same loop.
Result<std::int64_t> Walk(Statement& rows, std::int64_t after, std::int64_t last, bool down,
                          const std::function<bool(Statement& row)>& row) {
  std::int64_t skipped = 0;
  // One window while nothing is damaged. After damage, windows halve when they hit it and double when they do not: this
  // finds every intact row between damaged pages, and a long intact stretch takes few windows.
  std::int64_t window = last - after;
  while (after < last) {
    const std::int64_t end = window < last - after ? after + window : last;
    rows.Reset();
    down ? rows.Bind(-end, -(after + 1)) : rows.Bind(after + 1, end);
    for (;;) {
      const auto next = rows.Next();
      if (!next) {
        if (next.error().code != ErrorCode::kInvalid) return next.error();
        if (end - after == 1) {
          ++skipped;
          ++after;
        }
        window = std::max<std::int64_t>((end - after) / 2, 1);
        break;
      }
      if (!*next) {
        after = end;
        if (window < last - after) window *= 2;
        break;
      }
      const std::int64_t key = down ? -rows.Int(0) : rows.Int(0);
      // A key out of order or range is a damaged cell that SQLite did not detect.
      if (key <= after || key > end) {
        ++skipped;
        continue;
      }
      after = key;
      if (!row(rows)) {
        rows.Reset();
        return skipped;
      }
    }
  }
  rows.Reset();
  return skipped;
}

}  // namespace

std::uint64_t RoundOf(const char* salts) {
  std::uint64_t round = 0;
  for (int i = 0; i < 8; ++i) round = round << 8 | static_cast<unsigned char>(salts[i]);
  return round;
}

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
  // A parameter that failed to bind keeps its last value: running would store wrong data.
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

int Statement::Parameters() const {
  return sqlite3_bind_parameter_count(stmt_);
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

std::optional<double> Statement::Double(int column) const {
  if (IsNull(column)) return {};
  return sqlite3_column_double(stmt_, column);
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

void Statement::BindOne(int index, const std::optional<double>& value) {
  const int code = value ? sqlite3_bind_double(stmt_, index, *value) : sqlite3_bind_null(stmt_, index);
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
  // SQLite's memory statistics take a lock per allocation, some thirty per event. Fails harmlessly if SQLite is already
  // initialized in this process.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  std::string name = path;
  // Readers need a writable handle too: reading a write-ahead log takes locks in its shared memory.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  const bool has_log = mode == Mode::kAlone && HasLog(path);
  if (mode == Mode::kAlone) {
    // With a log: no locks, and the log's index in private memory (see below). Without one that mode would create a
    // log, so open the file as immutable.
    name = UriOf(path) + (has_log ? "?mode=ro&vfs=unix-none" : "?mode=ro&immutable=1");
    flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  }
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags, nullptr);
  Database opened(db);
  if (code != SQLITE_OK) return FaultOf(db, code);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 2000);
  if (mode != Mode::kWrite) {
    HSW_TRY(opened.Exec("PRAGMA query_only = 1; PRAGMA cell_size_check = 1"));
    if (has_log) HSW_TRY(opened.Exec("PRAGMA locking_mode = EXCLUSIVE"));
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

Result<std::int64_t> Database::QueryInt(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return std::move(statement).error();
  auto row = statement->Next();
  if (!row) return std::move(row).error();
  return *row ? statement->Int(0) : 0;
}

Result<std::string> Database::QueryText(std::string_view sql) {
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

void Database::TrackLogLength(int* frames) {
  sqlite3_wal_hook(
      db_,
      [](void* target, sqlite3*, const char*, int pages) {
        *static_cast<int*>(target) = pages;
        return SQLITE_OK;
      },
      frames);
}

Result<Database::CheckpointResult> Database::Checkpoint() {
  CheckpointResult result;
  const int code =
      sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &result.frames, &result.checkpointed);
  if (code != SQLITE_OK && code != SQLITE_BUSY) return FaultOf(db_, code);
  return result;
}

Status Database::TruncateLog() {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_BUSY) return Error{ErrorCode::kUnavailable, "another program is reading it"};
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return Ok();
}

// Uses SQLite's own handles: closing another descriptor would drop the locks that SQLite holds on the file.
Result<sqlite3_file*> Database::FileOf(Part part) {
  const int which = part == Part::kFile ? SQLITE_FCNTL_FILE_POINTER : SQLITE_FCNTL_JOURNAL_POINTER;
  sqlite3_file* file = nullptr;
  const int code = sqlite3_file_control(db_, "main", which, &file);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  if (file == nullptr || file->pMethods == nullptr) return Error{ErrorCode::kUnavailable, "it has no write-ahead log"};
  return file;
}

// Layout of the index header, whose two copies differ while one is being written:
// https://sqlite.org/walformat.html#the_wal_index_header
Result<Database::Log> Database::ReadLog() {
  constexpr int kRegion = 32768, kTries = 1000;
  constexpr std::size_t kWords = 12, kFrames = 4, kPages = 5, kSalt = 8;
  const auto found = FileOf(Part::kFile);
  if (!found) return found.error();
  sqlite3_file* file = *found;
  if (file->pMethods->iVersion < 2) return Error{ErrorCode::kUnavailable, "its file system has no shared memory"};
  volatile void* memory = nullptr;
  const int code = file->pMethods->xShmMap(file, 0, kRegion, 0, &memory);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  const auto* words = static_cast<const volatile std::uint32_t*>(memory);
  for (int i = 0; words != nullptr && i < kTries; ++i) {
    std::array<std::uint32_t, kWords> first{}, second{};
    for (std::size_t word = 0; word < kWords; ++word) first[word] = words[word];
    file->pMethods->xShmBarrier(file);
    for (std::size_t word = 0; word < kWords; ++word) second[word] = words[kWords + word];
    if (first == second) {
      return Log{RoundOf(reinterpret_cast<const char*>(&first[kSalt])), first[kFrames], first[kPages]};
    }
    std::this_thread::yield();
  }
  return Error{ErrorCode::kUnavailable, "the index of its write-ahead log cannot be read"};
}

Result<std::uint64_t> Database::SizeOf(Part part) {
  const auto file = FileOf(part);
  if (!file) return file.error();
  sqlite3_int64 size = 0;
  const int code = (*file)->pMethods->xFileSize(*file, &size);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return static_cast<std::uint64_t>(size);
}

Status Database::ReadBytes(Part part, std::uint64_t offset, std::span<char> bytes) {
  const auto file = FileOf(part);
  if (!file) return file.error();
  const int code =
      (*file)->pMethods->xRead(*file, bytes.data(), static_cast<int>(bytes.size()), static_cast<sqlite3_int64>(offset));
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return Error{ErrorCode::kUnavailable, sqlite3_errstr(code)};
  return Ok();
}

Status Database::Sync() {
  const auto file = FileOf(Part::kFile);
  if (!file) return file.error();
  const int code = (*file)->pMethods->xSync(*file, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return FaultOf(db_, code);
  return Ok();
}

std::string Database::Path() const {
  return sqlite3_db_filename(db_, "main");
}

void Database::Interrupt() {
  sqlite3_interrupt(db_);
}

void Database::Close() {
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

Result<std::int64_t> ScanRows(Statement& rows, std::int64_t after, std::int64_t last,
                              const std::function<bool(Statement& row)>& row) {
  return Walk(rows, after, last, /*down=*/false, row);
}

Result<std::int64_t> ScanRowsBack(Statement& rows, std::int64_t before, std::int64_t first,
                                  const std::function<bool(Statement& row)>& row) {
  return Walk(rows, -before, -first, /*down=*/true, row);
}

}  // namespace hookswitch
