#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/event/call_event.h"

namespace hookswitch {

/// One delivery that a rule asks for. Names are borrowed from the RouteTable.
struct Route {
  std::string_view sink;
  std::string_view rule;               ///< "unmatched" for the `unmatched:` targets
  std::string_view template_name;      ///< "" is the default message
  bool newest_only = false;            ///< the rule says `per_call: latest`
  std::chrono::milliseconds settle{};  ///< the rule's `settle`
};

/// What one rule said about one event.
struct RuleVerdict {
  std::string rule;
  enum class Result { kMatched, kNotMatched, kNotReached } result = Result::kNotMatched;
  std::string why;  ///< `status is "ringing", wanted one of completed, failed`; names the first condition that failed
  std::vector<std::string> sinks;   ///< what it added
  std::vector<std::string> merged;  ///< sinks an earlier rule had named already
  bool stopped = false;             ///< the walk ended here (stop or drop)
};

struct Explanation {
  std::vector<RuleVerdict> rules;
  std::vector<Route> routes;
  bool unmatched = false;  ///< no rule matched: `unmatched:` decided
};

/// The rules, compiled once. Immutable; safe from any thread; no I/O and no clock: the same event always gives the same
/// routes, in the order of the rules. One sink appears at most once: the first rule that names it wins.
class RouteTable {
 public:
  /// Compiles the rules of `config`. Bad regexes, unknown schedules, zones and fields of `has` are errors; rules that
  /// can never run and schedules that are never open are warnings. Sinks and templates are not looked up: the loader
  /// has done so. Returns nullptr if it found errors.
  static std::shared_ptr<const RouteTable> Compile(const config::Config& config, config::Problems& problems);
  ~RouteTable();

  /// Replaces `routes`. The cost grows with the rules that could match the event's status and its agent, numbers and
  /// tags where a rule names those exactly, not with all rules.
  void Match(const CallEvent& event, std::vector<Route>& routes) const;
  /// The same decision, with a reason for every rule. `judged_at`: what schedules are asked about instead of the
  /// event's own time. Slow; for people.
  Explanation Explain(const CallEvent& event, std::optional<WallTime> judged_at = {}) const;

 private:
  struct Impl;
  explicit RouteTable(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace hookswitch
