#include "core/ingress/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "core/base/log.h"
#include "tests/ingress/raw_client.h"
#include "tests/ingress/server_fixture.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using testing::BodyOf;
using ::testing::EndsWith;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Post;
using testing::RawClient;
using testing::StatusOf;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    options.listen = {"127.0.0.1", 0};
    options.threads = 8;
    options.name = "test";
    handler = [this](const ServedRequest& request) {
      ++handled;
      Answer answer;
      answer.body = std::string(request.method) + " " + std::string(request.path) + " " + std::string(request.body);
      answer.content_type = "text/plain";
      return answer;
    };
  }
  const std::string& Start() {
    auto started = HttpServer::Start(
        options, head,
        [this](Responder responder) {
          const Answer answer = handler(responder.request());
          responder.Complete(answer);
        },
        metrics);
    if (!started) {
      ADD_FAILURE() << started.error().message;
    } else {
      server = std::move(*started);
      address = server->Address();
    }
    return address;
  }
  /// What one client gets for `bytes`, until the connection ends.
  std::string Ask(std::string_view bytes, bool close_writing = false) {
    RawClient client(address);
    client.Send(bytes);
    if (close_writing) client.CloseWriting();
    std::string answer = client.UntilEnd();
    EXPECT_FALSE(client.reset());
    return answer;
  }

  Metrics metrics;
  HttpServerOptions options;
  HeadHandler head;
  std::function<Answer(const ServedRequest&)> handler;
  std::atomic<int> handled{0};
  std::unique_ptr<HttpServer> server;
  std::string address;
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  RawClient client(Start());
  client.Send(Post("/a", "one"));
  const std::string first = client.Answer();
  EXPECT_EQ(StatusOf(first), 200);
  EXPECT_EQ(BodyOf(first), "POST /a one");
  EXPECT_THAT(first, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(first, Not(HasSubstr("Connection: close")));
  client.Send(Post("/b", "two"));
  EXPECT_EQ(BodyOf(client.Answer()), "POST /b two");
}

TEST_F(HttpServerTest, UnreadBodyClosesConnection) {
  head = [](const ServedRequest&) { return std::optional(ErrorAnswer(401, "unauthorized", "no")); };
  Start();
  const std::string smuggled = "GET /admin HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string answer = Ask(Post("/a", smuggled));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "one answer only: " << answer;
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, RefusedRequestWithoutBodyKeepsTheConnection) {
  head = [](const ServedRequest&) { return std::optional(ErrorAnswer(404, "not_found", "no")); };
  RawClient client(Start());
  client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(StatusOf(client.Answer()), 404);
  client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(StatusOf(client.Answer()), 404);
}

TEST_F(HttpServerTest, AnEarlyAnswerThatIsDelayedHoldsUpNobody) {
  options.threads = 1;
  head = [](const ServedRequest& request) -> HeadVerdict {
    if (request.path != "/wrong") return std::optional<Answer>();
    return {ErrorAnswer(401, "unauthorized", "no"), milliseconds(100)};
  };
  Start();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<RawClient>> wrong;
  for (int i = 0; i < 50; ++i) {
    wrong.push_back(std::make_unique<RawClient>(address));
    wrong.back()->Send(i % 2 == 0 ? "GET /wrong HTTP/1.1\r\nHost: h\r\n\r\n" : Post("/wrong", "a body"));
  }
  RawClient right(address);
  right.Send(Post("/right", "x"));
  EXPECT_EQ(StatusOf(right.Answer()), 200);
  const auto right_took = std::chrono::steady_clock::now() - begin;
  for (const auto& client : wrong) EXPECT_EQ(StatusOf(client->Answer()), 401);
  const auto wrong_took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(wrong_took, milliseconds(100));
  EXPECT_LT(wrong_took, 25 * milliseconds(100)) << "not one after the other";
  EXPECT_LT(right_took, wrong_took);
  wrong[0]->Send(Post("/right", "y"));
  EXPECT_EQ(BodyOf(wrong[0]->Answer()), "POST /right y") << "the connection goes on";
}

