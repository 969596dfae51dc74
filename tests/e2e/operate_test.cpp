#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <csignal>

#include <set>
#include <sstream>

#include "tests/e2e/poster.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

#ifdef HSW_SANITIZED
constexpr bool kMeasurable = false;  // sanitizers take several times the memory and time
#else
constexpr bool kMeasurable = true;
#endif

TEST(Operate, HealthReadinessAndMetricsAnswer) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  EXPECT_EQ(router.Get("/healthz").status, 200);
  EXPECT_EQ(router.Get("/readyz").status, 200);
  EXPECT_EQ(router.Get("/nowhere").status, 404);
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("delivery_delivered"));

  const RawAnswer metrics = router.Get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.Header("Content-Type"), HasSubstr("text/plain"));
  std::istringstream lines(metrics.body);
  std::set<std::string> described;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) described.insert(line.substr(7, line.find(' ', 7) - 7));
    if (line.empty() || line.starts_with("#")) continue;
    EXPECT_TRUE(line.starts_with("hookswitch_") || line.starts_with("process_")) << line;
    EXPECT_NE(line.find(' '), std::string::npos) << line;
  }
  for (const char* name : {"hookswitch_journal_pending", "hookswitch_journal_writable", "hookswitch_deliveries_total",
                           "hookswitch_config_last_reload_successful", "hookswitch_build_info"}) {
    EXPECT_TRUE(described.contains(name)) << name;
  }
}

TEST(Operate, TheAdminApiAsksForItsToken) {
  TempDir dir;
  FakeSlack slack;
  WriteFile(dir / "token", "the-admin-token");
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  std::string text = config.Text();
  const std::string open = "admin: {listen: \"127.0.0.1:0\"}";
  text.replace(text.find(open), open.size(),
               "admin: {listen: \"127.0.0.1:0\", token: {file: " + (dir / "token") + "}}");
  WriteFile(config.Path(), text);
  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  EXPECT_EQ(router.Get("/api/v1/status").status, 401);
  const fakes::HeaderList token{{"Authorization", "Bearer the-admin-token"}};
  EXPECT_EQ(fakes::Fetch(router.Admin(), "GET", "/api/v1/status", "", token).status, 200);
  EXPECT_EQ(router.Get("/healthz").status, 200);
}

TEST(Operate, AReloadNeverTakesTheTokenFromAListenerThatStays) {
  TempDir dir;
  FakeSlack slack;
  WriteFile(dir / "token", "the-admin-token");
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  const std::string loopback = "admin: {listen: \"127.0.0.1:0\"}";
  const std::string open = config.Text();
  std::string closed = open;
  closed.replace(closed.find(loopback), loopback.size(),
                 "admin: {listen: \"0.0.0.0:0\", token: {file: " + (dir / "token") + "}}");
  WriteFile(config.Path(), closed);
  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  WriteFile(config.Path(), open);
  router.Process().Signal(SIGHUP);
  ASSERT_TRUE(router.WaitForEvent("restart_needed"));
  EXPECT_EQ(router.Get("/api/v1/status").status, 401);
}

TEST(Operate, WhatNeedsARestartIsShownUntilItIsDoneOrUndone) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  const auto reload = [&] { return json::parse(router.PostAdmin("/api/v1/reload").body); };
  const auto shown = [&] { return json::parse(router.Get("/api/v1/status").body).at("need_restart"); };
  const std::string started = config.Text();
  EXPECT_EQ(shown(), json::array());
  config.server = "{listen: \"127.0.0.1:0\", max_body: 2MiB}";
  config.journal.insert(config.journal.size() - 1, ", max_backlog: 1000");
  config.Write();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reload().at("need_restart"), json::array({"server", "journal"})) << "the second reload changes nothing";
    EXPECT_EQ(shown(), json::array({"server", "journal"}));
    EXPECT_THAT(router.Get("/readyz").body, HasSubstr("a restart is needed for server, journal"));
  }
  WriteFile(config.Path(), started);
  EXPECT_EQ(reload().at("need_restart"), json::array()) << "what the file says is what runs";
  EXPECT_EQ(shown(), json::array());
  EXPECT_THAT(router.Get("/readyz").body, Not(HasSubstr("restart")));
}

