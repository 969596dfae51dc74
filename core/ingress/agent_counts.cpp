#include "core/ingress/agent_counts.h"

#include "core/base/text.h"

namespace hookswitch {

AgentCounts::AgentCounts(Metrics& metrics)
    : metrics_(metrics), other_(Make(std::string(kOther))), none_(Make(std::string(kNone))) {}

AgentCounts::ByStatus AgentCounts::Make(const std::string& label) {
  ByStatus counts;
  for (std::size_t status = 0; status < kCallStatusCount; ++status) {
    counts.push_back(metrics_.MakeCounter(
        "hookswitch_agent_events_total", "Events stored for the first time, by agent and status of the call.",
        {{"agent", label}, {"status", std::string(ToString(static_cast<CallStatus>(status)))}}));
  }
  return counts;
}

AgentCounts::ByStatus& AgentCounts::Of(std::string_view agent) {
  if (agent.empty()) return none_;
  const std::string_view name = CutCodePoints(agent, kLongestName);
  const auto found = agents_.find(name);
  if (found != agents_.end()) return found->second;
  if (agents_.size() >= kMostAgents || name == kOther || name == kNone) return other_;
  return agents_.emplace(name, Make(std::string(name))).first->second;
}

void AgentCounts::Show(std::string_view agent) {
  MutexLock lock(mu_);
  Of(agent);
}

void AgentCounts::Count(const CallEvent& event) {
  MutexLock lock(mu_);
  Of(event.AgentLabel())[static_cast<std::size_t>(event.status)].Add();
}

}  // namespace hookswitch
