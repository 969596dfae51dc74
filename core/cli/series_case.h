#pragma once
#include <string>
#include <vector>

#include "core/app/generation.h"
#include "core/base/json.h"
#include "core/cli/case_file.h"

namespace hookswitch::cli {

/// How a case of `hookswitch test` came out.
struct CaseResult {
  std::vector<std::string> failures;  ///< sentences; empty: it came out as expected
  json::array got;                    ///< "deliveries": as `route` has them, or of a series what was sent
  json::array rules;                  ///< as `route` has them; of a series none
  json::array events;                 ///< of a series: what came in, and the answer
  std::vector<std::string> story;     ///< of a series: what came in and what was sent, a line each, in order of time
};

/// Runs a case with a series, whose events come from `source`, which is one of the config. Without `at` it begins now.
CaseResult RunSeries(const RoutingCase& wanted, const Generation& generation, const std::string& source);

}  // namespace hookswitch::cli