TEST_F(HttpServerTest, WhatCameBehindADelayedAnswerIsServedAfterIt) {
  head = [](const ServedRequest& request) -> HeadVerdict {
    if (request.path != "/wrong") return std::optional<Answer>();
    return {ErrorAnswer(401, "unauthorized", "no"), milliseconds(20)};
  };
  RawClient client(Start());
  client.Send("GET /wrong HTTP/1.1\r\nHost: h\r\n\r\n" + Post("/a", "one") + "GET /wrong HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(StatusOf(client.Answer()), 401);
  EXPECT_EQ(BodyOf(client.Answer()), "POST /a one");
  EXPECT_EQ(StatusOf(client.Answer()), 401);
}

TEST_F(HttpServerTest, DelayedAnswersMakeRoomForOthers) {
  options.max_connections = 10;
  options.max_per_address = 10;
  head = [](const ServedRequest& request) -> HeadVerdict {
    if (request.path != "/wrong") return std::optional<Answer>();
    return {ErrorAnswer(401, "unauthorized", "no"), milliseconds(60'000)};
  };
  Start();
  std::vector<std::unique_ptr<RawClient>> wrong;
  for (int i = 0; i < 30; ++i) {
    wrong.push_back(std::make_unique<RawClient>(address));
    wrong.back()->Send("GET /wrong HTTP/1.1\r\nHost: h\r\n\r\n");
    RawClient right(address);
    right.Send(Post("/right", "x"));
    EXPECT_EQ(StatusOf(right.Answer()), 200);
  }
  server.reset();
  EXPECT_EQ(wrong.back()->UntilEnd(), "") << "cut with the server";
}

TEST_F(HttpServerTest, EveryResponseHasTheServersHeaders) {
  options.headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}};
  handler = [](const ServedRequest&) {
    Answer answer;
    answer.headers = {{"X-Own", "1"}};
    return answer;
  };
  Start();
  const std::string answer = Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nX-Own: 1\r\n"));
  EXPECT_THAT(Ask("nonsense\r\n\r\n"), HasSubstr("\r\nCache-Control: no-store\r\n"))
      << "also what the server says itself";
}

TEST_F(HttpServerTest, AnAnswersOwnHeaderTakesThePlaceOfTheServers) {
  options.headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}};
  handler = [](const ServedRequest&) {
    Answer answer;
    answer.headers = {{"cache-control", "no-cache"}};
    return answer;
  };
  Start();
  const std::string answer = Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\ncache-control: no-cache\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("no-store")));
}

TEST_F(HttpServerTest, WhatHasNoContentHasNoLength) {
  for (const int status : {204, 304}) {
    handler = [status](const ServedRequest&) {
      Answer answer;
      answer.status = status;
      if (status == 304) answer.body = "what a cache has already";
      return answer;
    };
    Start();
    const std::string answer = Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, ::testing::StartsWith("HTTP/1.1 " + std::to_string(status)));
    EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
    EXPECT_EQ(BodyOf(answer), "");
  }
}

TEST_F(HttpServerTest, ShortContentLengthIs400) {
  Start();
  const std::string answer = Ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n1234567", true);
  EXPECT_EQ(StatusOf(answer), 400);
  EXPECT_THAT(answer, HasSubstr(R"({"ok":false,"error":"invalid_request","detail":")"));
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, ChunkedBodyWithoutItsLastChunkIs400) {
  Start();
  const std::string start = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body : {"5\r\nhello\r\n", "5\r\nhello", "5\r\nhello\r\n0\r\n", "", "5\r\n", "5"}) {
    EXPECT_EQ(StatusOf(Ask(start + body, true)), 400) << body;
  }
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(BodyOf(Ask(start + "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nTrailer: t\r\n\r\n", true)), "POST /a hello!");
}

TEST_F(HttpServerTest, BodyTimeoutIsNot200) {
  options.request_timeout = milliseconds(100);
  Start();
  const std::string answer = Ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(StatusOf(answer), 408);
  EXPECT_THAT(answer, HasSubstr(R"("error":"timeout")"));
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, DripHeaderIsCutAtDeadline) {
  options.request_timeout = milliseconds(150);
  RawClient client(Start());
  // Each byte comes long before any single read would time out; only the deadline of the whole request can end this.
  std::promise<void> over;
  std::thread drip([&, ended = over.get_future()] {
    client.Send("POST /a HTTP/1.1\r\nX: ");
    while (ended.wait_for(milliseconds(5)) == std::future_status::timeout && client.Send("x")) {
    }
  });
  EXPECT_EQ(StatusOf(client.UntilEnd()), 408);
  over.set_value();
  drip.join();
}

