#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/problem.h"

namespace hookswitch::cli {

/// One case of `hookswitch test`: an event, and where it has to go; or a series of events, and what has to be sent
/// when.
struct RoutingCase {
  config::Mark where;
  std::string name;    ///< "case 3" where none is given
  std::string source;  ///< "": the only one
  std::string body;    ///< as the platform posts it
  /// When it is received, and schedules are judged by it then; of a series, when that begins.
  std::optional<WallTime> at{};
  /// One event of a series.
  struct Step {
    std::chrono::milliseconds at{};  ///< from the start
    std::string name;                ///< its file, or "event"
    std::string body;
    config::Mark where;
  };
  std::vector<Step> series;  ///< in order of time; not empty: the case is about these, and `body` is empty
  struct Expected {
    std::string sink;
    std::string rule{};                             ///< "": any
    std::string contains{};                         ///< part of what the sink would send; "": anything
    std::optional<std::chrono::milliseconds> at{};  ///< of a series: when, from the start; empty: at any time
    config::Mark where{};
  };
  std::vector<Expected> expect;  ///< these and no others; in any order, or of a series in order of time
};

/// Reads a YAML list of cases: {name, source, event, at, expect}, where `event` is the payload itself or a file,
/// relative to that of the cases, and `expect` has names of sinks or {sink, rule, contains}; in place of `event` there
/// may be a `series` of {at, event, set, times, every}, and then `expect` has an `at`, too. What is wrong goes to
/// `problems`.
std::vector<RoutingCase> ReadCases(const std::string& path, config::Problems& problems);

}  // namespace hookswitch::cli
