#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config/problem.h"

namespace hookswitch::config {

/// Where in a request a value is: `call.turns[0].text`, `results.*.value`, `"a.b".c[*]`, `$`, `header:X-Event`,
/// `query:id`, `form:CallSid`.
struct ValuePath {
  enum class Root {
    kBody,  ///< the body, or the item that the path is for: `steps` lead on from it; none: the value itself, `$`
    kHeader,
    kQuery,
    kForm
  };
  struct Step {
    enum class Kind {
      kMember,   ///< `name` of an object
      kIndex,    ///< `[index]` of a list, from 0
      kItems,    ///< `[*]`: every item of a list
      kMembers,  ///< `*`: every member of an object
    };
    Kind kind = Kind::kMember;
    std::string name;
    std::size_t index = 0;
    bool operator==(const Step&) const = default;
  };
  Mark where;  ///< in the config
  Root root = Root::kBody;
  std::string name;         ///< of the header, the query parameter or the form's field; headers in lower case
  std::vector<Step> steps;  ///< of kBody
};

/// Why a text is not a path.
struct PathFault {
  std::size_t at = 0;   ///< the byte of the text where the mistake is, from 0
  std::string message;  ///< what was expected there, and what was found
  std::string hint;     ///< "" for none
};

std::variant<ValuePath, PathFault> ParseValuePath(std::string_view text);

/// As one would write it; ParseValuePath of it gives an equal path.
std::string ToText(const ValuePath& path);

/// Equal paths lead to the same place, wherever they are written.
bool operator==(const ValuePath& a, const ValuePath& b);

}  // namespace hookswitch::config
