#include "core/admin/admin_api.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class AdminApiTest : public testing::Test {
 protected:
  AdminApiTest() {
    router_.parts = {{"journal", false, ""}};
    router_.status.version = "9.9.9";
    router_.status.generation = 3;
    router_.status.journal.pending = 7;
    router_.resumed.how = Dispatcher::Resumed::How::kWorks;
  }

  /// What the server does with a request.
  Answer Ask(std::string_view method, std::string_view target, Headers headers = {}, std::string_view body = {}) {
    if (std::none_of(headers.begin(), headers.end(), [](const auto& header) { return header.first == "Host"; })) {
      headers.emplace_back("Host", "127.0.0.1:8001");
    }
    const auto mark = std::min(target.find('?'), target.size());
    const ServedRequest request{
        method, target.substr(0, mark), target.substr(std::min(mark + 1, target.size())), body, "127.0.0.1", headers};
    const HeadVerdict verdict = guard_.Judge(request);
    if (verdict.answer) return *verdict.answer;
    return api_.Handle(request, static_cast<const Caller&>(*verdict.context));
  }
  Answer Post(std::string_view path, std::string_view body = {}) { return Ask("POST", path, {}, body); }
  void WithToken() {
    config::Admin admin;
    admin.token = Secret("s3cret");
    guard_.Use(admin);
  }
  static Headers Bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

  static json::object Json(const Answer& answer) { return json::parse(answer.body).as_object(); }

  FakeClock clock_;
  MemoryJournal journal_{MemoryJournal::MakeDisk(), 0};
  FakeHistory rows_;
  FakeRouter router_;
  HistoryApi history_{rows_, journal_, clock_, router_};
  Metrics metrics_;
  AdminGuard guard_{config::Admin{}, clock_, metrics_};
  AdminApi api_{router_, history_, guard_, clock_, metrics_};
};

TEST_F(AdminApiTest, HealthIsFineWhileTheProcessAnswers) {
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
}

TEST_F(AdminApiTest, ReadyNamesTheFailingPart) {
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  router_.parts = {{"journal", true, "no space left on the disk"}, {"ingress", false, ""}};
  const Answer answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json(answer).at("ready"), false);
  EXPECT_EQ(Json(answer).at("parts").at("journal"), "no space left on the disk");
  EXPECT_EQ(Json(answer).at("parts").at("ingress"), "ok");
}

TEST_F(AdminApiTest, ASinkInTroubleIsShownButDoesNotFailReadiness) {
  router_.parts.push_back({"sink ops", false, "misconfigured: invalid_token"});
  const Answer answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json(answer).at("parts").at("sink ops"), "misconfigured: invalid_token");
}

TEST_F(AdminApiTest, ReadyWithoutTheTokenSaysWhichPartFailsAndNothingMore) {
  WithToken();
  router_.parts = {{"journal", true, "/var/lib/hookswitch/journal.db: no space left on the disk"},
                   {"config", false, "the last reload failed: 3 problem(s)"},
                   {"sink payroll-alerts", false, "misconfigured: Slack said: no_team for Northwind"}};
  const Answer answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({"ready": false, "parts": {"journal": "failing"}})"));
  const Answer whole = Ask("GET", "/readyz", Bearer("s3cret"));
  EXPECT_EQ(whole.status, 503);
  EXPECT_EQ(Json(whole).at("parts").at("sink payroll-alerts"), json::string(router_.parts[2].note));
  router_.parts[0].failing = false;
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  EXPECT_EQ(json::parse(Ask("GET", "/readyz").body), json::parse(R"({"ready": true, "parts": {}})"));
}

TEST_F(AdminApiTest, WithoutTokensAProbeFromElsewhereLearnsWhichPartFailsAndNothingMore) {
  router_.parts = {{"journal", true, "no space left on the disk"}, {"sink ops", false, "paused"}};
  for (const Headers& headers : {Headers{{"Host", "router.internal"}}, Headers{{"X-Forwarded-For", "192.0.2.7"}}}) {
    EXPECT_EQ(json::parse(Ask("GET", "/readyz", headers).body),
              json::parse(R"({"ready": false, "parts": {"journal": "failing"}})"));
  }
}

TEST_F(AdminApiTest, ATokenIsAskedForEverywhereButHealthAndReadiness) {
  WithToken();
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  for (const char* path : {"/metrics", "/api/v1/status", "/api/v1/sinks", "/api/v1/events", "/api/v1/deliveries/d-1",
                           "/api/v1/refused", "/no/such/page"}) {
    EXPECT_EQ(Ask("GET", path).status, 401) << path;
    EXPECT_EQ(Ask("GET", path, Bearer("wrong")).status, 401) << path;
    EXPECT_NE(Ask("GET", path, Bearer("s3cret")).status, 401) << path;
  }
}

