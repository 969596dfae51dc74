#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

namespace hookswitch {

/// The salts of a write-ahead log, eight bytes as they stand in the log and its index, as one number: the first salt in
/// the upper half, which grows by one each time the log starts again.
std::uint64_t RoundOf(const char* salts);

/// A prepared statement. Texts are bound without a copy: they live until the next Reset or Run.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  /// Binds from parameter 1 on: integers, texts (string_view) and blobs (Blob). What cannot be bound is told by the
  /// next Run or Next.
  template <class... Args>
  Statement& Bind(const Args&... args) {
    unbound_ = 0;
    int index = 0;
    (BindOne(++index, args), ...);
    return *this;
  }
  /// For parameters that Bind would pass as text.
  struct Blob {
    std::string_view bytes;
  };

  /// Runs a statement that returns no row to its end and resets it.
  [[nodiscard]] Status Run();
  /// Steps to the next row; false at the end. After false or an error the statement is reset.
  [[nodiscard]] Result<bool> Next();
  void Reset();

  /// Columns of the current row; texts and blobs live until the next step or reset.
  std::int64_t Int(int column) const;
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  void BindOne(int index, std::int64_t value);
  void BindOne(int index, std::string_view text);
  void BindOne(int index, Blob blob);
  /// Steps once. Errors leave the statement reset.
  Result<bool> Step();

  sqlite3_stmt* stmt_ = nullptr;
  int unbound_ = 0;  ///< SQLite's code for a parameter that could not be bound
};

/// One connection, used by one thread at a time. Errors: kInvalid (what was to be read is damaged), kTooLarge and
/// kInternal (this row cannot be stored: too long; against a constraint), kUnavailable (anything else: no space, I/O,
/// locked, read-only); the message holds SQLite's own words.
class Database {
 public:
  Database() = default;
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;

  enum class Mode {
    kRead,  ///< beside others; never writes to the file, not even when it closes as the last
    kWrite,
    kAlone,  ///< to read what nobody else uses: takes no lock, needs no right to write, leaves nothing beside the file
  };
  /// Opens an existing file.
  static Result<Database> Open(const std::string& path, Mode mode);

  [[nodiscard]] Status Exec(const char* sql);
  [[nodiscard]] Result<Statement> Prepare(std::string_view sql);
  /// The first column of the first row, 0 if there is none.
  [[nodiscard]] Result<std::int64_t> Ask(std::string_view sql);
  /// The same as text, "" if there is none.
  [[nodiscard]] Result<std::string> AskText(std::string_view sql);
  std::int64_t Changes() const;
  std::int64_t LastInsertRowid() const;
  /// `frames` is kept up to date with the frames in the write-ahead log as this connection commits. It outlives this.
  void WatchLog(int* frames);
  /// Moves what the log holds into the database without waiting for anyone.
  struct Checkpoint {
    int frames = 0;  ///< in the log; -1 if another connection is at it, and nothing was done
    int moved = 0;   ///< of them, already in the database; -1 likewise
  };
  [[nodiscard]] Result<Checkpoint> MoveLog();
  /// Moves all of the log into the database, syncs that and empties the log; waits a little for others who read.
  [[nodiscard]] Status EmptyLog();
  /// The write-ahead log as its index in shared memory describes it. This connection has read something before.
  struct Log {
    std::uint64_t round = 0;   ///< the log's salts: other ones each time it starts again from its beginning
    std::uint32_t frames = 0;  ///< committed in this round
    std::uint32_t pages = 0;   ///< of the database
  };
  [[nodiscard]] Result<Log> ReadLog();
  enum class Part { kFile, kLog };
  [[nodiscard]] Result<std::uint64_t> SizeOf(Part part);
  /// Fills `bytes` from `offset` on, with zeros beyond the end.
  [[nodiscard]] Status ReadBytes(Part part, std::uint64_t offset, std::span<char> bytes);
  /// Syncs the database file itself.
  [[nodiscard]] Status Sync();
  /// Ends what another thread does here; that fails as kUnavailable.
  void Interrupt();
  void Close();
  bool IsOpen() const { return db_ != nullptr; }
  /// Of the file, without links.
  std::string Path() const;

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  Result<sqlite3_file*> FileOf(Part part);

  sqlite3* db_ = nullptr;
};

}  // namespace hookswitch
