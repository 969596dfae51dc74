#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/ingress/acceptor.h"
#include "tests/ingress/fakes.h"
#include "tests/ingress/raw_client.h"

namespace hookswitch {
namespace {

using testing::BodyOf;
using ::testing::HasSubstr;
using testing::Post;
using testing::RawClient;
using testing::StatusOf;

/// The server and the acceptor together, as the router runs them.
class IngressTest : public ::testing::Test {
 protected:
  IngressTest() {
    log::SetWriterForTest([](log::Level, std::string_view) {});
    auto snapshot = std::make_shared<IngressSnapshot>();
    config::Source source;
    source.name = "bolna";
    source.path = "/hook";
    source.auth = config::Auth{config::Auth::Place::kHeader, "X-Secret", Secret("s")};
    snapshot->endpoints.push_back({source, std::make_shared<testing::WordSource>("bolna")});
    acceptor.Use(snapshot);
    HttpServerOptions options;
    options.listen = {"127.0.0.1", 0};
    options.threads = 8;
    options.name = "ingress";
    options.on_refused = [this](const ServedRequest& head, int status, std::string_view error,
                                std::string_view detail) { acceptor.Refused(head, status, error, detail); };
    auto started = HttpServer::Start(
        options, [this](const ServedRequest& head) { return acceptor.HandleHead(head); },
        [this](Responder responder) { acceptor.Handle(std::move(responder)); }, metrics);
    server = std::move(started).value();
  }
  ~IngressTest() override {
    server.reset();
    log::SetWriterForTest(nullptr);
  }

  testing::MemoryJournal journal;
  SystemClock clock;
  Metrics metrics;
  Acceptor acceptor{journal, clock, metrics, nullptr};
  std::unique_ptr<HttpServer> server;
};

TEST_F(IngressTest, WhatIsNoCallIsStoredWithTheReason) {
  RawClient client(server->Address());
  client.Send(Post("/hook", "note", "X-Secret: s\r\n"));
  EXPECT_EQ(BodyOf(client.Answer()), R"({"ok":true,"id":"E1","skipped":true})");
  EXPECT_EQ(journal.events().at(0).note, "a note, longer than what a string keeps within itself");
}

TEST_F(IngressTest, EventIsAnsweredAfterItIsStored) {
  RawClient client(server->Address());
  client.Send(Post("/hook", "call c1 completed", "X-Secret: s\r\n"));
  EXPECT_EQ(BodyOf(client.Answer()), R"({"ok":true,"id":"E1","skipped":true})");
  EXPECT_EQ(journal.events().size(), 1u);
  client.Send(Post("/hook", "bogus", "X-Secret: s\r\n"));
  EXPECT_EQ(StatusOf(client.Answer()), 422);
  client.Send(Post("/hook", "call c1 completed", "X-Secret: s\r\n"));
  EXPECT_EQ(BodyOf(client.Answer()), R"({"ok":true,"id":"E1","duplicate":true})");
}

TEST_F(IngressTest, UnauthenticatedBodyIsNeverReadNorServed) {
  RawClient client(server->Address());
  client.Send(Post("/hook", Post("/hook", "call c1 completed", "X-Secret: s\r\n")));
  const std::string answer = client.UntilEnd();
  EXPECT_EQ(StatusOf(answer), 401);
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos);
  EXPECT_TRUE(journal.events().empty());
}

TEST_F(IngressTest, WrongMethodNamesTheRightOne) {
  for (const char* method : {"GET", "HEAD"}) {
    RawClient client(server->Address());
    client.Send(std::string(method) + " /hook HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const std::string answer = client.UntilEnd();
    EXPECT_EQ(StatusOf(answer), 405);
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: POST\r\n"));
  }
}

TEST_F(IngressTest, RefusalsOfTheServerReachTheInspector) {
  RawClient client(server->Address());
  client.Send("POST /hook HTTP/1.1\r\nHost: h\r\nX-Secret: s\r\nContent-Length: 2000000\r\n\r\n");
  EXPECT_EQ(StatusOf(client.UntilEnd()), 413);
  ASSERT_EQ(journal.refused().size(), 1u);
  EXPECT_EQ(journal.refused()[0].source, "bolna");
  EXPECT_EQ(journal.refused()[0].error, "too_large");
  EXPECT_EQ(journal.refused()[0].http_status, 413);
}

TEST_F(IngressTest, UnavailableJournalAsksToComeAgain) {
  journal.RefuseWith(Error{ErrorCode::kUnavailable, "disk full"});
  RawClient client(server->Address());
  client.Send(Post("/hook", "call c1 completed", "X-Secret: s\r\n"));
  const std::string answer = client.Answer();
  EXPECT_EQ(StatusOf(answer), 503);
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 5\r\n"));
}

}  // namespace
}  // namespace hookswitch
