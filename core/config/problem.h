#pragma once
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/config/source_file.h"

namespace hookswitch::config {

/// A place in a config file. `line` and `column` count from 1, columns in bytes; line 0 means the file as a whole.
struct Mark {
  std::shared_ptr<const SourceFile> file;
  int line = 0;
  int column = 0;
};

/// "config.yaml:38:7"; without a line, "config.yaml".
std::string ToText(const Mark& where);

/// An error or a warning in the config, for the person who has to fix it.
struct Problem {
  enum class Severity { kError, kWarning };
  Severity severity = Severity::kError;
  Mark where;
  int width = 1;        ///< how many bytes the caret underlines
  std::string message;  ///< `"min_druation" is not a key of rules[].when`; never a secret
  std::string hint;     ///< `did you mean "min_duration"?`; "" for none
};

/// Collects problems, so that one run reports all of them. Not thread-safe.
class Problems {
 public:
  void Error(Mark where, int width, std::string message, std::string hint = {});
  void Warning(Mark where, int width, std::string message, std::string hint = {});
  void Add(Problem problem);
  bool HasErrors() const;
  /// True if an error points exactly there: a follow-up would only repeat it.
  bool HasErrorAt(const Mark& where) const;
  /// In the order of adding; after Sort by file, line and column.
  std::span<const Problem> All() const { return all_; }
  void Sort();
  /// Keeps the first `most` and adds an error that says how many were left out.
  void Truncate(std::size_t most);

 private:
  std::vector<Problem> all_;
  std::set<std::tuple<const SourceFile*, int, int>> error_places_;  ///< HasErrorAt is called for every key and value
};

/// "file:line:col: error: message", the source line and a caret with the hint, each line ended by '\n'. Long lines are
/// cut around the caret; tabs become spaces; control characters are shown as '?'.
std::string ToText(const Problem& problem);
/// {"severity","file","line","column","message","hint"} of each.
json::array ToArray(std::span<const Problem> problems);
/// ToArray as one line.
std::string ToJson(std::span<const Problem> problems);

}  // namespace hookswitch::config
