#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/admin/known_names.h"
#include "core/base/clock.h"
#include "core/journal/search_filter.h"

namespace hookswitch {

/// A key of the search box.
struct SearchKey {
  std::string_view name;
  std::string_view about;  ///< what it means, for people
};
/// All keys; "data" is written "data.PATH".
std::span<const SearchKey> SearchKeys();

/// What is wrong with a search, and where: in code points.
struct SearchError {
  std::string detail;
  std::size_t at = 0, length = 0;
};

struct SearchQuery {
  SearchFilter filter;
  std::optional<SearchError> error;  ///< then `filter` is of no use
  /// Its sinks, rules and sources without wildcards, which may not exist (KnownNames).
  struct Name {
    enum class Of { kSink, kRule, kSource } of;
    std::string text;
    std::size_t at = 0, length = 0;  ///< in code points
  };
  std::vector<Name> names{};
};

/// Parses what people write into the search box (OPERATING.md, "Search"). Bytes that are no UTF-8 are read as U+FFFD.
SearchQuery ParseSearch(std::string_view text, WallTime now, const KnownNames& names);

/// `name`, as an error, if neither the config nor the lanes have it.
std::optional<SearchError> FindUnknown(const SearchQuery& query, const KnownNames& names);

}  // namespace hookswitch
