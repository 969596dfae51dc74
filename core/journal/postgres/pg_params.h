#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/clock.h"

namespace hookswitch::pg {

/// Parameters of one statement, in PostgreSQL's binary format. Integers are int8 and texts bytea, whose bytes need no
/// encoding: what callers and platforms send may hold anything.
class Params {
 public:
  Params& Add(std::int64_t value);
  Params& Add(std::string_view value);
  Params& Add(std::span<const std::int64_t> values);
  Params& Add(std::span<const std::string_view> values);

  std::size_t size() const { return types_.size(); }
  const std::vector<std::uint32_t>& types() const { return types_; }
  const std::vector<std::string>& values() const { return values_; }

 private:
  friend class Rows;
  std::vector<std::uint32_t> types_;
  std::vector<std::string> values_;
};

/// Rows for one statement: an array for each column, which `unnest` makes rows again.
class Rows {
 public:
  /// Appends a row. Every call gives as many values, of the same types. Integers, enumerations, times and durations (in
  /// milliseconds) are integers; all else is text.
  template <class... Values>
  void Add(const Values&... values) {
    if (columns_.empty()) columns_.resize(sizeof...(values));
    std::size_t column = 0;
    (Put(columns_[column++], values), ...);
    ++count_;
  }
  /// The same of values whose types are known at run time only.
  void AddRow(std::span<const std::variant<std::int64_t, std::string>> values);
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return bytes_; }
  void clear();

  /// "unnest($1,$2) WITH ORDINALITY AS name(a, b, ord)"; `columns`: "a, b".
  static std::string Source(std::string_view name, std::string_view columns);
  /// The arrays, as parameters 1, 2, …
  Params Take();

 private:
  struct Column {
    std::uint32_t type = 0;  ///< of its elements
    std::string elements;
  };
  template <class Value>
  void Put(Column& column, const Value& value) {
    if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      PutBytes(column, value);
    } else if constexpr (std::is_same_v<Value, WallTime>) {
      PutInt(column, value.time_since_epoch().count());
    } else if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) {
      PutInt(column, value.count());
    } else {
      PutInt(column, static_cast<std::int64_t>(value));
    }
  }
  void PutInt(Column& column, std::int64_t value);
  void PutBytes(Column& column, std::string_view value);

  std::vector<Column> columns_;
  std::size_t count_ = 0, bytes_ = 0;
};

}  // namespace hookswitch::pg
