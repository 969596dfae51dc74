#include "core/ingress/agent_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace hookswitch {
namespace {

using ::testing::HasSubstr;

CallEvent Event(std::string agent, CallStatus status = CallStatus::kCompleted) {
  CallEvent event;
  event.agent_name = std::move(agent);
  event.status = status;
  return event;
}

std::string Line(const std::string& agent, const std::string& status, int count) {
  return "hookswitch_agent_events_total{agent=\"" + agent + "\",status=\"" + status + "\"} " + std::to_string(count) +
         "\n";
}

TEST(AgentCounts, AKnownAgentIsShownWithEveryStatusBeforeItsFirstCall) {
  Metrics metrics;
  AgentCounts counts(metrics);
  counts.Show("billing");
  const std::string text = metrics.Text();
  for (std::size_t i = 0; i < kCallStatusCount; ++i)
    EXPECT_THAT(text, HasSubstr(Line("billing", std::string(ToString(static_cast<CallStatus>(i))), 0)));
  EXPECT_THAT(text, HasSubstr(Line("(none)", "completed", 0)));
  EXPECT_THAT(text, HasSubstr(Line("(other)", "completed", 0)));
}

TEST(AgentCounts, EventsCountByAgentAndStatus) {
  Metrics metrics;
  AgentCounts counts(metrics);
  counts.Count(Event("billing"));
  counts.Count(Event("billing"));
  counts.Count(Event("billing", CallStatus::kBusy));
  counts.Count(Event(""));
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr(Line("billing", "completed", 2)));
  EXPECT_THAT(text, HasSubstr(Line("billing", "busy", 1)));
  EXPECT_THAT(text, HasSubstr(Line("billing", "failed", 0)));
  EXPECT_THAT(text, HasSubstr(Line("(none)", "completed", 1)));
}

TEST(AgentCounts, MoreAgentsThanTheCapShareOne) {
  Metrics metrics;
  AgentCounts counts(metrics);
  for (std::size_t i = 0; i < AgentCounts::kMostAgents; ++i) counts.Count(Event("agent-" + std::to_string(i)));
  const std::string full = metrics.Text();
  for (int i = 0; i < 1000; ++i) counts.Count(Event("forged-" + std::to_string(i)));
  const std::string text = metrics.Text();
  EXPECT_EQ(std::ranges::count(text, '\n'), std::ranges::count(full, '\n'));
  EXPECT_THAT(text, HasSubstr(Line("(other)", "completed", 1000)));
  counts.Count(Event("agent-99"));
  EXPECT_THAT(metrics.Text(), HasSubstr(Line("agent-99", "completed", 2)));
}

TEST(AgentCounts, ALongNameIsCut) {
  Metrics metrics;
  AgentCounts counts(metrics);
  std::string name;
  for (int i = 0; i < 200; ++i) name += "\xc3\xa4";
  counts.Count(Event(name));
  EXPECT_THAT(metrics.Text(), HasSubstr(Line(name.substr(0, 200), "completed", 1)));
}

TEST(AgentCounts, AnAgentWithTheNameOfTheRestCountsAmongIt) {
  Metrics metrics;
  AgentCounts counts(metrics);
  counts.Count(Event("(none)"));
  EXPECT_THAT(metrics.Text(), HasSubstr(Line("(none)", "completed", 0)));
  EXPECT_THAT(metrics.Text(), HasSubstr(Line("(other)", "completed", 1)));
}

}  // namespace
}  // namespace hookswitch
