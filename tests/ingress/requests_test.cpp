// Requests that are not one event in the body of a POST: lists, queries, handshakes, bodies that were dropped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/ingress/acceptor.h"
#include "tests/ingress/fakes.h"

namespace hookswitch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Headers = std::vector<std::pair<std::string, std::string>>;

class RequestsTest : public ::testing::Test {
 protected:
  RequestsTest() {
    log::SetWriterForTest([](log::Level, std::string_view) {});
    source.name = "any";
    source.path = "/any";
  }
  ~RequestsTest() override { log::SetWriterForTest(nullptr); }

  void Use() {
    auto snapshot = std::make_shared<IngressSnapshot>();
    snapshot->endpoints.push_back({source, std::make_shared<testing::WordSource>(source.name)});
    snapshot->routes = routes;
    acceptor.Use(std::move(snapshot));
  }
  /// Everything goes to "ops".
  void SendAll() {
    config::Config config;
    config.sinks.resize(1);
    config.sinks[0].name = "ops";
    config.rules.resize(1);
    config.rules[0].name = "all";
    config.rules[0].send.resize(1);
    config.rules[0].send[0].sink = "ops";
    config::Problems problems;
    routes = RouteTable::Compile(config, problems);
    ASSERT_TRUE(routes);
  }
  Answer Ask(ServedRequest request) {
    const std::string_view body = std::exchange(request.body, {});
    HeadVerdict verdict = acceptor.HandleHead(request);
    if (verdict.answer) return *verdict.answer;
    request.body = body;
    const auto exchange = std::make_shared<testing::AskedExchange>(request, verdict.context);
    acceptor.Handle(Responder(exchange));
    return exchange->Await();
  }
  Answer Post(std::string_view body) { return Ask({"POST", "/any", "", body, "192.0.2.7", none}); }
  Answer Get(std::string_view query) { return Ask({"GET", "/any", query, "", "192.0.2.7", none}); }
  Answer Options(const Headers& headers) { return Ask({"OPTIONS", "/any", "", "", "192.0.2.7", headers}); }
  std::vector<std::string> Bodies() {
    std::vector<std::string> bodies;
    for (const auto& event : journal.events()) bodies.push_back(event.body);
    return bodies;
  }

  const Headers none;
  testing::MemoryJournal journal;
  testing::StillClock clock;
  Metrics metrics;
  std::vector<std::string> told, revised;
  std::size_t waiting = 0;
  Acceptor acceptor{
      journal, clock, metrics,
      [this](const std::shared_ptr<const CallEvent>& event, const std::vector<PendingDelivery>& some, std::uint64_t) {
        told.push_back(event->id + " " + event->call_id);
        waiting += some.size();
      },
      [this](const std::shared_ptr<const CallEvent>& event, EventSeq, const Accepted::Revised& changes, std::uint64_t) {
        revised.push_back(event->id);
        waiting += changes.added.size();
      }};
  config::Source source;
  std::shared_ptr<const RouteTable> routes;
};

TEST_F(RequestsTest, AListIsAnsweredWithTheIdOfEachEventInOrder) {
  SendAll();
  Use();
  const Answer answer = Post("list\ncall c1 completed\nnote\ncall c2 failed");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"ok":true,"ids":["E1","E2","E3"],"deliveries":2})");
  EXPECT_THAT(Bodies(), ElementsAre("call c1 completed", "note", "call c2 failed"));
  EXPECT_EQ(journal.events()[0].call_id, "c1");
  EXPECT_EQ(journal.events()[2].status, "failed");
  EXPECT_THAT(told, ElementsAre("E1 c1", "E3 c2"));
  EXPECT_EQ(waiting, 2u);
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_received_total{source=\"any\"} 3"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_not_calls_total{source=\"any\"} 1"));
}

