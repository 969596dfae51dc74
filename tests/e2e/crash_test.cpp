#include <gtest/gtest.h>

#include <map>

#include "tests/e2e/poster.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

constexpr int kConcurrency = 8;

/// How often each call was posted to Slack.
std::map<std::size_t, int> Arrivals(const FakeSlack& slack) {
  std::map<std::size_t, int> arrivals;
  for (const auto& posted : slack.Posted()) {
    if (const auto number = CallNumberIn(posted.body)) ++arrivals[*number];
  }
  return arrivals;
}

/// Waits until everything accepted has arrived and the router has nothing left to send.
testing::AssertionResult EverythingArrives(const Router& router, const FakeSlack& slack,
                                           const std::set<std::size_t>& accepted) {
  if (!slack.WaitForPosted(accepted.size(), seconds(60)))
    return testing::AssertionFailure() << "still missing after a minute";
  const auto deadline = std::chrono::steady_clock::now() + seconds(30);
  while (std::chrono::steady_clock::now() < deadline) {
    const RawAnswer answer = router.Get("/api/v1/status");
    if (answer.status != 200) return testing::AssertionFailure() << "status: " << answer.status << answer.error;
    if (json::parse(answer.body).at("journal").at("pending") == 0) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "deliveries are still pending";
}

class Killed : public testing::TestWithParam<int> {};

// 5,000 accepted calls, kill -9 while they are accepted and delivered: at another place in each of ten rounds.
TEST_P(Killed, LosesNothingItAccepted) {
  constexpr std::size_t kCalls = 5000;
  const std::size_t kill_after = 250 + 450 * static_cast<std::size_t>(GetParam());
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url(), {"concurrency: " + std::to_string(kConcurrency)});
  config.Write();
  Poster poster(16);
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    poster.Go(router.Ingress(), kCalls);
    poster.WaitForAccepted(kill_after);
    router.Kill();
    poster.Join();
  }
  ASSERT_GE(poster.Accepted().size(), kill_after);
  ASSERT_LT(poster.Accepted().size(), kCalls) << "the kill came while calls were posted";

  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  poster.Go(router.Ingress(), kCalls - poster.Accepted().size());
  poster.Join();
  ASSERT_EQ(poster.Accepted().size(), kCalls) << "after the restart every call is accepted";
  ASSERT_TRUE(EverythingArrives(router, slack, poster.Accepted()));
  EXPECT_EQ(router.Stop(), 0);

  const std::map<std::size_t, int> arrivals = Arrivals(slack);
  std::size_t lost = 0;
  for (const std::size_t number : poster.Accepted()) lost += arrivals.count(number) == 0 ? 1U : 0U;
  EXPECT_EQ(lost, 0U);
  int doubled = 0;
  for (const auto& [number, times] : arrivals) {
    doubled += times - 1;
    EXPECT_LE(times, 2) << "call " << number;
  }
  EXPECT_LE(doubled, kConcurrency) << "at most what was in flight is sent twice";
}

INSTANTIATE_TEST_SUITE_P(TenTimes, Killed, testing::Range(0, 10));

TEST(Crash, AnEventIsOnDiskWhenItIsAnswered) {
  TempDir dir;
  FakeSlack slack;
  slack.GoDown();
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.Write();
  for (std::size_t round = 0; round < 5; ++round) {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.Post(Call(CallId(round))).status, 200);
    router.Kill();
  }
  slack.ComeBack();
  Router router(config.Path());
  ASSERT_TRUE(slack.WaitForPosted(5));
  EXPECT_EQ(Arrivals(slack).size(), 5U);
}

TEST(Crash, ADuplicateIsKnownAfterAKill) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  config.Write();
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
    router.Kill();
  }
  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  EXPECT_EQ(json::parse(router.Post(Call(CallId(1))).body).at("duplicate"), true);
}

}  // namespace
}  // namespace hookswitch::e2e