TEST_F(AdminApiTest, ATokenIsGivenForACookie) {
  WithToken();
  const Answer answer = Ask("POST", kSignInPath, Bearer("s3cret"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Json(answer).at("who"), "admin.token");
  EXPECT_EQ(Json(answer).at("may"), "change");
  EXPECT_EQ(Json(answer).at("expires_in"), 43200);
  ASSERT_EQ(answer.headers.size(), 1u);
  EXPECT_EQ(answer.headers[0].first, "Set-Cookie");
  const std::string& set = answer.headers[0].second;
  const Headers cookie{{"Cookie", set.substr(0, set.find(';'))}, {"Origin", "http://127.0.0.1:8001"}};
  EXPECT_EQ(Ask("GET", "/api/v1/status", cookie).status, 200);
  EXPECT_EQ(Ask("POST", "/api/v1/reload", cookie).status, 422);
  EXPECT_EQ(Ask("POST", kSignInPath, cookie).status, 401) << "or a cookie would never end";
  EXPECT_EQ(Ask("POST", kSignInPath).status, 401);
  EXPECT_EQ(Ask("GET", kSignInPath, Bearer("s3cret")).allow, "POST");
}

TEST_F(AdminApiTest, WhereNoTokenIsAskedForNobodyNeedsACookie) {
  const Answer answer = Ask("POST", kSignInPath);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.headers.empty());
  EXPECT_EQ(Json(answer).at("may"), "change");
}

TEST_F(AdminApiTest, MetricsAreInThePrometheusTextFormat) {
  metrics_.MakeCounter("hookswitch_things_total", "Things").Add(3);
  const Answer answer = Ask("GET", "/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.content_type.starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(answer.body.find("hookswitch_things_total 3"), std::string::npos) << answer.body;
}

TEST_F(AdminApiTest, StatusSaysVersionGenerationAndJournal) {
  const auto status = Json(Ask("GET", "/api/v1/status"));
  EXPECT_EQ(status.at("version"), "9.9.9");
  EXPECT_EQ(status.at("generation"), 3);
  EXPECT_EQ(status.at("journal").at("pending"), 7);
  EXPECT_TRUE(status.at("journal").at("unwritable_because").is_null());
}

TEST_F(AdminApiTest, ReloadAnswersTheGenerationOrEveryProblem) {
  router_.report = {true, 4, {}, {"server.listen"}, {{"old", 3}}, {"SLACK_WEBHOOK_URL"}};
  Answer answer = Ask("POST", "/api/v1/reload");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json(answer).at("generation"), 4);
  EXPECT_EQ(Json(answer).at("need_restart").at(0), "server.listen");
  EXPECT_EQ(Json(answer).at("orphaned").at(0), (json::object{{"sink", "old"}, {"pending", 3}}));
  EXPECT_EQ(Json(answer).at("kept_variables").at(0), "SLACK_WEBHOOK_URL");

  config::Problem problem;
  problem.message = "\"rulez\" is not a key";
  problem.where.line = 7;
  router_.report = {false, 4, {problem, problem}, {}};
  answer = Ask("POST", "/api/v1/reload");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(Json(answer).at("problems").as_array().size(), 2u);
  EXPECT_EQ(Json(answer).at("problems").at(0).at("line"), 7);
}

TEST_F(AdminApiTest, ReadingNeverReloads) {
  const Answer answer = Ask("GET", "/api/v1/reload");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.allow, "POST");
}

TEST_F(AdminApiTest, SinksAreListedPausedAndResumed) {
  LaneStatus lane;
  lane.sink = "ops";
  lane.pending = 12;
  lane.places = {{"C0ARCHIVED", "is_archived", 3, clock_.Wall()}};
  router_.lanes = {lane};
  const json::value shown = Json(Ask("GET", "/api/v1/sinks")).at("sinks").at(0);
  EXPECT_EQ(shown.at("pending"), 12);
  EXPECT_EQ(shown.at("places"), json::parse(R"([{"name": "C0ARCHIVED", "because": "is_archived", "waiting": 3,
                                                 "next_try": "2026-03-04T09:02:03.114Z"}])"));
  EXPECT_EQ(Post("/api/v1/sinks/ops/pause").status, 200);
  EXPECT_EQ(router_.asked, "ops paused");
  EXPECT_EQ(router_.paused, Pause{});
  EXPECT_EQ(Post("/api/v1/sinks/ops/resume").status, 200);
  EXPECT_EQ(router_.asked, "ops resumed");
  EXPECT_EQ(Post("/api/v1/sinks/nobody/pause").status, 404);
  EXPECT_EQ(Post("/api/v1/sinks/../reload?x=/pause").status, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/sinks/ops/pause").status, 405);
}