TEST_F(RequestsTest, WhatOfAListCannotBeReadIsRecordedAndTheRestIsKept) {
  Use();
  EXPECT_EQ(Post("list\ncall c1 completed\nnonsense\ncall c2 failed\n").body,
            R"({"ok":true,"ids":["E1",null,"E2",null],"deliveries":0})");
  ASSERT_EQ(journal.refused().size(), 2u);
  EXPECT_EQ(journal.refused()[0].http_status, 422);
  EXPECT_EQ(journal.refused()[0].error, "missing_field");
  EXPECT_EQ(journal.refused()[0].detail, "event 2: id is missing");
  EXPECT_EQ(journal.refused()[1].detail, "event 4: id is missing");
}

TEST_F(RequestsTest, AListOfWhichNothingCanBeReadIsRefused) {
  Use();
  const Answer answer = Post("list\nnonsense\nmore of it");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr(R"("error":"missing_field","detail":"event 1: id is missing")"));
  EXPECT_THAT(Bodies(), IsEmpty());
  EXPECT_EQ(Post("list").body, R"({"ok":true,"ids":[],"deliveries":0})") << "an empty one is no mistake";
}

TEST_F(RequestsTest, WhatComesAgainInAListHasItsId) {
  SendAll();
  Use();
  Post("call c1 completed");
  EXPECT_EQ(Post("list\ncall c2 completed\ncall c1 completed\ncall c2 completed").body,
            R"({"ok":true,"ids":["E2","E1","E2"],"deliveries":1})");
  EXPECT_THAT(told, ElementsAre("E1 c1", "E2 c2"));
  Accepted::Revised change;
  change.added.resize(1);
  journal.ReviseWith(change);
  EXPECT_EQ(Post("list\ncall c1 completed\ncall c3 completed").body, R"({"ok":true,"ids":["E1","E3"],"deliveries":2})");
  EXPECT_THAT(revised, ElementsAre("E1"));
}

TEST_F(RequestsTest, AListThatCannotBeStoredIs503AndNothingIsTold) {
  Use();
  journal.RefuseWith(Error{ErrorCode::kUnavailable, "disk full"});
  const Answer answer = Post("list\ncall c1 completed\ncall c2 failed");
  EXPECT_EQ(answer.status, 503);
  EXPECT_GT(answer.retry_after_seconds, 0);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(RequestsTest, AGetIsTakenWhereTheSourceSaysSoAndItsQueryIsTheBody) {
  source.methods = {"GET", "POST"};
  Use();
  EXPECT_EQ(Get("call c1 completed").body, R"({"ok":true,"id":"E1","skipped":true})");
  const auto stored = journal.events().at(0);
  EXPECT_EQ(stored.body, "call c1 completed");
  EXPECT_EQ(stored.headers, "Content-Type: application/x-www-form-urlencoded\n") << "to be read again as a form";
  EXPECT_EQ(Post("call c1 completed").body, R"({"ok":true,"id":"E1","duplicate":true})");
  const Answer wrong = Ask({"PUT", "/any", "", "", "192.0.2.7", none});
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.allow, "GET, POST");
  EXPECT_THAT(wrong.body, HasSubstr("send events with GET or POST"));
}

TEST_F(RequestsTest, ASourceMayTakeNothingButGet) {
  source.methods = {"GET"};
  Use();
  EXPECT_EQ(Get("call c1 completed").status, 200);
  const Answer wrong = Post("call c2 completed");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.allow, "GET");
}

TEST_F(RequestsTest, TheSecretInTheQueryIsNotStored) {
  source.methods = {"GET"};
  source.auth = config::Auth{.place = config::Auth::Place::kQuery, .name = "token", .secret = Secret("s3cret")};
  Use();
  EXPECT_EQ(Get("call c1 completed&token=wrong").status, 401);
  EXPECT_EQ(Get("call c1 completed&%74oken=s3cret&a=b").status, 200);
  EXPECT_THAT(Bodies(), ElementsAre("call c1 completed&a=b"));
}

