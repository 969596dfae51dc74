// The stream of what happens, and the record of what operators did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "tests/e2e/poster.h"
#include "tests/e2e/router.h"
#include "tests/e2e/small_disk.h"
#include "tests/fakes/stream_reader.h"

namespace hookswitch::e2e {
namespace {

using ::testing::HasSubstr;
using Mono = std::chrono::steady_clock;

class Live : public ::testing::Test {
 protected:
  Live() { config_.Slack("ops", slack_.Url()); }
  void Start() {
    router_ = std::make_unique<Router>(config_.Write());
    ASSERT_TRUE(router_->Ready());
  }
  std::unique_ptr<StreamReader> Open(const std::string& query = "", const std::string& headers = "",
                                     int receive_buffer = 0) const {
    return std::make_unique<StreamReader>("127.0.0.1:" + std::to_string(router_->Admin()), "/api/v1/stream" + query,
                                          headers, receive_buffer);
  }
  static std::string Resume(const StreamReader& reader) { return "Last-Event-ID: " + reader.id() + "\r\n"; }
  static std::string CallOf(const StreamReader::Message& message) {
    return std::string(message.data.at("call_id").as_string());
  }
  /// The newest actions of the router.
  json::array Actions() const { return json::parse(router_->Get("/api/v1/actions").body).at("actions").as_array(); }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
};

TEST_F(Live, AnEventAndItsDeliveryAreSeenAtOnce) {
  Start();
  const auto reader = Open("?kinds=event,delivery");
  ASSERT_EQ(reader->Kind(), "hello");
  std::vector<milliseconds> waits;
  for (std::size_t i = 0; i < 20; ++i) {
    ASSERT_EQ(router_->Post(Call(CallId(i))).status, 200);
    const auto posted = Mono::now();
    StreamReader::Message message;
    do {
      message = reader->Next();
      ASSERT_NE(message.kind, "");
    } while (message.kind != "event");
    waits.push_back(std::chrono::duration_cast<milliseconds>(Mono::now() - posted));
    EXPECT_EQ(CallOf(message), CallId(i));
    EXPECT_EQ(message.data.at("outcomes").at(0).at("sink"), "ops");
    do {
      message = reader->Next();
      ASSERT_EQ(message.kind, "delivery");
    } while (message.data.at("state") != "delivered");
    EXPECT_EQ(CallOf(message), CallId(i));
    EXPECT_TRUE(message.data.at("latency_ms").is_int64());
  }
  std::ranges::sort(waits);
  EXPECT_LT(waits[waits.size() / 2], milliseconds(100)) << "the median; other work on the machine delays some";
}

TEST_F(Live, RejectedRequestsSinksAndReloadsAreSeen) {
  Start();
  const auto reader = Open("?kinds=refused,sink,reload");
  ASSERT_EQ(reader->Kind(), "hello");
  ASSERT_EQ(router_->Post("nonsense").status, 400);
  const auto refused = reader->Next();
  EXPECT_EQ(refused.kind, "refused");
  EXPECT_EQ(refused.data.at("error"), "invalid_json");
  ASSERT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/sinks/ops/pause").status, 200);
  const auto sink = reader->Next();
  EXPECT_EQ(sink.kind, "sink");
  EXPECT_EQ(sink.data.at("state"), "paused");
  ASSERT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/reload").status, 200);
  const auto reload = reader->Next();
  EXPECT_EQ(reload.kind, "reload");
  EXPECT_EQ(reload.data.at("generation"), 2);
}

TEST_F(Live, WhoeverComesAgainMissesNothing) {
  Start();
  Poster poster(1);
  auto reader = Open("?kinds=event");
  ASSERT_EQ(reader->Kind(), "hello");
  std::set<std::string> seen;
  for (std::size_t round = 0; round < 10; ++round) {
    poster.Go(router_->Ingress(), 10);
    for (int i = 0; i < 3; ++i) seen.insert(CallOf(reader->Next()));
    const std::string resume = Resume(*reader);
    reader.reset();
    poster.Join();
    reader = Open("?kinds=event", resume);
    ASSERT_EQ(reader->Kind(), "hello");
    while (seen.size() < poster.Accepted().size()) {
      const auto message = reader->Next();
      ASSERT_EQ(message.kind, "event") << ToText(message.data);
      seen.insert(CallOf(message));
    }
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(Live, AfterARestartTheEventsAreCaughtUp) {
  Start();
  const auto reader = Open();
  ASSERT_EQ(reader->Kind(), "hello");
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  while (reader->Kind() != "event") continue;
  ASSERT_EQ(router_->Post(Call(CallId(2))).status, 200);
  ASSERT_EQ(router_->Stop(), 0);
  while (reader->Kind() != "") continue;
  EXPECT_TRUE(reader->ended_in_order());
  const std::string resume = Resume(*reader);
  Start();
  ASSERT_EQ(router_->Post(Call(CallId(3))).status, 200);
  const auto again = Open("?kinds=event,delivery", resume);
  ASSERT_EQ(again->Kind(), "hello");
  const auto gap = again->Next();
  EXPECT_EQ(gap.kind, "gap");
  EXPECT_TRUE(gap.data.at("missed").is_null());
  std::set<std::string> seen;
  while (!seen.contains(CallId(3))) seen.insert(CallOf(again->Next()));
}

TEST_F(Live, AFloodIsCountedWhereItIsNotShown) {
  Start();
  const auto reader = Open("?kinds=event");
  ASSERT_EQ(reader->Kind(), "hello");
  constexpr std::size_t kCalls = 3000;
  Poster poster(8);
  poster.Go(router_->Ingress(), kCalls);
  poster.Join();
  ASSERT_EQ(poster.Accepted().size(), kCalls);
  std::size_t shown = 0, missed = 0;
  while (shown + missed < kCalls) {
    const auto message = reader->Next();
    if (message.kind == "gap") {
      missed += message.data.at("missed").to_number<std::size_t>();
    } else {
      ASSERT_EQ(message.kind, "event");
      ++shown;
    }
  }
  EXPECT_EQ(shown + missed, kCalls);
  EXPECT_GT(missed, 0U);
  EXPECT_GT(shown, 0U);
}

TEST_F(Live, AReaderThatIsTooSlowIsCutAndOthersGoOn) {
  config_.rules = "  - {name: none, when: {agent: nobody}, send: [ops]}\n";
  // Rows of 8 KB, so that it does not take long to fill what the system buffers and what the router keeps for it.
  config_.more = "agents: {\"9b1d2a60-7c3e-4a0e-8d5b-6f1a2c3d4e5f\": {name: " + std::string(8000, 'x') + "}}\n";
  Start();
  const auto connections = [this] {
    const std::string text = router_->Get("/metrics").body;
    const std::string line = "hookswitch_http_connections{server=\"admin\"} ";
    return std::stoi(text.substr(text.find(line) + line.size()));
  };
  const auto quick = Open("?kinds=event");
  ASSERT_EQ(quick->Kind(), "hello");
  const int without = connections();
  const auto slow = Open("?kinds=event", "", 4096);
  ASSERT_EQ(connections(), without + 1);
  RawClient sender(router_->Ingress());
  std::size_t count = 0;
  while (connections() > without) {
    ASSERT_LT(count, 4000U) << "it is never cut";
    for (int i = 0; i < 4; ++i) {
      sender.Send(fakes::RequestBytes("POST", "/bolna/webhook", Call(CallId(++count))));
      ASSERT_EQ(sender.Receive().status, 200);
    }
    for (int i = 0; i < 4; ++i) ASSERT_EQ(quick->Kind(), "event");
  }
  while (slow->Kind() != "") continue;
  EXPECT_FALSE(slow->ended_in_order());
  const auto again = Open("?kinds=event", Resume(*slow));
  ASSERT_EQ(again->Kind(), "hello");
  ASSERT_EQ(router_->Post(Call("after")).status, 200);
  EXPECT_EQ(CallOf(quick->Next()), "after");
  StreamReader::Message message;
  do {
    message = again->Next();
    ASSERT_NE(message.kind, "");
  } while (message.kind != "event" || CallOf(message) != "after");
}

TEST_F(Live, ATokenIsNeededAndTheRightToRead) {
  WriteFile(dir_ / "token", "the-admin-token");
  WriteFile(dir_ / "metrics", "the-metrics-token");
  config_.admin = "{listen: \"127.0.0.1:0\", token: {file: " + (dir_ / "token") +
                  "}, tokens: [{name: prometheus, may: metrics, token: {file: " + (dir_ / "metrics") + "}}]}";
  Start();
  const auto status = [this](const std::string& token) {
    const std::string headers = token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    return hookswitch::testing::StatusOf(Open("", headers)->head());
  };
  EXPECT_EQ(status(""), 401);
  EXPECT_EQ(status("guess"), 401);
  EXPECT_EQ(status("the-metrics-token"), 403);
  EXPECT_EQ(status("the-admin-token"), 200);
}

TEST_F(Live, AnIdleStreamIsNotCutByAnyTimeout) {
  Start();
  const auto reader = Open("?kinds=event");
  ASSERT_EQ(reader->Kind(), "hello");
  // Longer than the 10 s that a request may take, and than keep-alive: until its first comment.
  const auto begin = Mono::now();
  ASSERT_TRUE(reader->AwaitComment());
  EXPECT_GE(Mono::now() - begin, seconds(14));
  ASSERT_EQ(router_->Post(Call(CallId(1))).status, 200);
  EXPECT_EQ(reader->Kind(), "event");
}

TEST_F(Live, WhatOperatorsDidIsKeptAndASignalIsOne) {
  Start();
  ASSERT_EQ(
      fakes::Fetch(router_->Admin(), "POST", "/api/v1/sinks/ops/pause", R"({"because":"carrier maintenance"})").status,
      200);
  ASSERT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/deliveries/purge", R"({"all":true,"dry_run":true})").status,
            200);
  router_->Process().Signal(SIGHUP);
  ASSERT_TRUE(router_->WaitForEvent("reloaded"));
  ASSERT_THAT(router_->GetWith("SIGHUP", "/api/v1/actions"), HasSubstr("SIGHUP"));
  ASSERT_EQ(router_->Stop(), 0);
  Start();
  const json::array actions = Actions();
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[0].at("who"), "SIGHUP");
  EXPECT_EQ(actions[0].at("action"), "reload");
  EXPECT_EQ(actions[0].at("result").at("generation"), 2);
  EXPECT_EQ(actions[1].at("action"), "pause");
  EXPECT_EQ(actions[1].at("target"), "sinks/ops");
  EXPECT_EQ(actions[1].at("detail").at("because"), "carrier maintenance");
}

TEST_F(Live, AnActionIsKeptThoughTheDiskWasFull) {
  SmallDisk disk(16);
  if (!disk.Mounted()) GTEST_SKIP() << "no disk can be mounted here";
  config_.journal = "{path: " + (disk / "journal.db") + "}";
  Start();
  // At first the journal may find room that its own files had.
  std::string status;
  for (int i = 0; i < 200 && status.find("nothing can be stored") == std::string::npos; ++i) {
    disk.Fill();
    EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/reload").status, 200) << "the change itself goes on";
    status = router_->Get("/api/v1/status").body;
  }
  ASSERT_THAT(status, HasSubstr("nothing can be stored"));
  const json::value full = json::parse(status);
  EXPECT_EQ(full.at("problems").at(0).at("kind"), "journal");
  disk.Free();
  const std::string newest = "\"generation\":" + ToText(full.at("generation"));
  EXPECT_THAT(router_->GetWith(newest, "/api/v1/actions"), HasSubstr(newest));
}

}  // namespace
}  // namespace hookswitch::e2e
