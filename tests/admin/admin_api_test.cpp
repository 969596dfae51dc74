#include "core/admin/admin_api.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/json.h"
#include "tests/admin/fake_history.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class AdminApiTest : public testing::Test {
 protected:
  AdminApiTest() {
    AdminHooks hooks;
    hooks.parts = [this] { return parts_; };
    hooks.status = [] {
      RouterStatus status;
      status.version = "9.9.9";
      status.generation = 3;
      status.journal.pending = 7;
      return status;
    };
    hooks.lanes = [this] { return lanes_; };
    hooks.reload = [this] { return report_; };
    hooks.pause = [this](const std::string& sink, const Pause&) {
      asked_ = sink + " paused";
      return Ok();
    };
    hooks.resume = [this](const std::string& sink) {
      asked_ = sink + " resumed";
      return Dispatcher::Resumed{.how = Dispatcher::Resumed::How::kFails, .because = "a key is wrong"};
    };
    HistoryHooks history_hooks;
    history_hooks.lanes = hooks.lanes;
    history_ = std::make_unique<HistoryApi>(rows_, journal_, clock_, std::move(history_hooks));
    api_ = std::make_unique<AdminApi>(std::move(hooks), *history_, metrics_);
  }

  Answer Ask(std::string_view method, std::string_view path, Headers headers = {}, const Secret& token = Secret()) {
    if (std::none_of(headers.begin(), headers.end(), [](const auto& header) { return header.first == "Host"; })) {
      headers.emplace_back("Host", "127.0.0.1:8001");
    }
    const ServedRequest request{method, path, "", "", "127.0.0.1", headers};
    return api_->Handle(request, token);
  }

  static json::object Json(const Answer& answer) { return json::parse(answer.body).as_object(); }

  FakeClock clock_;
  MemoryJournal journal_{MemoryJournal::MakeDisk(), 0};
  FakeHistory rows_;
  std::unique_ptr<HistoryApi> history_;
  Metrics metrics_;
  std::vector<Part> parts_{{"journal", false, ""}};
  std::vector<LaneStatus> lanes_;
  ReloadReport report_;
  std::string asked_;
  std::unique_ptr<AdminApi> api_;
};

TEST_F(AdminApiTest, HealthIsFineWhileTheProcessAnswers) {
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
}

TEST_F(AdminApiTest, ReadyNamesTheFailingPart) {
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  parts_ = {{"journal", true, "no space left on the disk"}, {"ingress", false, ""}};
  const Answer answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json(answer).at("ready"), false);
  EXPECT_EQ(Json(answer).at("parts").at("journal"), "no space left on the disk");
  EXPECT_EQ(Json(answer).at("parts").at("ingress"), "ok");
}

TEST_F(AdminApiTest, ASinkInTroubleIsShownButDoesNotFailReadiness) {
  parts_.push_back({"sink ops", false, "misconfigured: invalid_token"});
  const Answer answer = Ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json(answer).at("parts").at("sink ops"), "misconfigured: invalid_token");
}

TEST_F(AdminApiTest, ATokenIsAskedForEverywhereButHealthAndReadiness) {
  const Secret token("s3cret");
  EXPECT_EQ(Ask("GET", "/healthz", {}, token).status, 200);
  EXPECT_EQ(Ask("GET", "/readyz", {}, token).status, 200);
  for (const char* path :
       {"/metrics", "/api/v1/status", "/api/v1/sinks", "/api/v1/events", "/api/v1/deliveries/d-1", "/no/such/page"}) {
    EXPECT_EQ(Ask("GET", path, {}, token).status, 401) << path;
    EXPECT_EQ(Ask("GET", path, {{"Authorization", "Bearer wrong"}}, token).status, 401) << path;
    EXPECT_EQ(Ask("GET", path, {{"Authorization", "s3cret"}}, token).status, 401) << path;
    EXPECT_NE(Ask("GET", path, {{"authorization", "Bearer s3cret"}}, token).status, 401) << path;
  }
}

TEST_F(AdminApiTest, WithoutATokenAPageInABrowserIsRefused) {
  EXPECT_EQ(Ask("POST", "/api/v1/reload", {{"Host", "127.0.0.1:8001"}, {"Origin", "https://evil.example"}}).status,
            403);
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8001", "", "10.0.0.1"}) {
    EXPECT_EQ(Ask("GET", "/api/v1/status", {{"Host", host}}).status, 403) << host;
  }
  for (const char* host : {"localhost:8001", "127.0.0.1", "[::1]:8001", "127.1.2.3:80"}) {
    EXPECT_EQ(Ask("GET", "/api/v1/status", {{"Host", host}}).status, 200) << host;
  }
  EXPECT_EQ(Ask("GET", "/readyz", {{"Host", "router.internal"}}).status, 200) << "probes come under any name";
  EXPECT_EQ(Ask("GET", "/metrics", {{"Host", "router.internal"}, {"Authorization", "Bearer t"}}, Secret("t")).status,
            200);
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
  report_ = {true, 4, {}, {"server.listen"}, {{"old", 3}}, {"SLACK_WEBHOOK_URL"}};
  Answer answer = Ask("POST", "/api/v1/reload");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Json(answer).at("generation"), 4);
  EXPECT_EQ(Json(answer).at("need_restart").at(0), "server.listen");
  EXPECT_EQ(Json(answer).at("orphaned").at(0), (json::object{{"sink", "old"}, {"pending", 3}}));
  EXPECT_EQ(Json(answer).at("kept_variables").at(0), "SLACK_WEBHOOK_URL");

  config::Problem problem;
  problem.message = "\"rulez\" is not a key";
  problem.where.line = 7;
  report_ = {false, 4, {problem, problem}, {}};
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
  lanes_ = {lane};
  EXPECT_EQ(Json(Ask("GET", "/api/v1/sinks")).at("sinks").at(0).at("pending"), 12);
  EXPECT_EQ(Ask("POST", "/api/v1/sinks/ops/pause").status, 200);
  EXPECT_EQ(asked_, "ops paused");
  EXPECT_EQ(Ask("POST", "/api/v1/sinks/ops/resume").status, 200);
  EXPECT_EQ(asked_, "ops resumed");
  EXPECT_EQ(Ask("POST", "/api/v1/sinks/nobody/pause").status, 404);
  EXPECT_EQ(Ask("GET", "/api/v1/sinks/ops/pause").status, 405);
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