TEST_F(RequestsTest, DoctorReachesASourceThatTakesGet) {
  source.methods = {"GET"};
  Use();
  const auto challenge = acceptor.MakeChallenge();
  const Answer answer = Get("hookswitch-nonce=" + challenge.nonce);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.headers, ElementsAre(Pair("Hookswitch-Proof", challenge.proof)));
  EXPECT_THAT(Bodies(), IsEmpty());
  EXPECT_THAT(journal.refused(), IsEmpty());
}

TEST_F(RequestsTest, ADroppedBodyIsAnsweredSkippedAndRecorded) {
  source.max_body = 5000;
  source.oversized = config::Oversized::kSkip;
  Use();
  const HeadVerdict verdict = acceptor.HandleHead({"POST", "/any", "", "", "192.0.2.7", none});
  EXPECT_EQ(verdict.max_body, 5000u);
  EXPECT_TRUE(verdict.drop_large);
  ServedRequest request{"POST", "/any", "", "", "192.0.2.7", none};
  request.body_dropped = true;
  const Answer answer = Ask(request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"ok":true,"skipped":true})");
  ASSERT_EQ(journal.refused().size(), 1u);
  EXPECT_EQ(journal.refused()[0].http_status, 200);
  EXPECT_EQ(journal.refused()[0].error, "too_large");
  EXPECT_EQ(journal.refused()[0].source, "any");
  EXPECT_THAT(Bodies(), IsEmpty());
}

TEST_F(RequestsTest, ALargeBodyIsRefusedUnlessTheSourceSaysOtherwise) {
  Use();
  const HeadVerdict verdict = acceptor.HandleHead({"POST", "/any", "", "", "192.0.2.7", none});
  EXPECT_FALSE(verdict.max_body);
  EXPECT_FALSE(verdict.drop_large);
}

TEST_F(RequestsTest, TheHandshakeOfCloudEventsIsAnswered) {
  source.handshake = config::Handshake::kCloudEvents;
  source.auth = config::Auth{.place = config::Auth::Place::kBearer, .name = "", .secret = Secret("s3cret")};
  Use();
  const Headers ask{{"WebHook-Request-Origin", "eventemitter.example.com"}, {"WebHook-Request-Rate", "120"}};
  const Answer open = Options(ask);
  EXPECT_EQ(open.status, 200);
  EXPECT_EQ(open.allow, "POST, OPTIONS");
  EXPECT_THAT(open.headers,
              UnorderedElementsAre(Pair("WebHook-Allowed-Origin", "*"), Pair("WebHook-Allowed-Rate", "*")));
  source.rate_limit = Rate{.max = 3, .per = std::chrono::seconds(2), .burst = 3};
  Use();
  EXPECT_THAT(Options(ask).headers, ::testing::Contains(Pair("WebHook-Allowed-Rate", "90")));
  source.rate_limit = Rate{.max = 1, .per = std::chrono::hours(1), .burst = 1};
  Use();
  EXPECT_THAT(Options(ask).headers, ::testing::Contains(Pair("WebHook-Allowed-Rate", "1")));
  EXPECT_THAT(journal.refused(), IsEmpty());
}

TEST_F(RequestsTest, WhoMayNotSendIsNotInvited) {
  source.handshake = config::Handshake::kCloudEvents;
  source.allow_ips = {{"", *ParseIpAddress("198.51.100.0"), 24}};
  Use();
  const Answer answer = Options({{"WebHook-Request-Origin", "eventemitter.example.com"}});
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.headers, IsEmpty());
}

TEST_F(RequestsTest, OtherOptionsAreAWrongMethod) {
  Use();
  EXPECT_EQ(Options({{"WebHook-Request-Origin", "eventemitter.example.com"}}).status, 405) << "of another platform";
  source.handshake = config::Handshake::kCloudEvents;
  Use();
  const Answer answer = Options({{"Origin", "https://example.com"}});
  EXPECT_EQ(answer.status, 405) << "no handshake";
  EXPECT_EQ(answer.allow, "POST, OPTIONS");
}

}  // namespace
}  // namespace hookswitch
