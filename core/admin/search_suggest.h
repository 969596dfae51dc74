#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/config/config.h"
#include "core/journal/search_index.h"

namespace hookswitch {

/// A text that may stand where the cursor of the search box is.
struct Suggestion {
  std::string text;  ///< replaces the text from `from` to `to`
  bool is_key = false;
  std::string label;                   ///< the key or value alone
  std::string about;                   ///< what it means, or ""
  std::optional<std::int64_t> events;  ///< how many stored events have it
};

struct Suggestions {
  std::size_t from = 0, to = 0;  ///< in code points
  std::vector<Suggestion> all;   ///< at most twenty, best first
};

/// What may be written at `at` (in code points) of the search `text` (UTF-8): keys and values that the config and what
/// is stored have. `index`: nullptr: none. `with_paths`: paths of data, too, which are of the content.
Suggestions Suggest(std::string_view text, std::size_t at, WallTime now, const config::Config& config,
                    SearchIndex* index, bool with_paths);

/// {"from","to","suggestions":[{"text","kind","label","about","events"}]}
json::object ToObject(const Suggestions& suggestions);

}  // namespace hookswitch