TEST_F(HttpServerTest, BothFramingHeadersIs400) {
  Start();
  for (const char* framing : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                              "Content-Length: 5\r\nContent-Length: 6\r\n",
                              "Content-Length: 5\r\nContent-Length: 5\r\n",
                              "Content-Length: 5, 5\r\n",
                              "Content-Length: -5\r\n",
                              "Content-Length: +5\r\n",
                              "Content-Length: 5 5\r\n",
                              "Content-Length: 0x5\r\n",
                              "Content-Length:\r\n",
                              "Content-Length : 5\r\n",
                              "Content-Length\t: 5\r\n",
                              "Content-Length: 99999999999999999999\r\n",
                              "Transfer-Encoding: gzip, chunked\r\n",
                              "Transfer-Encoding: chunked, identity\r\n",
                              "Transfer-Encoding: gzip\r\n",
                              "Transfer-Encoding: identity\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding:\x0b"
                              "chunked\r\n",
                              "Transfer-Encoding : chunked\r\n",
                              "Transfer-Encoding: xchunked\r\n",
                              "X: y\r\n Content-Length: 5\r\n",
                              "X: y\r\n\tContent-Length: 5\r\n",
                              " X: y\r\nContent-Length: 5\r\n",
                              "X: y\nContent-Length: 5\r\n",
                              "X: y\rContent-Length: 5\r\n",
                              ": y\r\nContent-Length: 5\r\n",
                              "Host: again\r\nContent-Length: 5\r\n",
                              "X\r\nContent-Length: 5\r\n"}) {
    const std::string answer =
        Ask(std::string("POST /a HTTP/1.1\r\nHost: h\r\n") + framing + "\r\nhelloGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(StatusOf(answer), 400) << framing << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << framing << answer;
    EXPECT_THAT(answer, HasSubstr(R"("error":"invalid_request")"));
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, BadChunkSizeIs400) {
  Start();
  for (const char* body :
       {"xyz\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5 \r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello", "5\r\nhelloX\r\n0\r\n\r\n", "\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n"}) {
    const std::string answer =
        Ask(std::string("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") + body, true);
    EXPECT_EQ(StatusOf(answer), 400) << body << answer;
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, PostWithoutLengthIs411) {
  Start();
  const std::string answer = Ask("POST /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 411 Length Required\r\n"));
  EXPECT_THAT(answer, HasSubstr(R"("error":"length_required")"));
}

TEST_F(HttpServerTest, BodyOverTheLimitIs413WithoutReadingIt) {
  Start();
  const std::string big((1 << 20) + 1, 'x');
  std::string answer = Ask(Post("/a", big));
  EXPECT_EQ(StatusOf(answer), 413);
  EXPECT_THAT(answer, HasSubstr(R"("error":"too_large")"));
  answer = Ask("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + big.substr(1) +
               "\r\n1\r\nx\r\n");
  EXPECT_EQ(StatusOf(answer), 413);
  EXPECT_EQ(StatusOf(Ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n")), 413);
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(BodyOf(Ask(Post("/a", big.substr(1), "Connection: close\r\n"))).size(), big.size() - 1 + 8);
}

TEST_F(HttpServerTest, StdExceptionIs500AndLogged) {
  std::mutex mu;
  std::string lines;
  log::SetWriterForTest([&](log::Level, std::string_view line) {
    std::lock_guard lock(mu);
    lines += line;
  });
  handler = [](const ServedRequest& request) -> Answer {
    if (request.body == "std") throw std::runtime_error("boom");
    throw 42;
  };
  Start();
  const std::string answer = Ask(Post("/a", "std"));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(answer, HasSubstr(R"("error":"internal")"));
  EXPECT_THAT(answer, Not(HasSubstr("boom")));
  EXPECT_EQ(StatusOf(Ask(Post("/a", "int"))), 500);
  server.reset();
  log::SetWriterForTest(nullptr);
  EXPECT_THAT(lines, HasSubstr(R"("event":"http_handler_failed")"));
  EXPECT_THAT(lines, HasSubstr(R"("reason":"boom")"));
}

TEST_F(HttpServerTest, MalformedHeadsAre400) {
  Start();
  const std::string nul("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 28);
  const std::string nul_header("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 35);
  for (const std::string& bytes :
       std::initializer_list<std::string>{nul,
                                          nul_header,
                                          "GET / HTTP/1.1\r\n\r\n",
                                          "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
                                          "GET /\r\n\r\n",
                                          "GET / \r\n\r\n",
                                          "GET /bolna/webhook \r\n\r\n",
                                          "POST /a \r\nHost: h\r\n\r\n",
                                          "\r\nGET / \r\n\r\n",
                                          "GET / HTTP/1.1\nHost: h\n\n",
                                          "G@T / HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "GET / /b HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "\x16\x03\x01\x02",
                                          "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n",
                                          "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(100'000, 'a'),
                                          std::string(100'000, 'A')}) {
    const std::string answer = Ask(bytes, true);
    EXPECT_EQ(StatusOf(answer), 400) << bytes.substr(0, 60) << "\n" << answer;
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
  }
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) many += "X: y\r\n";
  EXPECT_EQ(StatusOf(Ask(many + "\r\n", true)), 400);
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, PathIsDecodedAndQueryIsNot) {
  handler = [](const ServedRequest& request) {
    Answer answer;
    answer.body =
        std::string(request.path) + "|" + std::string(request.query) + "|" + std::string(request.Header("x-a"));
    return answer;
  };
  Start();
  EXPECT_EQ(
      BodyOf(Ask("GET /a%20b/%C3%A9?x=%41 HTTP/1.1\r\nHost: h\r\nX-A: =?UTF-8?B?aGk=?=\r\nConnection: close\r\n\r\n")),
      "/a b/\xC3\xA9|x=%41|=?UTF-8?B?aGk=?=");
  EXPECT_EQ(BodyOf(Ask("GET http://other:1/p?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")), "/p|q|");
  EXPECT_EQ(BodyOf(Ask("GET http://other?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")), "/|q|");
}

TEST_F(HttpServerTest, Http10IsServedAndClosed) {
  Start();
  const std::string answer = Ask("POST /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  RawClient kept(address);
  kept.Send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.Answer(), HasSubstr("Connection: keep-alive"));
  EXPECT_EQ(StatusOf(Ask("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")), 400);
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(Start());
  client.Send(Post("/1", "a") + "\r\n" + Post("/2", "bb") + "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(BodyOf(client.Answer()), "POST /1 a");
  EXPECT_EQ(BodyOf(client.Answer()), "POST /2 bb");
  EXPECT_EQ(BodyOf(client.Answer()), "GET /3 ");
}

TEST_F(HttpServerTest, HeadGetsNoBody) {
  Start();
  const std::string answer = Ask("HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, ExpectContinueIsDecidedByTheHead) {
  head = [](const ServedRequest& request) -> std::optional<Answer> {
    if (request.path == "/no") return ErrorAnswer(403, "forbidden", "no");
    return std::nullopt;
  };
  Start();
  EXPECT_EQ(StatusOf(Ask("POST /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")), 403);
  EXPECT_EQ(StatusOf(Ask("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n")),
            413);
  RawClient client(address);
  client.Send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.Answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  EXPECT_EQ(BodyOf(client.Answer()), "POST /a hello");
}

TEST_F(HttpServerTest, BusyConnectionsBeyondThreadsAreAllServed) {
  options.threads = 4;
  Start();
  constexpr int kClients = 16;
  std::atomic<bool> over{false};
  std::atomic<int> served{0};
  std::promise<void> all;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      bool first = true;
      // As a load generator does: the next request as soon as the answer is there, a new connection when it is closed.
      while (!over) {
        RawClient client(address);
        for (bool open = true; open && !over;) {
          if (!client.Send(Post("/a", "x"))) break;
          const std::string answer = client.Answer();
          if (StatusOf(answer) != 200) break;
          open = answer.find("Connection: close") == answer.npos;
          if (std::exchange(first, false) && ++served == kClients) all.set_value();
        }
      }
    });
  }
  EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready)
      << served << " of 16 served";
  over = true;
  for (auto& client : clients) client.join();
}

TEST_F(HttpServerTest, IdleConnectionsGiveWayToNewOnes) {
  options.threads = 2;
  options.keep_alive_timeout = std::chrono::seconds(60);
  Start();
  RawClient idle1(address);
  RawClient idle2(address);
  for (RawClient* idle : {&idle1, &idle2}) {
    idle->Send(Post("/a", "x"));
    EXPECT_EQ(StatusOf(idle->Answer()), 200);
  }
  RawClient third(address);
  third.Send(Post("/a", "third"));
  EXPECT_EQ(BodyOf(third.Answer()), "POST /a third");
}

TEST_F(HttpServerTest, IdleConnectionIsClosedAfterKeepAliveTimeout) {
  options.keep_alive_timeout = milliseconds(50);
  RawClient client(Start());
  client.Send(Post("/a", "x"));
  EXPECT_EQ(StatusOf(client.Answer()), 200);
  EXPECT_EQ(client.UntilEnd(), "");
  EXPECT_FALSE(client.reset());
}

TEST_F(HttpServerTest, OverflowAnswers503) {
  options.max_connections = 2;
  Gate gate;
  handler = [&](const ServedRequest&) {
    gate.Enter();
    return Answer{};
  };
  Start();
  RawClient first(address);
  RawClient second(address);
  first.Send(Post("/a", "x"));
  second.Send(Post("/a", "x"));
  ASSERT_TRUE(gate.AwaitInside(2));
  for (int i = 0; i < 100; ++i) {
    const std::string answer = Ask(Post("/a", "x"));
    ASSERT_THAT(answer, HasSubstr("HTTP/1.1 503 Service Unavailable\r\n"));
    ASSERT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
    ASSERT_THAT(answer, HasSubstr(R"("error":"unavailable")"));
  }
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_http_connections_refused_total{server=\"test\"} 100"));
  gate.Open();
  EXPECT_EQ(StatusOf(first.Answer()), 200);
  EXPECT_EQ(StatusOf(second.Answer()), 200);
}

TEST_F(HttpServerTest, DrainFinishesInFlight) {
  Gate gate;
  handler = [&](const ServedRequest& request) {
    if (request.path == "/slow") gate.Enter();
    return Answer{};
  };
  Start();
  RawClient idle(address);
  idle.Send(Post("/quick", "x"));
  EXPECT_EQ(StatusOf(idle.Answer()), 200);
  RawClient fresh(address);
  RawClient slow(address);
  slow.Send(Post("/slow", "x"));
  ASSERT_TRUE(gate.AwaitInside(1));
  std::thread drain([&] { server->Drain(std::chrono::seconds(10)); });
  EXPECT_EQ(idle.UntilEnd(), "") << "idle connections are cut at once";
  EXPECT_EQ(fresh.UntilEnd(), "");
  EXPECT_THAT(Ask(Post("/quick", "x")), HasSubstr(R"("error":"draining")"));
  gate.Open();
  const std::string answer = slow.UntilEnd();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  drain.join();
  EXPECT_FALSE(RawClient(address).connected()) << "the listener is closed";
}

TEST_F(HttpServerTest, DrainCutsWhatDoesNotEnd) {
  Start();
  RawClient half(address);
  half.Send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  EXPECT_EQ(StatusOf(half.Answer()), 100);
  server->Drain(milliseconds(50));
  half.UntilEnd();
  EXPECT_TRUE(half.ended());
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, DrainDoesNotWaitForARequestThatHasStoppedComing) {
  options.request_timeout = std::chrono::minutes(1);
  Start();
  RawClient half_a_head(address), half_a_body(address);
  half_a_head.Send("POST /a HTTP/1.1\r\nHost: h\r\nX-");
  half_a_body.Send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  EXPECT_EQ(StatusOf(half_a_body.Answer()), 100) << "both have been accepted";
  half_a_body.Send("12345");
  const auto begin = std::chrono::steady_clock::now();
  server->Drain(std::chrono::seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  for (RawClient* client : {&half_a_head, &half_a_body}) {
    const std::string answer = client->UntilEnd();
    EXPECT_EQ(StatusOf(answer), 503) << answer;
    EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 1\r\n"));
    EXPECT_THAT(answer, HasSubstr(R"("error":"draining")"));
    EXPECT_FALSE(client->reset());
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, DrainReadsARequestThatKeepsComing) {
  Start();
  RawClient slow(address);
  slow.Send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(StatusOf(slow.Answer()), 100);
  const auto drained = std::async(std::launch::async, [&] { server->Drain(std::chrono::seconds(10)); });
  // For longer than a pause may be, in pieces that are not so far apart.
  for (int piece = 0; piece < 6; ++piece) {
    EXPECT_EQ(drained.wait_for(milliseconds(300)), std::future_status::timeout);
    slow.Send("x");
  }
  const std::string answer = slow.UntilEnd();
  EXPECT_EQ(StatusOf(answer), 200) << answer;
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpServerTest, ListensOnIPv6) {
  options.listen = {"::1", 0};
  Start();
  EXPECT_THAT(address, ::testing::StartsWith("[::1]:"));
  EXPECT_EQ(StatusOf(Ask(Post("/a", "x", "Connection: close\r\n"))), 200);
}

TEST_F(HttpServerTest, AddressInUseIsAnErrorThatNamesIt) {
  Start();
  options.listen.port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const RequestHandler nobody = [](Responder) {};
  auto second = HttpServer::Start(options, nullptr, nobody, metrics);
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message, HasSubstr(address));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  options.listen = {"192.0.2.1", 0};
  auto foreign = HttpServer::Start(options, nullptr, nobody, metrics);
  ASSERT_FALSE(foreign.has_value());
  EXPECT_THAT(foreign.error().message, HasSubstr("this machine has no such address"));
}

TEST_F(HttpServerTest, RefusalsAreTold) {
  std::promise<std::string> told;
  options.on_refused = [&](const ServedRequest& request, int status, std::string_view error, std::string_view) {
    told.set_value(std::string(request.path) + " " + std::to_string(status) + " " + std::string(error));
  };
  Start();
  Ask("POST /hook HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(told.get_future().get(), "/hook 411 length_required");
}

}  // namespace
}  // namespace hookswitch
