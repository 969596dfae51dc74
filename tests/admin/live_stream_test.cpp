#include "core/admin/live_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/admin/admin_server.h"
#include "core/base/json.h"
#include "tests/admin/api_document.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/stream_reader.h"
#include "tests/ingress/raw_client.h"

namespace hookswitch {
namespace {

using ::testing::HasSubstr;
using testing::RawClient;
using testing::StatusOf;

constexpr std::string_view kToken = "the-admin-token";

/// The stream as readers get it from the admin listener.
class LiveStreamTest : public ::testing::Test {
 protected:
  LiveStreamTest() {
    config::Admin admin;
    admin.listen = {{"127.0.0.1", 0}};
    admin.token = Secret(std::string(kToken));
    router_.status.version = "9.9.9";
    router_.status.generation = 3;
    auto started = AdminServer::Start(admin, router_, history_, clock_, metrics_);
    EXPECT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    address_ = server_->Address();
  }
  std::string Ask(const std::string& request_line, const std::string& headers = "") const {
    RawClient client(address_);
    client.Send(request_line + " HTTP/1.1\r\nHost: router.internal\r\n" + headers + "\r\n");
    std::string answer = client.Answer();
    ExpectDocumented(request_line, answer);
    return answer;
  }
  static std::string Bearer() { return "Authorization: Bearer " + std::string(kToken) + "\r\n"; }
  void Store(const std::string& call) {
    NewEvent event;
    event.source = "bolna";
    event.body = "{}";
    event.dedup = DigestOf(call);
    event.call_id = call;
    ASSERT_TRUE(journal_.Append(event));
  }

  SystemClock clock_;
  Metrics metrics_;
  MemoryJournal journal_;
  FakeRouter router_;
  HistoryApi history_{journal_, journal_, clock_, router_};
  std::unique_ptr<AdminServer> server_;
  std::string address_;
};

TEST_F(LiveStreamTest, SaysHelloAndTellsWhatHappens) {
  StreamReader reader(address_, "/api/v1/stream", Bearer());
  EXPECT_EQ(StatusOf(reader.head()), 200);
  EXPECT_THAT(reader.head(), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(reader.head(), HasSubstr("Cache-Control: no-store\r\n"));
  const auto hello = reader.Next();
  EXPECT_EQ(hello.kind, "hello");
  EXPECT_EQ(hello.data.at("version"), "9.9.9");
  EXPECT_EQ(hello.data.at("generation"), 3);
  EXPECT_EQ(hello.data.at("cursor"), json::string(hello.id));
  Store("c1");
  EXPECT_EQ(reader.Next().data.at("call_id"), "c1");
}

TEST_F(LiveStreamTest, AllReadersGetTheSameAndOneThatComesAgainWhatItMissed) {
  auto first = std::make_unique<StreamReader>(address_, "/api/v1/stream", Bearer());
  StreamReader second(address_, "/api/v1/stream?kinds=event", Bearer());
  ASSERT_EQ(first->Kind(), "hello");
  ASSERT_EQ(second.Kind(), "hello");
  Store("c1");
  EXPECT_EQ(first->Next().data.at("call_id"), "c1");
  EXPECT_EQ(second.Next().data.at("call_id"), "c1");
  const std::string id = first->id();
  first.reset();
  Store("c2");
  EXPECT_EQ(second.Next().data.at("call_id"), "c2");
  for (const auto& [target, headers] : {std::pair<std::string, std::string>{"/api/v1/stream?cursor=" + id, ""},
                                        {"/api/v1/stream", "Last-Event-ID: " + id + "\r\n"},
                                        {"/api/v1/stream?cursor=0-0-0-0-0", "Last-Event-ID: " + id + "\r\n"}}) {
    StreamReader again(address_, target, Bearer() + headers);
    ASSERT_EQ(again.Kind(), "hello");
    EXPECT_EQ(again.Next().data.at("call_id"), "c2") << target;
  }
}

TEST_F(LiveStreamTest, IsForThoseWhoMayRead) {
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/stream")), 401);
  const std::string signed_in = Ask("POST " + std::string(kSignInPath), Bearer() + "Content-Length: 0\r\n");
  const auto cookie = signed_in.find("hookswitch=");
  ASSERT_NE(cookie, std::string::npos) << signed_in;
  RawClient page(address_);
  page.Send("GET /api/v1/stream HTTP/1.1\r\nHost: router.internal\r\nCookie: " +
            signed_in.substr(cookie, signed_in.find(';', cookie) - cookie) + "\r\n\r\n");
  EXPECT_EQ(StatusOf(page.Answer()), 200);
}

TEST_F(LiveStreamTest, WhatIsWrongInARequestIsNamed) {
  EXPECT_EQ(StatusOf(Ask("POST /api/v1/stream", Bearer() + "Content-Length: 0\r\n")), 405);
  for (const char* query : {"kinds=events", "kind=event", "kinds=event&kinds=sink", "kinds=%zz"}) {
    const std::string answer = Ask("GET /api/v1/stream?" + std::string(query), Bearer());
    EXPECT_EQ(StatusOf(answer), 400) << query;
  }
  EXPECT_THAT(Ask("GET /api/v1/stream?kinds=events", Bearer()), HasSubstr("did you mean \\\"event\\\"?"));
  EXPECT_EQ(StatusOf(Ask("HEAD /api/v1/stream", Bearer())), 200);
}

TEST_F(LiveStreamTest, HoldsNoMoreThanSomeReadersAndThoseThatLeaveMakeRoom) {
  std::vector<std::unique_ptr<StreamReader>> readers;
  for (std::size_t i = 0; i < LiveStream::kMostReaders; ++i) {
    readers.push_back(std::make_unique<StreamReader>(address_, "/api/v1/stream", Bearer()));
    ASSERT_EQ(readers.back()->Kind(), "hello") << i;
  }
  const std::string refused = Ask("GET /api/v1/stream", Bearer());
  EXPECT_EQ(StatusOf(refused), 503);
  EXPECT_THAT(refused, HasSubstr("too_many_streams"));
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_EQ(StatusOf(Ask("GET /api/v1/status", Bearer())), 200) << "a stream holds no thread";
  readers.clear();
  std::string again;
  do {
    again = Ask("GET /api/v1/stream", Bearer());
  } while (StatusOf(again) == 503);
  EXPECT_EQ(StatusOf(again), 200);
}

TEST_F(LiveStreamTest, OtherTokensAndTheEndOfTheRouterEndIt) {
  StreamReader reader(address_, "/api/v1/stream", Bearer());
  ASSERT_EQ(reader.Kind(), "hello");
  config::Admin same;
  same.listen = {{"127.0.0.1", 0}};
  same.token = Secret(std::string(kToken));
  server_->Use(same);
  Store("c1");
  EXPECT_EQ(reader.Kind(), "event") << "the same tokens end nothing";
  config::Admin others = same;
  others.tokens.push_back({"ana", Secret("another")});
  server_->Use(others);
  EXPECT_EQ(reader.Kind(), "") << "who may read is asked again";
  StreamReader next(address_, "/api/v1/stream", Bearer());
  ASSERT_EQ(next.Kind(), "hello");
  const auto begin = std::chrono::steady_clock::now();
  server_->Drain(std::chrono::seconds(20));
  EXPECT_EQ(next.Kind(), "");
  EXPECT_TRUE(next.ended_in_order());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "no drain waits for it";
}

}  // namespace
}  // namespace hookswitch
