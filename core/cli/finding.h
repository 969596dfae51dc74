#pragma once
#include <ostream>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/cli/paint.h"

namespace hookswitch::cli {

/// What `hookswitch doctor` found out about one thing.
struct Finding {
  enum class Level {
    kOk,
    kNote,     ///< could not be checked, or need not be
    kWarning,  ///< works, but perhaps not as meant
    kProblem   ///< does not work, or will not for long
  };
  Level level = Level::kOk;
  std::string check;   ///< "config", "disk", "sink ops"
  std::string text;    ///< one sentence
  std::string hint{};  ///< what to do; "" for nothing
};
using Findings = std::vector<Finding>;

/// True if there is a problem.
bool HasProblem(const Findings& findings);
void PrintFindings(std::ostream& out, const Paint& paint, const Findings& findings);
/// {"ok","findings":[{"check","level","text","hint"}]}
json::object ToObject(const Findings& findings);

}  // namespace hookswitch::cli
