#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

namespace hookswitch {

/// The two salts of a write-ahead log (eight bytes as stored in the log and its index) as one number. The upper half is
/// the first salt, which increases by one each time the log restarts.
std::uint64_t RoundOf(const char* salts);

/// A prepared statement. Texts are bound without a copy: they must stay valid until Reset, or until Run returns.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  /// Binds parameters from 1: integers, texts (string_view), blobs (Blob) and optional doubles. The next Run or Next
  /// reports binding errors.
  template <class... Args>
  Statement& Bind(const Args&... args) {
    unbound_ = 0;
    int index = 0;
    (BindOne(++index, args), ...);
    return *this;
  }
  /// Marks a parameter as blob instead of text.
  struct Blob {
    std::string_view bytes;
  };

  /// Binds one parameter more after Bind, where their number or types are known at run time only.
  template <class Arg>
  Statement& BindAt(int index, const Arg& arg) {
    BindOne(index, arg);
    return *this;
  }
  /// How many it has.
  int Parameters() const;

  /// Runs a statement that returns no rows, and resets it.
  [[nodiscard]] Status Run();
  /// Steps to the next row; false at the end. After false or an error the statement is reset.
  [[nodiscard]] Result<bool> Next();
  void Reset();

  /// Columns of the current row; texts and blobs are valid until the next Next or Reset.
  std::int64_t Int(int column) const;
  std::optional<double> Double(int column) const;  ///< empty for NULL
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  void BindOne(int index, std::int64_t value);
  void BindOne(int index, std::string_view text);
  void BindOne(int index, Blob blob);
  void BindOne(int index, const std::optional<double>& value);  ///< NULL if empty
  /// Steps once. Resets the statement on error.
  Result<bool> Step();

  sqlite3_stmt* stmt_ = nullptr;
  int unbound_ = 0;  ///< SQLite's error code of a failed bind
};

/// One connection, used by one thread at a time. Errors: kInvalid (the data is damaged), kTooLarge and kInternal (this
/// row cannot be stored: too long; violates a constraint), kUnavailable (anything else: no space, I/O, locked,
/// read-only); the message includes SQLite's own.
class Database {
 public:
  Database() = default;
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;

  enum class Mode {
    kRead,  ///< beside others; never writes to the file, not even on close
    kWrite,
    kAlone,  ///< read a file that nobody else uses: no lock, no write permission needed, leaves no side files
  };
  /// Opens an existing file.
  static Result<Database> Open(const std::string& path, Mode mode);

  [[nodiscard]] Status Exec(const char* sql);
  [[nodiscard]] Result<Statement> Prepare(std::string_view sql);
  /// The first column of the first row; 0 if there are no rows.
  [[nodiscard]] Result<std::int64_t> QueryInt(std::string_view sql);
  /// The same as text; "" if there are no rows.
  [[nodiscard]] Result<std::string> QueryText(std::string_view sql);
  std::int64_t Changes() const;
  std::int64_t LastInsertRowid() const;
  /// Sets `*frames` to the length of the write-ahead log at each commit of this connection. `frames` must outlive this
  /// object.
  void TrackLogLength(int* frames);
  /// Result of Checkpoint.
  struct CheckpointResult {
    int frames = 0;        ///< in the log; -1 if another connection is checkpointing, and nothing was done
    int checkpointed = 0;  ///< of those, now in the database; -1 likewise
  };
  /// Checkpoints the log as far as possible without waiting for readers or writers.
  [[nodiscard]] Result<CheckpointResult> Checkpoint();
  /// Checkpoints the whole log, syncs the database and truncates the log; waits briefly for readers.
  [[nodiscard]] Status TruncateLog();
  /// The write-ahead log as described by its index in shared memory. This connection must have read something before.
  struct Log {
    std::uint64_t round = 0;   ///< the log's salts; they change each time it restarts
    std::uint32_t frames = 0;  ///< committed in this round
    std::uint32_t pages = 0;   ///< of the database
  };
  [[nodiscard]] Result<Log> ReadLog();
  enum class Part { kFile, kLog };
  [[nodiscard]] Result<std::uint64_t> SizeOf(Part part);
  /// Reads `bytes` at `offset`; zeros beyond the end.
  [[nodiscard]] Status ReadBytes(Part part, std::uint64_t offset, std::span<char> bytes);
  /// Syncs the database file.
  [[nodiscard]] Status Sync();
  /// Aborts the operation that another thread runs here, which fails as kUnavailable. [thread: any]
  void Interrupt();
  void Close();
  bool IsOpen() const { return db_ != nullptr; }
  /// The file's path, links resolved.
  std::string Path() const;

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  Result<sqlite3_file*> FileOf(Part part);

  sqlite3* db_ = nullptr;
};

/// Scans a table in key order and skips damaged rows.
///
/// `rows` selects the key as its first column, has ?1 for the least and ?2 for the greatest key, and is ordered by key.
/// The scan begins after `after`; `last` is the greatest possible key. `row` is called for each row and returns whether
/// to continue. Returns the number of keys skipped. Errors: kUnavailable (anything but damage).
Result<std::int64_t> ScanRows(Statement& rows, std::int64_t after, std::int64_t last,
                              const std::function<bool(Statement& row)>& row);

/// The same in descending order: `rows` is ordered by key descending; from below `before` to `first`.
Result<std::int64_t> ScanRowsBack(Statement& rows, std::int64_t before, std::int64_t first,
                                  const std::function<bool(Statement& row)>& row);

}  // namespace hookswitch