TEST(Operate, WhatIsNoHttpIsCountedToo) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url());
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  RawClient client(router.Ingress());
  ASSERT_TRUE(
      client.Send("POST /bolna/webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"));
  EXPECT_EQ(client.Receive().status, 400);
  EXPECT_THAT(router.Get("/metrics").body, HasSubstr("hookswitch_requests_refused_total{reason=\"invalid_request\""));
}

TEST(Operate, APausedSinkHoldsItsDeliveriesUntilResumed) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.Slack("ops", slack.Url("/services/T0/B0/x1")).Slack("oncall", slack.Url("/services/T0/B0/x2"));
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.PostAdmin("/api/v1/sinks/ops/pause").status, 200);
  EXPECT_EQ(router.PostAdmin("/api/v1/sinks/nobody/pause").status, 404);
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  EXPECT_EQ(slack.Posted("/services/T0/B0/x1").size(), 0U);
  ASSERT_EQ(router.PostAdmin("/api/v1/sinks/ops/resume").status, 200);
  EXPECT_TRUE(slack.WaitForPosted(2));
}

// The log, the metrics and the admin API may be seen by many; a call's words and numbers, and what opens doors, may
// not.
TEST(Operate, NoSecretTranscriptOrNumberIsShown) {
  TempDir dir;
  FakeSlack slack;
  slack.Behave({.mode = SlackBehaviour::Mode::kStatus, .status = 500, .word = "rollup_error", .times = 1});
  RouterConfig config(dir);
  WriteFile(dir / "secret", "s3cretOfTheSender");
  config.source =
      "{type: bolna, path: /bolna/webhook, auth: {header: X-Secret, secret: {file: " + (dir / "secret") + "}}}";
  config.Slack("ops", slack.Url("/services/T0/B0/lastSegmentIsTheKey"));
  config.Slack("down", "http://127.0.0.1:1/services/T0/B0/lastSegmentOfAnother");
  config.Slack("gone", slack.Url("/services/T0/B0/lastSegmentOfAThird"));
  slack.Behave("/services/T0/B0/lastSegmentOfAThird",
               {.mode = SlackBehaviour::Mode::kStatus, .status = 403, .word = "invalid_token"});
  config.more = "log: {level: debug}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  const fakes::HeaderList secret{{"X-Secret", "s3cretOfTheSender"}};
  ASSERT_EQ(router.Post(Call(CallId(1)), secret).status, 200);
  ASSERT_EQ(router.Post(Call(CallId(1)), secret).status, 200);
  EXPECT_EQ(router.Post(Call(CallId(2)), {{"X-Secret", "s3cretOfTheSendex"}}).status, 401);
  EXPECT_EQ(router.Post(R"({"status": {"user_number": "+12025550123"}, "id": "yes friday is fine"})", secret).status,
            422);
  EXPECT_EQ(router.Post(R"({"user_number": "+12025550123", "transcript": "yes friday is fine)", secret).status, 400);
  ASSERT_TRUE(slack.WaitForPosted(1));
  ASSERT_TRUE(router.WaitForEvent("delivery_delivered"));
  ASSERT_TRUE(router.WaitForEvents("delivery_retry", 2));
  ASSERT_TRUE(router.WaitForEvent("lane_paused"));
  std::string shown;
  for (const char* page : {"/readyz", "/metrics", "/api/v1/status", "/api/v1/sinks"}) shown += router.Get(page).body;
  EXPECT_EQ(router.Stop(), 0);
  shown += router.Log();
  for (const char* hidden : {"lastSegmentIsTheKey", "lastSegmentOfAnother", "lastSegmentOfAThird", "s3cretOfTheSende",
                             "2025550123", "2025550188", "Northwind", "Priya", "friday"}) {
    EXPECT_THAT(shown, Not(HasSubstr(hidden)));
  }
}

TEST(Operate, EveryLogLineIsOneJsonObjectWithAnEvent) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  router.Post("not json");
  ASSERT_TRUE(router.WaitForEvent("delivery_delivered"));
  EXPECT_EQ(router.Stop(), 0);
  for (const std::string& line : router.Process().Lines()) {
    json::error_code error;
    const json::value value = json::parse(line, error);
    ASSERT_FALSE(error) << line;
    for (const char* key : {"ts", "level", "event"}) EXPECT_TRUE(value.as_object().contains(key)) << line;
  }
}

