#include "core/delivery/failure_reason.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hookswitch {
namespace {

Outcome Failed(std::string code, int status = 0) {
  Outcome outcome;
  outcome.code = std::move(code);
  outcome.http_status = status;
  return outcome;
}

TEST(FailureReason, IsOneOfFewWhateverTheCode) {
  const auto reason = [](const Outcome& outcome) { return std::string(ToString(FailureReasonOf(outcome))); };
  EXPECT_EQ(reason(Failed("http_503", 503)), "http_5xx");
  EXPECT_EQ(reason(Failed("channel_not_found", 404)), "http_4xx");
  EXPECT_EQ(reason(Failed("http_429", 429)), "rate_limited");
  EXPECT_EQ(reason(Failed("invalid_auth", 200)), "other_answer");
  for (const char* code : {"connect_failed", "dns_failed", "reset", "proxy_refused", "bad_proxy", "private_address"})
    EXPECT_EQ(reason(Failed(code)), "connection") << code;
  EXPECT_EQ(reason(Failed("tls_failed")), "tls");
  EXPECT_EQ(reason(Failed("certificate_problem")), "tls");
  EXPECT_EQ(reason(Failed("timeout")), "timeout");
  EXPECT_EQ(reason(Failed("sqlstate_23505")), "sink");
  EXPECT_EQ(reason(Failed("any word that a plugin makes up")), "sink");
}

TEST(FailureReason, APauseAskedForIsARateLimitWithAnyStatus) {
  Outcome outcome = Failed("http_503", 503);
  outcome.retry_after = std::chrono::seconds(1);
  EXPECT_EQ(FailureReasonOf(outcome), FailureReason::kRateLimited);
}

TEST(FailureReason, ToldFromWhatHookswitchDidWrong) {
  Outcome outcome = Failed("journal_unavailable");
  outcome.ours = true;
  EXPECT_EQ(FailureReasonOf(outcome), FailureReason::kOwn);
  outcome.code = "crashed_twice";
  EXPECT_EQ(FailureReasonOf(outcome), FailureReason::kPlugin) << "although no attempt was made";
}

TEST(FailureReason, HasANameForEach) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kFailureReasons; ++i) names.insert(ToString(static_cast<FailureReason>(i)));
  EXPECT_EQ(names.size(), kFailureReasons);
}

}  // namespace
}  // namespace hookswitch
