#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/config/mapping.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Reads what the fields of a mapping are made of: paths, conditions, tables, rules. `at` names a value in messages.
///
/// What the schema has rejected is left out; what it cannot express is reported.
class MappingRules {
 public:
  explicit MappingRules(Problems& problems) : problems_(problems) {}

  enum class Scope {
    kRequest,
    kBody  ///< from within the body on: header:, query: and form: lead out of it
  };
  std::optional<ValuePath> Path(const Node& text, Scope scope) const;
  /// One or a list; nullptr for none.
  std::vector<ValuePath> Paths(const Node* node, Scope scope) const;
  /// `map` may be nullptr.
  ValueMatches Matches(const Node* map, Scope scope) const;
  /// `values` and `otherwise` may be nullptr.
  ValueTable Table(const Node* values, const Node* otherwise, const std::string& at) const;

  enum class Field {
    kText,
    kWord,  ///< status, stage, direction, true or false
    kTime,
    kDuration,
    kCost
  };
  /// `node` may be nullptr.
  ValueRules Rules(const Node* node, Field field, const std::string& at) const;

  /// True if a key of `map` was rejected: it may be one that seems to be missing.
  /// An error at a key of `map`, which it has.
  void ErrorAt(const Node& map, std::string_view key, std::string message, std::string hint = {}) const;

 private:
  ValueRule Rule(const Node& map, Field field, const std::string& at) const;
  void CheckOrigin(const Node& map, Field field, const std::string& at) const;
  void CheckTable(const Node& map, const std::string& at) const;

  Problems& problems_;
};

/// Each of a value that may be one or a list of them; nothing for nullptr.
std::vector<const Node*> EachOf(const Node* node);

/// True if whatever matches `narrow` matches `wide`, in any case. May miss it if both have wildcards.
bool Covers(std::string_view wide, std::string_view narrow);

}  // namespace hookswitch::config