TEST_F(AdminApiTest, APauseHasAnEndAndAReason) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  const WallTime now = clock_.Wall();
  Answer answer = Post("/api/v1/sinks/ops/pause", R"({"until": "2h", "because": "carrier maintenance"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(router_.paused.until, now + std::chrono::hours(2));
  EXPECT_EQ(router_.paused.because, "carrier maintenance");
  EXPECT_EQ(Json(answer).at("until"), "2026-03-04T11:02:03.114Z");
  EXPECT_EQ(Json(answer).at("because"), "carrier maintenance");
  answer = Post("/api/v1/sinks/ops/pause", R"({"until": "2026-03-04T18:00:00+05:30", "reason": "lunch"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(router_.paused.until, ParseTime("2026-03-04T12:30:00Z"));
  EXPECT_EQ(router_.paused.because, "lunch");
}

TEST_F(AdminApiTest, APauseThatIsWrongPausesNothingAndSaysWhy) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  const std::pair<std::string, const char*> cases[] = {{R"({"untill": "2h"})", "did you mean \"until\""},
                                                       {R"({"until": "2h", "paused": true})", "\"paused\""},
                                                       {R"({"until": "tomorrow"})", "until"},
                                                       {R"({"until": "18:00"})", "until"},
                                                       {R"({"until": 7})", "until"},
                                                       {R"({"until": ""})", "until"},
                                                       {R"({"until": "0s"})", "not in the future"},
                                                       {R"({"until": "2026-03-04T09:02:03Z"})", "not in the future"},
                                                       {R"({"until": "9999-01-01T00:00:00Z"})", "ten years"},
                                                       {R"({"because": null})", "because"},
                                                       {R"({"because": "a", "reason": "b"})", "the same"},
                                                       {R"({"because": ")" + std::string(501, 'x') + R"("})", "500"},
                                                       {R"(["until"])", "not a JSON object"},
                                                       {R"({"until": "2h")", "not a JSON object"},
                                                       {"until=2h", "not a JSON object"}};
  for (const auto& [body, named] : cases) {
    const Answer answer = Post("/api/v1/sinks/ops/pause", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(std::string(Json(answer).at("detail").as_string()).find(named), std::string::npos) << answer.body;
  }
  EXPECT_EQ(Post("/api/v1/sinks/ops/pause?until=2h").status, 400);
  EXPECT_EQ(router_.asked, "");
}

TEST_F(AdminApiTest, AnUnknownKeyInAnyBodyIsNamed) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  rows_.AddDelivery(1, DeliveryState::kDead);
  const std::string event = rows_.events[1].id;
  for (const std::string& path :
       {std::string("/api/v1/reload"), std::string("/api/v1/session"), std::string("/api/v1/sinks/ops/pause"),
        std::string("/api/v1/sinks/ops/resume"), std::string("/api/v1/deliveries/d-1/replay"),
        std::string("/api/v1/deliveries/replay"), std::string("/api/v1/deliveries/purge"),
        "/api/v1/events/" + event + "/replay"}) {
    const Answer answer = Post(path, R"({"frobnicate": true})");
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_NE(answer.body.find("frobnicate"), std::string::npos) << path << answer.body;
  }
  for (const char* path : {"/api/v1/status", "/api/v1/sinks", "/api/v1/events", "/api/v1/deliveries/d-1",
                           "/api/v1/deliveries", "/api/v1/refused"}) {
    EXPECT_EQ(Ask("GET", path, {}, R"({"frobnicate": true})").status, 400) << path;
    EXPECT_EQ(Ask("GET", std::string(path) + "?frobnicate=1").status, 400) << path;
  }
  EXPECT_EQ(router_.asked, "");
  EXPECT_EQ(rows_.deliveries[1].summary.state, DeliveryState::kDead);
}

TEST_F(AdminApiTest, APauseThatCannotBeStoredSaysSo) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  router_.stored = Error{ErrorCode::kUnavailable, "no space left on the disk"};
  Answer answer = Post("/api/v1/sinks/ops/pause");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json(answer).at("error"), "not_stored");
  EXPECT_EQ(
      Json(answer).at("detail"),
      "the sink is paused, but that could not be stored, so a restart would forget it: no space left on the disk");
  router_.resumed.stored = router_.stored;
  answer = Post("/api/v1/sinks/ops/resume");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json(answer).at("error"), "not_stored");
}

TEST_F(AdminApiTest, ResumeSaysHowItWent) {
  using How = Dispatcher::Resumed::How;
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  const std::tuple<How, json::value, const char*> cases[] = {
      {How::kWorks, true, nullptr},
      {How::kFails, false, "Slack said: invalid_token"},
      {How::kNothingToTry, nullptr, "nothing waits, so nothing was tried"},
      {How::kNotKnownYet, nullptr, "what was tried has no outcome yet"}};
  for (const auto& [how, works, because] : cases) {
    router_.resumed.how = how;
    router_.resumed.because = how == How::kFails ? because : "";
    const json::object told = Json(Post("/api/v1/sinks/ops/resume"));
    EXPECT_EQ(told.at("works"), works);
    EXPECT_EQ(told.at("because"), because ? json::value(because) : json::value(nullptr));
  }
}

TEST_F(AdminApiTest, HistoryIsServedAndGuardedLikeTheRest) {
  rows_.AddDelivery(1, DeliveryState::kDead);
  EXPECT_EQ(Ask("GET", "/api/v1/events").status, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/deliveries/d-1").status, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/deliveriesandmore").status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/deliveries/d-1/replay", {{"Origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(rows_.deliveries[1].summary.state, DeliveryState::kDead);
}

TEST_F(AdminApiTest, UnknownPagesAre404WithJson) {
  const Answer answer = Ask("GET", "/api/v2/anything");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(Json(answer).at("error"), "not_found");
}

}  // namespace
}  // namespace hookswitch
