#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/event/call_event.h"

namespace hookswitch {

/// Counts events by agent and status. The names of agents come from senders, so only the first kMostAgents have counts
/// of their own, and the others share one. [thread: any]
class AgentCounts {
 public:
  static constexpr std::size_t kMostAgents = 100;
  static constexpr std::size_t kLongestName = 100;  ///< code points
  // Labels of all others, and of calls without an agent.
  static constexpr std::string_view kOther = "(other)";
  static constexpr std::string_view kNone = "(none)";

  explicit AgentCounts(Metrics& metrics);

  /// The counts of the agent are shown from now on, at 0 for what has not come.
  void Show(std::string_view agent) EXCLUDES(mu_);
  void Count(const CallEvent& event) EXCLUDES(mu_);

 private:
  using ByStatus = std::vector<Counter>;  ///< one for each CallStatus
  ByStatus Make(const std::string& label);
  ByStatus& Of(std::string_view agent) REQUIRES(mu_);

  Metrics& metrics_;
  Mutex mu_;
  ByStatus other_ GUARDED_BY(mu_), none_ GUARDED_BY(mu_);
  std::map<std::string, ByStatus, std::less<>> agents_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
