#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/event/call_event.h"

namespace hookswitch {

/// One delivery that a rule requests. Names are borrowed from the RouteTable.
struct Route {
  std::string_view sink;
  std::string_view rule;           ///< "unmatched" for the `unmatched:` targets
  std::string_view template_name;  ///< "" is the default message
  bool newest_only = false;        ///< the rule says `per_call: latest`
  /// The rule's `settle`, if the event is ended: how long it is held for the call's final event; else 0.
  std::chrono::milliseconds hold{};
};

/// One condition of a rule's `when`; a nested `any`, `all` or `not` is one.
struct ConditionVerdict {
  std::string text;  ///< as RuleVerdict::why: `status is "ringing", wanted completed or failed`
  bool holds = false;
};

/// The result of one rule for one event.
struct RuleVerdict {
  std::string rule;
  config::Mark where{};
  enum class Result { kMatched, kNotMatched, kNotReached } result = Result::kNotMatched;
  std::string why;  ///< `status is "ringing", wanted one of completed, failed`; names the first condition that failed
  std::vector<ConditionVerdict> conditions;  ///< all of them, in the order of evaluation; empty if not reached
  std::vector<std::string> sinks;            ///< what it added
  std::vector<std::string> merged;           ///< sinks that an earlier rule had already added
  bool stopped = false;                      ///< the evaluation ended here (stop or drop)
};

struct Explanation {
  std::vector<RuleVerdict> rules;
  std::vector<Route> routes;
  bool unmatched = false;  ///< no rule matched: `unmatched:` decided
};

/// Adds "rules":[{"name","file","line","matched","why","conditions":[{"text","holds"}],"sinks","merged","stopped"}] and
/// "deliveries":[{"sink","rule"}], with "settle" in seconds where it is held.
void AddExplanation(json::object& shown, const Explanation& explanation);

/// The compiled rules. Immutable; no I/O and no clock: the same event always gets the same routes, in the order of the
/// rules. Each sink appears at most once: the first rule that names it wins. [thread: any]
class RouteTable {
 public:
  /// Compiles the rules of `config`; nullptr if there are errors. Invalid regexes, unknown schedules, zones and fields
  /// of `has` are errors; rules that can never run and schedules that are never open are warnings. Sinks and templates
  /// are not checked: the loader does that.
  static std::shared_ptr<const RouteTable> Compile(const config::Config& config, config::Problems& problems);
  ~RouteTable();

  /// Replaces `routes`. The cost depends on the rules that could match the event's status, agent, numbers and tags (see
  /// Candidates), not on all rules.
  void Match(const CallEvent& event, std::vector<Route>& routes) const;
  /// The same decision, with a reason for every rule. `judged_at`: the time for schedules instead of the event's own
  /// time. Slow; for people.
  Explanation Explain(const CallEvent& event, std::optional<WallTime> judged_at = {}) const;

 private:
  struct Impl;
  explicit RouteTable(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace hookswitch
