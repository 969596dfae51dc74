#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch {

/// A term of a search as it is written: `-key:value,"other value"`, or text. Offsets are in bytes.
struct SearchTerm {
  struct Value {
    std::string text;  ///< without its quotes
    std::size_t at = 0, end = 0;
    bool is_quoted = false;
  };
  std::size_t at = 0, end = 0;
  bool negated = false;
  std::optional<std::string> key;  ///< as written; empty: a text
  std::size_t key_at = 0;
  std::vector<Value> values;              ///< never empty; a text without key has one
  std::optional<std::size_t> open_quote;  ///< a quote that is not closed
};
/// Splits `text` (UTF-8) at its blanks; accepts anything.
std::vector<SearchTerm> SplitSearch(std::string_view text);

}  // namespace hookswitch
