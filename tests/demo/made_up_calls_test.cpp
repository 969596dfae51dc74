#include "core/demo/made_up_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "core/base/time_text.h"
#include "core/config/loader.h"
#include "core/demo/demo_files.h"
#include "core/sources/source.h"

namespace hookswitch::demo {
namespace {

using testing::IsEmpty;

const WallTime kNow = *ParseTime("2026-03-04T09:02:03Z");

config::Config TheConfig() {
  std::string text(ConfigText());
  const std::map<std::string, std::string> values = {
      {"$ADMIN", "127.0.0.1:0"}, {"$ANY_HOST", "true"}, {"$PACE", "{max: 1, per: 1s}"}};
  for (const auto& [name, value] : values) {
    for (std::size_t at; (at = text.find(name)) != std::string::npos;) text.replace(at, name.size(), value);
  }
  config::Environment environment;
  environment.read_file = [&](const std::string&, std::string&) { return std::optional(text); };
  environment.list_files = [](const std::string&) { return std::vector<std::string>(); };
  environment.variable = [](const std::string&) { return std::optional<std::string>("http://127.0.0.1:1/services/x"); };
  config::Loaded loaded = config::Load("demo.yaml", environment);
  for (const auto& problem : loaded.problems.All()) ADD_FAILURE() << problem.where.line << ": " << problem.message;
  return loaded.config ? std::move(*loaded.config) : config::Config();
}

class MadeUp : public testing::Test {
 protected:
  MadeUp() : config_(TheConfig()) {
    source_ = MakeSource(config_.sources.at(0), std::make_shared<AgentMap>(config_.agents));
  }
  std::variant<Normalized, Refusal> Read(const MadeUpRequest& request) const {
    return source_->Normalize({request.body, {}, kNow});
  }

  const config::Config config_;
  const MadeUpCalls calls_;
  std::shared_ptr<const Source> source_;
};

TEST_F(MadeUp, StepsAreReadAsThoseOfOneCallOfAnAgentThatTheConfigNames) {
  std::set<std::string> ids;
  for (std::size_t number = 0; number < 2 * calls_.size(); ++number) {
    std::set<std::string> id;
    for (const MadeUpRequest& request : calls_.Requests(number, kNow)) {
      const auto read = Read(request);
      const auto* normalized = std::get_if<Normalized>(&read);
      if (!normalized) continue;
      const auto& event = std::get<CallEvent>(normalized->what);
      id.insert(event.call_id);
      EXPECT_THAT(normalized->note, IsEmpty());
      EXPECT_EQ(event.agent_name, request.agent);
      if (request.has_secret && request.path == config_.sources[0].path) {
        EXPECT_EQ(request.what.substr(0, request.what.find(',')), event.raw_status);
        EXPECT_NE(event.status, CallStatus::kUnknown) << request.what;
      }
    }
    EXPECT_EQ(id.size(), 1U) << number;
    ids.merge(id);
  }
  EXPECT_EQ(ids.size(), 2 * calls_.size()) << "no call is told twice";
}

TEST_F(MadeUp, NumbersAreReservedForFiction) {
  // nationalnanpa.com (555 line numbers), ofcom.org.uk (numbers for drama)
  static const std::regex kReserved(R"(\+1\d{3}55501\d\d|\+442079460\d{3})");
  for (std::size_t number = 0; number < calls_.size(); ++number) {
    const auto read = Read(calls_.Requests(number, kNow).front());
    const auto& event = std::get<CallEvent>(std::get<Normalized>(read).what);
    EXPECT_TRUE(std::regex_match(event.from, kReserved)) << event.from;
    EXPECT_TRUE(std::regex_match(event.to, kReserved)) << event.to;
  }
}

TEST_F(MadeUp, ACallHasWhatBolnaKnowsByThen) {
  for (const MadeUpRequest& request : calls_.Requests(0, kNow)) {
    const auto read = Read(request);
    const auto& event = std::get<CallEvent>(std::get<Normalized>(read).what);
    const bool is_over = request.what == "call-disconnected" || request.what == "completed";
    EXPECT_EQ(event.transcript.size(), is_over ? 5U : 0U) << request.what;
    EXPECT_EQ(event.hangup_by.empty(), !is_over) << request.what;
    EXPECT_EQ(event.summary.empty(), request.what != "completed") << request.what;
    EXPECT_EQ(event.data.contains("General.Outcome"), request.what == "completed") << request.what;
  }
}

TEST_F(MadeUp, OneStepIsSentTwice) {
  const auto requests = calls_.Requests(1, kNow);
  ASSERT_GE(requests.size(), 2U);
  EXPECT_EQ(requests.back().what, "completed, again");
  EXPECT_EQ(requests.back().body, requests[requests.size() - 2].body);
}

TEST_F(MadeUp, SomeRequestsAreForTheRouterToRefuse) {
  std::set<std::string> refused;
  for (std::size_t number = 0; number < 2 * calls_.size(); ++number) {
    for (const MadeUpRequest& request : calls_.Requests(number, kNow)) {
      const auto read = Read(request);
      const bool is_unreadable = std::holds_alternative<Refusal>(read);
      if (is_unreadable || !request.has_secret || request.path != config_.sources[0].path) refused.insert(request.what);
    }
  }
  EXPECT_THAT(refused, testing::ElementsAre("cut body", "no status", "wrong path", "wrong secret"));
}

}  // namespace
}  // namespace hookswitch::demo
