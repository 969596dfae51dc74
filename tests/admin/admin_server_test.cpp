#include "core/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "core/base/json.h"
#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/memory_journal.h"
#include "tests/ingress/raw_client.h"
#include "tests/ingress/server_fixture.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using testing::BodyOf;
using ::testing::ElementsAre;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using testing::StatusOf;
using Steady = std::chrono::steady_clock;

constexpr std::string_view kToken = "the-admin-token";
constexpr milliseconds kAtOnce{1000};  // what waits for the others here would wait for ever

std::string Request(std::string_view method, std::string_view path, std::string_view body = "",
                    std::string_view token = kToken) {
  std::string text = std::string(method) + ' ' + std::string(path) + " HTTP/1.1\r\nHost: router.internal\r\n";
  if (!token.empty()) text += "Authorization: Bearer " + std::string(token) + "\r\n";
  return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// Reloads and resumes as long as the test holds it up.
struct GatedRouter final : FakeRouter {
  ReloadReport Reload(const std::string&) override {
    reload_gate.Enter();
    return report;
  }
  Dispatcher::Resumed Resume(const std::string&, bool wait) override {
    if (wait) resume_gate.Enter();
    return resumed;
  }

  Gate reload_gate, resume_gate;
};

/// The admin listeners before a router whose parts the test holds up.
class AdminServerTest : public ::testing::Test {
 protected:
  using Clients = std::vector<std::unique_ptr<RawClient>>;

  AdminServerTest() {
    admin_.listen = {{"127.0.0.1", 0}};
    admin_.token = Secret(std::string(kToken));
    router_.lanes.resize(1);
    router_.lanes[0].sink = "ops";
    router_.parts = {{"journal", false, ""}};
    router_.report.applied = true;
    router_.report.generation = 2;
  }
  ~AdminServerTest() override {
    for (Gate* gate : {&router_.reload_gate, &router_.resume_gate, &bulk_gate_}) gate->Open();
    server_.reset();
  }
  void Start() {
    auto started = AdminServer::Start(admin_, router_, history_, clock_, metrics_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    address_ = server_->Address();
  }
  std::string Ask(std::string_view bytes) const {
    RawClient client(address_);
    client.Send(bytes);
    return client.Answer();
  }
  Clients Open(int count, std::string_view bytes = "") const {
    Clients clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawClient>(address_));
      clients.back()->Send(bytes);
    }
    return clients;
  }
  /// How many of `clients` got this status.
  static std::ptrdiff_t CountOf(const Clients& clients, int status) {
    return std::ranges::count_if(clients, [&](const auto& client) { return StatusOf(client->Answer()) == status; });
  }

  SystemClock clock_;
  Metrics metrics_;
  MemoryJournal journal_{MemoryJournal::MakeDisk(), 0};
  FakeHistory rows_;
  config::Admin admin_;
  GatedRouter router_;
  HistoryApi history_{rows_, journal_, clock_, router_};
  Gate bulk_gate_;
  std::unique_ptr<AdminServer> server_;
  std::string address_;
};

TEST_F(AdminServerTest, NothingKeepsHealthFromAnswering) {
  rows_.AddDelivery(1, DeliveryState::kDead);
  rows_.on_page = [this] { bulk_gate_.Enter(); };
  Start();
  const Clients silent = Open(64);
  const Clients half_heads = Open(9, "POST /api/v1/reload HTTP/1.1\r\nHost: a");
  const Clients half_bodies = Open(9, Request("POST", "/api/v1/deliveries/purge", "{}").substr(0, 150));
  const Clients bulk = Open(8, Request("POST", "/api/v1/deliveries/purge", R"({"all": true})"));
  const Clients reloads = Open(3, Request("POST", "/api/v1/reload"));
  const Clients resumes = Open(8, Request("POST", "/api/v1/sinks/ops/resume"));
  ASSERT_TRUE(bulk_gate_.AwaitInside(1));
  ASSERT_TRUE(router_.reload_gate.AwaitInside(2));
  ASSERT_TRUE(router_.resume_gate.AwaitInside(3));
  for (int i = 0; i < 20; ++i) {
    for (const char* path : {"/healthz", "/readyz"}) {
      for (const std::string_view token : {std::string_view(), kToken}) {
        const auto begin = Steady::now();
        EXPECT_EQ(StatusOf(Ask(Request("GET", path, "", token))), 200) << path;
        EXPECT_LT(Steady::now() - begin, kAtOnce) << path;
      }
    }
  }
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/sinks"))), 200) << "others have threads left, too";
  for (Gate* gate : {&router_.reload_gate, &router_.resume_gate, &bulk_gate_}) gate->Open();
  EXPECT_EQ(CountOf(bulk, 409), 7) << "one runs, the others are told at once";
  EXPECT_EQ(CountOf(reloads, 409), 1) << "one runs, one waits";
  EXPECT_EQ(CountOf(resumes, 200), 8) << "all are resumed, whoever waits for the outcome";
}

