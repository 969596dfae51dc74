#include "core/admin/admin_api.h"

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "tests/admin/admin_fixture.h"

namespace hookswitch {
namespace {

using AdminApiTest = AdminApiFixture;
using Headers = AdminApiTest::Headers;

TEST_F(AdminApiTest, HealthIsFineWhileTheProcessAnswers) {
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
}

TEST_F(AdminApiTest, WhoeverMayReadGetsANonceAndItsProof) {
  EXPECT_EQ(Ask("GET", "/api/v1/reach").body, "{\"nonce\":\"7-nonce\",\"proof\":\"proof\"}\n");
  WithToken();
  EXPECT_EQ(Ask("GET", "/api/v1/reach").status, 401);
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

TEST_F(AdminApiTest, ThePageComesByALinkFromAnywhereWhatItAsksForDoesNot) {
  const Headers elsewhere{{"Host", "router.example.com"},
                          {"X-Forwarded-For", "192.0.2.7"},
                          {"Sec-Fetch-Site", "cross-site"},
                          {"Sec-Fetch-Mode", "navigate"}};
  for (const bool with_token : {false, true}) {
    if (with_token) WithToken();
    for (const char* path : {"/", "/page/index.html"}) {
      EXPECT_EQ(Ask("GET", path, elsewhere).status, 200) << path;
      EXPECT_EQ(Ask("GET", path, Bearer("wrong")).status, 200) << "it says nothing about tokens";
    }
    const Answer answer = Ask("GET", "/api/v1/status", elsewhere);
    EXPECT_EQ(answer.status, with_token ? 401 : 403);
    EXPECT_EQ(Json(answer).at("ok"), false) << "in JSON, whoever asks";
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
  EXPECT_EQ(status.at("bodies"), "full");
  router_.config->bodies = config::Bodies::kMasked;
  EXPECT_EQ(Json(Ask("GET", "/api/v1/status")).at("bodies"), "masked");
}

TEST_F(AdminApiTest, StatusSaysWhoAsksAndWhatNeedsAPerson) {
  WithToken();
  router_.status.name = "router-1";
  LaneStatus lane;
  lane.sink = "ops";
  lane.state = LaneStatus::State::kFailing;
  lane.because = "it is down";
  lane.since = lane.until = clock_.Wall();
  router_.lanes = {lane};
  const auto status = Json(Ask("GET", "/api/v1/status", Bearer("s3cret")));
  EXPECT_EQ(status.at("name"), "router-1");
  EXPECT_EQ(status.at("who"), "admin.token");
  EXPECT_EQ(status.at("may"), "change");
  EXPECT_EQ(status.at("problems"), json::parse(R"([{"severity": "error", "kind": "sink", "name": "ops",
      "since": "2026-03-04T09:02:03.114Z", "until": "2026-03-04T09:02:03.114Z",
      "text": "ops is failing: it is down", "hint": "it is tried again by itself"}])"));
}

TEST_F(AdminApiTest, AReloadIsByWhoAsksForIt) {
  WithToken();
  (void)Ask("POST", "/api/v1/reload", Bearer("s3cret"));
  EXPECT_EQ(router_.asked, "reload by admin.token");
}

TEST_F(AdminApiTest, ASinkIsListedWithItsPolicyAndItsLastHour) {
  LaneStatus lane;
  lane.sink = "ops";
  lane.plugin = "slack";
  lane.fallback = "mail";
  lane.rate = {5, std::chrono::milliseconds(1500), 10};
  lane.concurrency = 3;
  lane.since = clock_.Wall();
  auto counts = std::make_shared<HourCounts>();
  counts->Count(HourCounts::What::kDelivered, clock_.Wall());
  counts->Count(HourCounts::What::kDead, clock_.Wall() - std::chrono::minutes(59));
  lane.last_hour = counts;
  LaneStatus bare;
  bare.sink = "gone";
  router_.lanes = {lane, bare};
  const json::object sinks = Json(Ask("GET", "/api/v1/sinks"));
  const json::value& shown = sinks.at("sinks").at(0);
  EXPECT_EQ(shown.at("plugin"), "slack");
  EXPECT_EQ(shown.at("fallback"), "mail");
  EXPECT_EQ(shown.at("rate"), json::parse(R"({"max": 5, "per": 1.5, "burst": 10})"));
  EXPECT_EQ(shown.at("concurrency"), 3);
  EXPECT_EQ(shown.at("since"), "2026-03-04T09:02:03.114Z");
  const json::value& hour = shown.at("last_hour");
  EXPECT_EQ(hour.at("from"), "2026-03-04T08:03:00Z");
  EXPECT_EQ(hour.at("step"), 60);
  EXPECT_EQ(hour.at("delivered").as_array().size(), 60u);
  EXPECT_EQ(hour.at("delivered").at(59), 1);
  EXPECT_EQ(hour.at("dead").at(0), 1);
  EXPECT_EQ(hour.at("retried").at(30), 0);
  const json::value& other = sinks.at("sinks").at(1);
  for (const char* key : {"plugin", "fallback", "rate", "concurrency", "since"}) {
    EXPECT_TRUE(other.at(key).is_null()) << key;
  }
}

TEST_F(AdminApiTest, ARouterThatIsAloneIsItsCluster) {
  LaneStatus lane;
  lane.sink = "ops";
  router_.lanes = {lane};
  const json::object answer = Json(Ask("GET", "/api/v1/cluster"));
  const json::array& routers = answer.at("routers").as_array();
  ASSERT_EQ(routers.size(), 1u);
  EXPECT_EQ(routers[0].at("lanes"), json::array{"ops"});
  EXPECT_EQ(routers[0].at("this"), true);
  EXPECT_EQ(Json(Ask("POST", "/api/v1/cluster/reload")).at("asked"), json::array());
}

TEST_F(AdminApiTest, RoutersThatShareAJournalAreListedAndAskedToReload) {
  struct Two final : Cluster {
    void Introduce(std::string, std::string, std::vector<std::string>) override {}
    Result<std::vector<RouterCard>> Routers() override {
      if (is_away) return Error{ErrorCode::kUnavailable, "the server does not answer"};
      return std::vector<RouterCard>{
          {.name = "router-1", .version = "1.0", .config = "ab", .sinks = {"mail", "ops"}, .delivers = true},
          {.name = "router-2", .sinks = {"ops"}, .is_this = true, .age = std::chrono::milliseconds(1500)}};
    }
    Result<std::vector<std::string>> AskOthersToReload() override {
      if (is_away) return Error{ErrorCode::kUnavailable, "the server does not answer"};
      return std::vector<std::string>{"router-1"};
    }
    bool is_away = false;
  } two;
  router_.routers = &two;
  const json::object answer = Json(Ask("GET", "/api/v1/cluster"));
  const json::value &one = answer.at("routers").at(0), &other = answer.at("routers").at(1);
  EXPECT_EQ(one.at("name"), "router-1");
  EXPECT_EQ(one.at("version"), "1.0");
  EXPECT_EQ(one.at("config"), "ab");
  EXPECT_EQ(one.at("lanes"), (json::array{"mail", "ops"}));
  EXPECT_EQ(one.at("this"), false);
  EXPECT_EQ(other.at("lanes"), json::array()) << "another one delivers";
  EXPECT_EQ(other.at("lease_age").as_double(), 1.5);
  EXPECT_EQ(other.at("this"), true);
  EXPECT_EQ(Json(Ask("POST", "/api/v1/cluster/reload")).at("asked"), json::array{"router-1"});
  two.is_away = true;
  EXPECT_EQ(Ask("GET", "/api/v1/cluster").status, 503);
  EXPECT_EQ(Ask("POST", "/api/v1/cluster/reload").status, 503);
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

TEST_F(AdminApiTest, AThirdReloadAtOnceIsToldToComeAgain) {
  std::vector<int> inner;
  router_.report.applied = true;
  router_.on_reload = [&] {
    if (inner.size() < 2) inner.push_back(Ask("POST", "/api/v1/reload").status);
  };
  EXPECT_EQ(Ask("POST", "/api/v1/reload").status, 200);
  EXPECT_EQ(inner, (std::vector{409, 200})) << "the innermost ends first";
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
  EXPECT_EQ(Post("/api/v1/sinks/nobody/resume").status, 404);
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
        std::string("/api/v1/sinks/ops/resume"), std::string("/api/v1/sinks/ops/test"),
        std::string("/api/v1/deliveries/d-1/replay"), std::string("/api/v1/deliveries/replay"),
        std::string("/api/v1/deliveries/purge"), "/api/v1/events/" + event + "/replay"}) {
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
  router_.stored = router_.resumed.stored = Error{ErrorCode::kInternal, "a disk I/O error"};
  for (const char* path : {"/api/v1/sinks/ops/pause", "/api/v1/sinks/ops/resume"}) {
    answer = Post(path);
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(Json(answer).at("error"), "not_stored") << path;
  }
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

TEST_F(AdminApiTest, ATestOfASinkSaysHowItWent) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  TestResult result;
  result.outcome.kind = Outcome::Kind::kDelivered;
  result.outcome.http_status = 200;
  result.latency = std::chrono::milliseconds(84);
  result.request = "POST https://hooks.slack.com/***";
  router_.tested = result;
  Answer answer = Post("/api/v1/sinks/ops/test");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(router_.asked, "ops tested");
  EXPECT_EQ(json::value(Json(answer)), json::parse(R"({"ok": true, "sink": "ops", "outcome": "delivered",
    "http_status": 200, "code": null, "reason": null, "action": null, "latency_ms": 84,
    "request": "POST https://hooks.slack.com/***", "response": null})"));

  result.outcome.kind = Outcome::Kind::kMisconfigured;
  result.outcome.code = "no_service";
  result.outcome.reason = "Slack said: no_service";
  result.outcome.action = "make a new webhook";
  router_.tested = result;
  answer = Post("/api/v1/sinks/ops/test");
  EXPECT_EQ(answer.status, 200) << "the test was made; its outcome is the answer";
  EXPECT_EQ(Json(answer).at("ok"), false);
  EXPECT_EQ(Json(answer).at("outcome"), "misconfigured");
  EXPECT_EQ(Json(answer).at("action"), "make a new webhook");
}

TEST_F(AdminApiTest, ASinkThatCannotBeTestedSaysWhy) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  router_.tested = Error{ErrorCode::kUnavailable, "no plugin \"slakc\""};
  const Answer unavailable = Post("/api/v1/sinks/ops/test");
  EXPECT_EQ(unavailable.status, 409);
  EXPECT_EQ(Json(unavailable).at("error"), "sink_unavailable");
  EXPECT_EQ(Json(unavailable).at("detail"), "no plugin \"slakc\"");
  router_.tested = Error{ErrorCode::kNotFound, "the config does not have the sink \"ops\""};
  EXPECT_EQ(Post("/api/v1/sinks/ops/test").status, 404);
  router_.tested = Error{ErrorCode::kInternal, "out of memory"};
  EXPECT_EQ(Post("/api/v1/sinks/ops/test").status, 500);
  router_.asked.clear();
  EXPECT_EQ(Post("/api/v1/sinks/opps/test").status, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/sinks/ops/test").allow, "POST");
  EXPECT_EQ(router_.asked, "");
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
