#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/journal/copy/copy_mark.h"

namespace hookswitch {

/// A value of a row in the form that both kinds of journal understand.
using CopyValue = std::variant<std::int64_t, std::string>;
using CopyRow = std::vector<CopyValue>;

/// What is copied, as rows with the same columns for both kinds of journal. What can be made again from these (the
/// order of attempts, which deliveries came later) each kind makes itself.
struct CopyTable {
  std::string_view name;
  std::string_view columns;  ///< as PostgreSQL has them
  std::string_view kinds;    ///< of each: i integer, t text, b bytes
};
/// In the order in which they are written: what a row refers to comes before it.
std::span<const CopyTable> CopyTables();
/// Where `column` stands in `table`.
std::size_t ColumnOf(const CopyTable& table, std::string_view column);

/// Part of a journal's rows, and where the rest begins.
struct CopyPage {
  std::vector<CopyRow> rows;
  CopyRow last;  ///< key of the last row; only its own journal understands it
};

/// What a journal has besides rows.
struct CopyNumbers {
  std::int64_t salt = 0;
  std::int64_t next_event = 1, next_delivery = 1;
};

/// One of the two journals of a copy, which nobody else uses meanwhile. Errors name it. Not thread-safe.
class CopyEnd {
 public:
  virtual ~CopyEnd() = default;
  /// "/var/lib/hookswitch/journal.db"; "db.example.com:5432/calls, schema hookswitch". Holds no password.
  virtual std::string Name() const = 0;

  /// "" if there is none.
  virtual Result<std::string> LoadMeta(std::string_view key) = 0;
  /// Durable on return. "" removes it.
  virtual Status SaveMeta(std::string_view key, std::string_view value) = 0;
  virtual Result<CopyNumbers> LoadNumbers() = 0;
  /// A table that has rows; "" if all are empty.
  virtual Result<std::string> FindContent() = 0;

  /// At most `limit` rows after the key `after` (empty: from the first), in the order of their keys. Errors: kInvalid
  /// (a row is damaged), kUnavailable.
  virtual Result<CopyPage> Read(const CopyTable& table, const CopyRow& after, std::size_t limit) = 0;
  /// Stores `rows`, and `value` under `key` in meta, in one durable step.
  virtual Status Write(const CopyTable& table, std::span<const CopyRow> rows, std::string_view key,
                       std::string_view value) = 0;
  /// Makes what follows from the rows, which are all there, and sets the numbers. Calling it again changes nothing.
  virtual Status Complete(const CopyNumbers& numbers) = 0;
  /// Drops the index that Read has made for itself, if any.
  virtual Status DropReadIndex() { return Ok(); }
};

enum class CopySide { kSource, kTarget };

/// Takes the lock that a router would take. A source must exist; a target is created if need be. Errors: kInvalid (no
/// journal), kUnavailable (a router uses it, which is named; anything else).
Result<std::unique_ptr<CopyEnd>> OpenSqliteCopyEnd(const std::string& path, CopySide side);
/// The same. `lease`: how long another router may take to be over, at most. `clock` must outlive it.
Result<std::unique_ptr<CopyEnd>> OpenPostgresCopyEnd(const std::string& url, const std::string& schema, CopySide side,
                                                     std::chrono::milliseconds lease, const Clock& clock);

}  // namespace hookswitch