TEST(Operate, AtRestItIsSmall) {
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(slack.WaitForPosted(1));
  RecordProperty("rss_mb", static_cast<int>(router.Rss() >> 20));
  if (kMeasurable) {
    EXPECT_LT(router.Rss(), 60U << 20);
  }
}

// A body of 1 MiB of small values is some 13 MiB of them once it is read, and several are at once.
TEST(Operate, ItsMemoryComesBackAfterManyLargeBodies) {
  if (!kMeasurable) GTEST_SKIP() << "a sanitizer keeps what was freed";
  constexpr std::size_t kPosts = 64, kBound = 110 << 20;
  TempDir dir;
  FakeSlack slack;
  Router router(RouterConfig(dir).Slack("ops", slack.Url()).Write());
  ASSERT_TRUE(router.Ready());
  const std::string body = Call(CallId(0), {{"custom", json::array(480'000, 1)}});
  ASSERT_LT(body.size(), 1u << 20);
  std::size_t posted = 0;
  for (const int at_once : {8, 32}) {
    SCOPED_TRACE(at_once);
    Poster poster(at_once);
    poster.body = [&, first = posted](std::size_t number) {
      std::string numbered = body;
      for (std::size_t at = 0; (at = numbered.find(CallId(0), at)) != std::string::npos;) {
        numbered.replace(at, CallId(0).size(), CallId(first + number));
        at += CallId(0).size();
      }
      return numbered;
    };
    poster.Go(router.Ingress(), kPosts);
    poster.Join();
    ASSERT_EQ(poster.Accepted().size(), kPosts);
    posted += kPosts;
    ASSERT_TRUE(slack.WaitForPosted(posted));
    EXPECT_GT(router.PeakRss(), kBound * 5 / 4) << "or this would show nothing";
    const auto deadline = std::chrono::steady_clock::now() + seconds(40);
    while (router.Rss() >= kBound && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_LT(router.Rss(), kBound) << "of " << (router.PeakRss() >> 20) << " MiB at the peak";
  }
  RecordProperty("peak_mb", static_cast<int>(router.PeakRss() >> 20));
  RecordProperty("rss_mb", static_cast<int>(router.Rss() >> 20));
}

TEST(Operate, ItStartsFastAndSmallWithABacklogOfAHundredThousand) {
  constexpr std::size_t kBacklog = 100'000;
  TempDir dir;
  FakeSlack slack;
  slack.GoDown();
  RouterConfig config(dir);
  config.Slack("ops", slack.Url(), {"rate_limit: {max: 1, per: 1h, burst: 1}"});
  config.Write();
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    Poster poster(32);
    poster.Go(router.Ingress(), kBacklog);
    poster.Join();
    ASSERT_EQ(poster.Accepted().size(), kBacklog);
    ASSERT_EQ(router.Stop(), 0);
  }
  const auto begin = std::chrono::steady_clock::now();
  Router router(config.Path());
  const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  const milliseconds cpu = router.CpuTime();
  ASSERT_TRUE(router.Ready());
  const json::value status = json::parse(router.Get("/api/v1/status").body);
  EXPECT_EQ(status.at("journal").at("pending"), kBacklog);
  EXPECT_EQ(router.Post(Call(CallId(kBacklog))).status, 200);
  RecordProperty("start_ms", static_cast<int>(took.count()));
  RecordProperty("rss_mb", static_cast<int>(router.Rss() >> 20));
  RecordProperty("start_cpu_ms", static_cast<int>(cpu.count()));
  if (kMeasurable) {
    // CPU time, so that a busy machine does not make a fast start look slow.
    EXPECT_LT(cpu, seconds(2));
    EXPECT_LT(router.Rss(), 150U << 20);
  }
}

}  // namespace
}  // namespace hookswitch::e2e