TEST_F(AdminServerTest, WhoDoesNotReadHoldsUpNobody) {
  router_.lanes[0].because = std::string(8 << 20, 'x');
  Start();
  const Clients deaf = Open(40, Request("GET", "/api/v1/sinks"));
  for (int i = 0; i < 20; ++i) {
    const auto begin = Steady::now();
    EXPECT_EQ(StatusOf(Ask(Request("GET", "/readyz"))), 200);
    EXPECT_LT(Steady::now() - begin, kAtOnce);
  }
}

TEST_F(AdminServerTest, ManyMoreSilentConnectionsThanItHoldsKeepHealthFromNobody) {
  Start();
  const Clients silent = Open(400);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(StatusOf(Ask(Request("GET", "/healthz", "", ""))), 200);
  const Clients guesses = Open(300, Request("GET", "/api/v1/status", "", "a-guess"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(StatusOf(Ask(Request("GET", "/healthz", "", ""))), 200);
}

TEST_F(AdminServerTest, AWrongTokenIsAnsweredLateAndHoldsNoThread) {
  Start();
  const auto begin = Steady::now();
  const Clients guesses = Open(60, Request("GET", "/api/v1/status", "", "a-guess"));
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/status"))), 200);
  const auto right = Steady::now() - begin;
  EXPECT_EQ(CountOf(guesses, 401), 60);
  const auto wrong = Steady::now() - begin;
  EXPECT_GE(wrong, milliseconds(100));
  EXPECT_LT(wrong, 20 * milliseconds(100)) << "all of them at once";
  EXPECT_LT(right, wrong);
}

TEST_F(AdminServerTest, AWrongTokenIsRefusedBeforeItsBodyIsRead) {
  Start();
  RawClient client(address_);
  client.Send(
      "POST /api/v1/deliveries/purge HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a-guess\r\n"
      "Content-Length: 1000000\r\n\r\n{\"all\"");
  const std::string answer = client.Answer();
  EXPECT_EQ(StatusOf(answer), 401);
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer\r\n"));
}

TEST_F(AdminServerTest, AConnectionGoesOnAfterAWrongToken) {
  Start();
  RawClient client(address_);
  client.Send(Request("GET", "/api/v1/status", "", "a-guess") + Request("GET", "/api/v1/status"));
  EXPECT_EQ(StatusOf(client.Answer()), 401);
  EXPECT_EQ(StatusOf(client.Answer()), 200);
  client.Send(Request("GET", "/healthz"));
  EXPECT_EQ(StatusOf(client.Answer()), 200);
}

TEST_F(AdminServerTest, EveryAnswerIsForNobodyElseToKeepOrToGuessAt) {
  Start();
  for (const std::string& bytes :
       {Request("GET", "/healthz"), Request("GET", "/readyz"), Request("GET", "/metrics"),
        Request("GET", "/api/v1/events"), Request("GET", "/no/such/page"), Request("GET", "/api/v1/status", "", ""),
        Request("GET", "/api/v1/status", "", "a-guess"), Request("GET", "/api/v1/reload"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), std::string("nonsense\r\n\r\n")}) {
    const std::string answer = Ask(bytes);
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n")) << bytes;
    EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n")) << bytes;
  }
}

TEST_F(AdminServerTest, ThePageMayBeKeptButIsAskedForEachTime) {
  Start();
  const std::string answer = Ask(Request("GET", "/", "", ""));
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-cache\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("no-store")));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
  const auto at = answer.find("ETag: ") + 6;
  const std::string tag = answer.substr(at, answer.find('\r', at) - at);
  const std::string again = Ask("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + tag + "\r\n\r\n");
  EXPECT_EQ(StatusOf(again), 304);
  EXPECT_EQ(BodyOf(again), "");
}

TEST_F(AdminServerTest, WhatAnOperatorDidIsRecordedAndListed) {
  router_.reload_gate.Open();
  Start();
  EXPECT_EQ(StatusOf(Ask(Request("POST", "/api/v1/sinks/ops/pause", R"({"until":"2h"})"))), 200);
  EXPECT_EQ(StatusOf(Ask(Request("POST", "/api/v1/sinks/opps/pause"))), 404);
  EXPECT_EQ(StatusOf(Ask(Request("POST", "/api/v1/deliveries/purge", R"({"all":true,"dry_run":true})"))), 200);
  EXPECT_EQ(StatusOf(Ask(Request("POST", "/api/v1/session"))), 200);
  EXPECT_EQ(StatusOf(Ask(Request("POST", "/api/v1/reload"))), 200);
  const std::string answer = Ask(Request("GET", "/api/v1/actions?limit=1"));
  ASSERT_EQ(StatusOf(answer), 200) << answer;
  const json::value first = json::parse(std::string(BodyOf(answer)));
  ASSERT_EQ(first.at("actions").as_array().size(), 1u);
  EXPECT_EQ(first.at("actions").at(0).at("action"), "reload");
  const std::string cursor(first.at("cursor").as_string().c_str());
  const json::value second =
      json::parse(std::string(BodyOf(Ask(Request("GET", "/api/v1/actions?limit=5&cursor=" + cursor)))));
  ASSERT_EQ(second.at("actions").as_array().size(), 1u) << "a rejected request and a dry run are none";
  EXPECT_TRUE(second.at("cursor").is_null());
  const json::value& pause = second.at("actions").at(0);
  EXPECT_EQ(pause.at("action"), "pause");
  EXPECT_EQ(pause.at("who"), "admin.token");
  EXPECT_EQ(pause.at("peer"), "127.0.0.1");
  EXPECT_EQ(pause.at("detail").at("until"), "2h");
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/actions?who=ana"))), 400);
  EXPECT_EQ(StatusOf(Ask(Request("POST", "/api/v1/actions"))), 405);
}

TEST_F(AdminServerTest, ListensOnSeveralAddressesAndAsksTheSocketForNoToken) {
  char folder[] = "/tmp/hookswitch-admin-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string socket = std::string("unix:") + folder + "/admin.sock";
  admin_.listen.push_back({socket, 0});
  Start();
  ASSERT_THAT(address_, HasSubstr(", " + socket));
  address_ = address_.substr(0, address_.find(','));
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/status", "", ""))), 401);
  address_ = socket;
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/status", "", ""))), 200);
  const std::string who = Ask(Request("POST", "/api/v1/session", "", ""));
  EXPECT_EQ(StatusOf(who), 200) << who;
  EXPECT_TRUE(json::parse(std::string(BodyOf(who))).at("who").is_string()) << who;
  server_.reset();
  EXPECT_EQ(::rmdir(folder), 0) << "the socket's file is gone with the listener";
}

TEST_F(AdminServerTest, AReloadBringsOtherTokensButNeverNoneToAListenerThatStays) {
  Start();
  config::Admin next = admin_;
  next.token = Secret("another-token");
  EXPECT_TRUE(server_->Use(next));
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/status"))), 401);
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/status", "", "another-token"))), 200);
  next.listen = {{"127.0.0.1", 1}};
  next.token = Secret();
  EXPECT_FALSE(server_->Use(next)) << "needs a restart";
  EXPECT_EQ(StatusOf(Ask(Request("GET", "/api/v1/status", "", ""))), 401);
}

}  // namespace
}  // namespace hookswitch
