#include "core/http/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "core/base/sync.h"
#include "core/base/text.h"
#include "tests/http/raw_server.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct HttpClientTest : testing::Test {
  HttpClientTest() {
    // A proxy in the tester's environment must not see requests to the loopback server.
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
    HttpClientOptions options;
    options.user_agent = "hookswitch/test";
    options.max_response_body = 1000;
    client = MakeCurlClient(options);
  }
  HttpResult Send(HttpRequest request, std::chrono::milliseconds timeout = 20s) {
    return SendBy(*client, std::move(request), timeout);
  }
  static HttpResult SendBy(HttpClient& by, HttpRequest request, std::chrono::milliseconds timeout = 20s) {
    std::promise<HttpResult> promise;
    by.Send(std::move(request), timeout, [&](HttpResult result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  static HttpRequest Post(std::string url, std::string body = "hello") {
    return {"POST", std::move(url), {{"Content-Type", "text/plain"}}, std::move(body)};
  }
  std::unique_ptr<HttpClient> client;
};

TEST_F(HttpClientTest, SendsTheRequestAsGivenAndReturnsTheAnswer) {
  std::promise<std::string> seen;
  RawServer server([&](RawConnection& connection) {
    seen.set_value(connection.ReadRequest());
    connection.Answer("fine", "X-Id: 7\r\n");
    connection.AwaitClose();
  });
  HttpRequest request = Post(server.Url("/a?b=c"));
  request.headers.emplace_back("X-Empty", "");
  const auto result = Send(request);
  ASSERT_TRUE(result.response) << result.error << " " << result.detail;
  EXPECT_EQ(result.response->status, 200);
  EXPECT_EQ(result.response->body, "fine");
  EXPECT_THAT(result.response->headers, testing::Contains(std::pair<std::string, std::string>("X-Id", "7")));
  EXPECT_EQ(seen.get_future().get(), "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                         "\r\nUser-Agent: hookswitch/test\r\nContent-Type: text/plain\r\nX-Empty:\r\n"
                                         "Content-Length: 5\r\n\r\nhello");
}

TEST_F(HttpClientTest, AddsNoHeaderThatWasNotAskedFor) {
  std::promise<std::string> seen;
  RawServer server([&](RawConnection& connection) {
    seen.set_value(connection.ReadRequest());
    connection.Answer();
  });
  ASSERT_TRUE(Send({"POST", server.Url(), {}, std::string(3000, 'x')}).response);
  const std::string request = seen.get_future().get();
  EXPECT_THAT(request, Not(HasSubstr("Expect")));
  EXPECT_THAT(request, Not(HasSubstr("Accept")));
  EXPECT_THAT(request, Not(HasSubstr("Content-Type")));
}

TEST_F(HttpClientTest, KeepsAPublicRequestFromAPrivateAddress) {
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty() && connection.Answer()) {
    }
  });
  HttpRequest request = Post(server.Url());
  request.public_only = true;
  const auto refused = Send(request);
  ASSERT_FALSE(refused.response);
  EXPECT_EQ(refused.error, "private_address");
  EXPECT_THAT(refused.detail, HasSubstr("127.0.0.1"));
  EXPECT_FALSE(refused.maybe_sent);
  EXPECT_EQ(server.connections(), 0);

  ASSERT_TRUE(Send(Post(server.Url())).response);
  const auto on_open_connection = Send(request);
  ASSERT_FALSE(on_open_connection.response) << "an open connection of another sink's is no way around";
  EXPECT_EQ(on_open_connection.error, "private_address");
  EXPECT_FALSE(on_open_connection.maybe_sent);
  EXPECT_TRUE(Send(Post(server.Url())).response) << "who may go there still does";
}

TEST_F(HttpClientTest, SendsEveryMethod) {
  for (const char* method : {"GET", "PUT", "PATCH", "DELETE", "POST"}) {
    std::promise<std::string> seen;
    RawServer server([&](RawConnection& connection) {
      seen.set_value(connection.ReadRequest());
      connection.Answer();
    });
    ASSERT_TRUE(Send({method, server.Url(), {}, std::string(method) == "GET" ? "" : "body"}).response) << method;
    EXPECT_THAT(seen.get_future().get(), testing::StartsWith(std::string(method) + " /hook "));
  }
}

TEST_F(HttpClientTest, NothingOfARequestIsCarriedOverToTheNext) {
  RawServer server([](RawConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();) connection.Answer(request);
  });
  const std::vector<HttpRequest> requests = {{"POST", server.Url("/a"), {{"X-A", "1"}}, "body of a"},
                                             {"POST", server.Url("/a"), {{"X-A", "1"}}, ""},
                                             {"POST", server.Url("/a"), {{"X-A", "1"}}, "another"},
                                             {"POST", server.Url("/a"), {{"X-A", "2"}}, "another"},
                                             {"POST", server.Url("/a"), {}, "another"},
                                             {"DELETE", server.Url("/a"), {}, "gone"},
                                             {"DELETE", server.Url("/a"), {}, ""},
                                             {"GET", server.Url("/a"), {}, ""},
                                             {"GET", server.Url("/a"), {}, "asked"},
                                             {"GET", server.Url("/a"), {}, ""},
                                             {"PUT", server.Url("/b"), {}, ""},
                                             {"PUT", server.Url("/b"), {}, "put"}};
  for (int round = 0; round < 2; ++round) {
    for (const HttpRequest& request : requests) {
      const std::string path = request.url.substr(request.url.rfind('/'));
      std::string wanted = request.method + " " + path +
                           " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                           "\r\nUser-Agent: hookswitch/test\r\n";
      for (const auto& [name, value] : request.headers) wanted += name + ": " + value + "\r\n";
      const bool has_length = !request.body.empty() || request.method == "POST" || request.method == "PUT";
      if (has_length) wanted += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
      wanted += "\r\n" + request.body;
      const auto result = Send(request);
      ASSERT_TRUE(result.response) << result.error;
      EXPECT_EQ(result.response->body, wanted);
    }
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, WhatWasSentBeforeDoesNotCountForTheNextRequest) {
  std::string url;
  {
    RawServer server([](RawConnection& connection) {
      connection.ReadRequest();
      connection.Write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    url = server.Url();
    ASSERT_TRUE(Send(Post(url)).response);
  }
  const auto result = Send(Post(url));
  EXPECT_EQ(result.error, "connect_failed");
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_EQ(result.detail.find("Connection: close"), std::string::npos);
}

TEST_F(HttpClientTest, AnEmptyPostHasALength) {
  std::promise<std::string> seen;
  RawServer server([&](RawConnection& connection) {
    seen.set_value(connection.ReadRequest());
    connection.Answer();
  });
  ASSERT_TRUE(Send({"POST", server.Url(), {}, ""}).response);
  EXPECT_THAT(seen.get_future().get(), HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(HttpClientTest, ReadsChunkedAnswersAndSkipsInformationalOnes) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    connection.AwaitClose();
  });
  const auto result = Send(Post(server.Url()));
  ASSERT_TRUE(result.response);
  EXPECT_EQ(result.response->status, 201);
  EXPECT_EQ(result.response->body, "abcde");
  EXPECT_EQ(result.response->headers.size(), 1u);
}

TEST_F(HttpClientTest, ConnectionsAreUsedAgain) {
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) connection.Answer();
  });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Send(Post(server.Url())).response);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, AConnectionThatWentStaleIsReplacedWithoutAnError) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Answer();
    if (connection.number() == 1) return;  // closes the kept connection
    connection.AwaitClose();
  });
  ASSERT_TRUE(Send(Post(server.Url())).response);
  const auto result = Send(Post(server.Url()));
  ASSERT_TRUE(result.response) << result.error;
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpClientTest, AKeptConnectionThatIsClosedOnTheNextRequestIsRetriedOnAFreshOne) {
  for (const bool hard : {false, true}) {
    RawServer server([&](RawConnection& connection) {
      connection.ReadRequest();
      connection.Answer();
      if (connection.number() == 1) {
        connection.ReadRequest();  // the next request crosses the close on the wire
        if (hard) connection.Reset();
        return;
      }
      connection.AwaitClose();
    });
    ASSERT_TRUE(Send(Post(server.Url())).response);
    const auto result = Send(Post(server.Url()));
    ASSERT_TRUE(result.response) << result.error << " " << result.detail;
    EXPECT_EQ(server.connections(), 2);
  }
}

TEST_F(HttpClientTest, HoweverOftenAKeptConnectionHasEndedTheNextOneIsTried) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Answer();
    connection.ReadRequest();  // the next request crosses the close on the wire
  });
  for (int i = 0; i < 20; ++i) {
    const auto result = Send(Post(server.Url()));
    ASSERT_TRUE(result.response) << i << ": " << result.error << " " << result.detail;
  }
}

TEST_F(HttpClientTest, AConnectionClosedWithoutAnAnswerIsAResetThatMayHaveBeenSent) {
  for (const bool hard : {false, true}) {
    RawServer server([&](RawConnection& connection) {
      connection.ReadRequest();
      if (hard) connection.Reset();
    });
    const auto result = Send(Post(server.Url()));
    EXPECT_EQ(result.error, "reset");
    EXPECT_TRUE(result.maybe_sent);
  }
}

TEST_F(HttpClientTest, AnAnswerThatIsCutIsNoAnswer) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  });
  const auto result = Send(Post(server.Url()));
  EXPECT_FALSE(result.response);
  EXPECT_EQ(result.error, "reset");
  EXPECT_TRUE(result.maybe_sent);
}

TEST_F(HttpClientTest, ARefusedConnectionSentNothing) {
  const auto result = Send(Post("http://127.0.0.1:" + std::to_string(RefusedPort()) + "/T000/secret?token=x"));
  EXPECT_EQ(result.error, "connect_failed");
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_THAT(result.detail, HasSubstr("127.0.0.1"));
  EXPECT_THAT(result.detail, Not(HasSubstr("secret")));
}

TEST_F(HttpClientTest, AnUnknownHostSentNothing) {
  // RFC 6761: .invalid never resolves
  const auto result = Send(Post("http://nowhere.invalid/secret"));
  EXPECT_EQ(result.error, "dns_failed");
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_THAT(result.detail, Not(HasSubstr("secret")));
}

TEST_F(HttpClientTest, AServerWithoutTlsIsATlsFailureAndSentNothing) {
  RawServer server([](RawConnection& connection) {
    connection.Write("220 this is no TLS\r\n");
    connection.AwaitClose();
  });
  const auto result = Send(Post("https://127.0.0.1:" + std::to_string(server.port()) + "/secret"));
  EXPECT_EQ(result.error, "tls_failed");
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_THAT(result.detail, Not(HasSubstr("secret")));
}

TEST_F(HttpClientTest, AnAnswerThatIsNotHttpIsSaidSo) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("hello there\r\n\r\n");
  });
  const auto result = Send(Post(server.Url()));
  EXPECT_EQ(result.error, "bad_response");
  EXPECT_TRUE(result.maybe_sent);
}

TEST_F(HttpClientTest, TheDeadlineCutsAServerThatDoesNotAnswer) {
  RawServer server([](RawConnection& connection) { connection.AwaitClose(); });
  const auto result = Send(Post(server.Url("/secret")), 300ms);
  EXPECT_EQ(result.error, "timeout");
  EXPECT_TRUE(result.maybe_sent);
  EXPECT_EQ(result.detail, "the request was sent, but no whole answer came within 300 ms");
}

TEST_F(HttpClientTest, TheDeadlineCutsAServerThatDripsItsAnswer) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nX: ");
    while (connection.Write("y")) std::this_thread::yield();
  });
  const auto result = Send(Post(server.Url()), 100ms);
  EXPECT_FALSE(result.response);
  EXPECT_THAT(result.error, testing::AnyOf("timeout", "too_large", "reset"));
}

TEST_F(HttpClientTest, TellsWhenTheFirstByteOfTheAnswerCame) {
  std::promise<void> may_answer;
  RawServer server([&, may = may_answer.get_future().share()](RawConnection& connection) {
    if (connection.ReadRequest().find("/hangs") != std::string::npos) return connection.AwaitClose();
    may.wait();
    connection.Answer();
  });
  std::promise<HttpResult> promise;
  client->Send(Post(server.Url("/slow")), 20s, [&](HttpResult result) { promise.set_value(std::move(result)); });
  const auto hung = Send(Post(server.Url("/hangs")), 200ms);
  may_answer.set_value();
  const auto slow = promise.get_future().get();
  ASSERT_TRUE(slow.response);
  ASSERT_TRUE(slow.connect && slow.first_byte);
  EXPECT_GE(*slow.first_byte, 200ms) << "sent before the one that hung for as long";
  EXPECT_LT(*slow.connect, *slow.first_byte);
  EXPECT_TRUE(hung.connect) << "it got as far";
  EXPECT_FALSE(hung.first_byte) << "nothing came";
}

TEST_F(HttpClientTest, OnlyARequestThatOpensAConnectionTakesTimeToConnect) {
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) connection.Answer();
  });
  EXPECT_TRUE(Send(Post(server.Url())).connect);
  const auto second = Send(Post(server.Url()));
  EXPECT_FALSE(second.connect);
  EXPECT_TRUE(second.first_byte);
  EXPECT_EQ(server.connections(), 1);
  const auto refused = Send(Post("http://127.0.0.1:" + std::to_string(RefusedPort())));
  EXPECT_EQ(refused.error, "connect_failed");
  EXPECT_FALSE(refused.connect);
  EXPECT_FALSE(refused.first_byte);
}

TEST_F(HttpClientTest, ABigAnswerIsCutAndStillAnAnswer) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Answer(std::string(5'000'000, 'x'));
    connection.AwaitClose();
  });
  const auto result = Send(Post(server.Url()));
  ASSERT_TRUE(result.response) << result.error;
  EXPECT_EQ(result.response->body, std::string(1000, 'x'));
  EXPECT_TRUE(result.response->is_cut);
}

TEST_F(HttpClientTest, AnEndlessAnswerIsCutAndStillAnAnswer) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.Write(std::string(10'000, 'x'))) {
    }
  });
  EXPECT_TRUE(Send(Post(server.Url())).response);
}

TEST_F(HttpClientTest, WhatWasCutDoesNotPoisonTheNextRequest) {
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty())
      connection.Answer(std::string(connection.number() == 1 ? 100'000 : 2, 'x'));
  });
  ASSERT_TRUE(Send(Post(server.Url())).response);
  const auto result = Send(Post(server.Url()));
  ASSERT_TRUE(result.response);
  EXPECT_EQ(result.response->body, "xx");
  EXPECT_FALSE(result.response->is_cut);
}

TEST_F(HttpClientTest, EndlessHeadersEnd) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\n");
    while (connection.Write("X-Filler: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  EXPECT_EQ(Send(Post(server.Url())).error, "too_large");
}

TEST_F(HttpClientTest, RedirectsAreNotFollowed) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    connection.AwaitClose();
  });
  const auto result = Send(Post(server.Url()));
  ASSERT_TRUE(result.response);
  EXPECT_EQ(result.response->status, 302);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, CookiesAreNotKept) {
  std::promise<std::string> second;
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Answer("", "Set-Cookie: a=b\r\n");
    second.set_value(connection.ReadRequest());
    connection.Answer();
  });
  ASSERT_TRUE(Send(Post(server.Url())).response);
  ASSERT_TRUE(Send(Post(server.Url())).response);
  EXPECT_THAT(second.get_future().get(), Not(HasSubstr("Cookie")));
}

TEST_F(HttpClientTest, WhatHttpCannotCarryIsRefusedBeforeSending) {
  RawServer server([](RawConnection& connection) { connection.AwaitClose(); });
  const std::vector<std::pair<std::string, std::string>> bad = {{"X-A", "b\r\nX-Injected: 1"},
                                                                {"X-A", "b\nc"},
                                                                {"X-A", std::string("b\0c", 3)},
                                                                {"X A", "b"},
                                                                {"X-A\r\nX-B", "c"},
                                                                {"", "b"},
                                                                {"Content-Length", "3"},
                                                                {"Transfer-Encoding", "chunked"}};
  for (const auto& header : bad) {
    HttpRequest request = Post(server.Url());
    request.headers.push_back(header);
    const auto result = Send(request);
    EXPECT_EQ(result.error, "bad_request") << header.first;
    EXPECT_FALSE(result.maybe_sent);
    EXPECT_THAT(result.detail, Not(HasSubstr("Injected")));
  }
  HttpRequest request = Post(server.Url());
  request.method = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(Send(request).error, "bad_request");
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpClientTest, UrlsThatAreNoneAreRefusedBeforeSending) {
  for (const char* url : {"", "nonsense", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "http://a b/secret",
                          "http://127.0.0.1:99999/secret", "gopher://127.0.0.1/", "http://127.0.0.1/\r\nX: y"}) {
    const auto result = Send(Post(url));
    EXPECT_EQ(result.error, "bad_url") << url;
    EXPECT_FALSE(result.maybe_sent);
    EXPECT_THAT(result.detail, Not(HasSubstr("secret")));
  }
}

TEST_F(HttpClientTest, ThreeHundredAtOnceAllComeBack) {
  RawServer server([](RawConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();) {
      connection.Answer(request.substr(request.find("\r\n\r\n") + 4));
    }
  });
  constexpr int kCount = 300;
  std::latch all(kCount);
  std::atomic<int> right{0};
  for (int i = 0; i < kCount; ++i) {
    client->Send(Post(server.Url(), std::to_string(i)), 20s, [&, i](HttpResult result) {
      if (result.response && result.response->body == std::to_string(i)) ++right;
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(right, kCount);
}

TEST_F(HttpClientTest, NoRequestWaitsForTheConnectionOfAnother) {
  constexpr int kCount = 150;
  std::latch all_are_there(kCount);
  RawServer server([&](RawConnection& connection) {
    const std::string request = connection.ReadRequest();
    if (request.find("/hangs") != std::string::npos) return connection.AwaitClose();
    all_are_there.arrive_and_wait();
    connection.Answer();
  });
  for (int i = 0; i < kCount; ++i) client->Send(Post(server.Url("/hangs")), 20s, [](const HttpResult&) {});
  std::latch done(kCount);
  std::atomic<int> answered{0};
  for (int i = 0; i < kCount; ++i) {
    client->Send(Post(server.Url("/answers")), 20s, [&](const HttpResult& result) {
      if (result.response) ++answered;
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(answered, kCount) << "the server answers none before it has all of them";
}

TEST_F(HttpClientTest, WhoWantsNoProxyUsesNoneWhateverTheEnvironmentSays) {
  RawServer proxy([](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) connection.Answer("of the proxy");
  });
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) connection.Answer("of the server");
  });
  HttpClientOptions options;
  options.use_proxies = false;
  const auto direct = MakeCurlClient(options);
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    setenv(name, proxy.Url("").c_str(), 1);
  }
  const auto by_proxy = Send(Post(server.Url()));
  const auto without = SendBy(*direct, Post(server.Url()));
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    unsetenv(name);
  }
  ASSERT_TRUE(by_proxy.response) << by_proxy.error;
  EXPECT_EQ(by_proxy.response->body, "of the proxy") << "sinks honour it";
  ASSERT_TRUE(without.response) << without.error;
  EXPECT_EQ(without.response->body, "of the server");
}

/// A transport that goes by `proxy`, as `user`.
std::shared_ptr<const Transport> By(const RawServer& proxy, const std::string& user) {
  Transport transport;
  transport.proxy = Secret("http://" + user + "@127.0.0.1:" + std::to_string(proxy.port()));
  return std::make_shared<const Transport>(std::move(transport));
}

TEST_F(HttpClientTest, ATransportsProxyTakesEverythingWithItsUser) {
  Mutex mu;
  std::vector<std::string> seen;
  RawServer proxy([&](RawConnection& connection) {
    for (std::string got = connection.ReadRequest(); !got.empty(); got = connection.ReadRequest()) {
      {
        MutexLock lock(mu);
        seen.push_back(std::move(got));
      }
      connection.Answer("of the proxy");
    }
  });
  setenv("NO_PROXY", "*", 1);  // says nothing of a proxy that the environment does not name
  const auto ann = By(proxy, "ann:an%20apple"), bob = By(proxy, "bob:pear");
  for (const auto& transport : {ann, bob, ann, bob}) {
    HttpRequest request = Post("http://example.com/a?b=c");
    request.public_only = true;
    request.transport = transport;
    const auto result = Send(request);
    ASSERT_TRUE(result.response) << result.error << " " << result.detail;
    EXPECT_EQ(result.response->body, "of the proxy");
  }
  unsetenv("NO_PROXY");
  MutexLock lock(mu);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_THAT(seen[0], HasSubstr("POST http://example.com/a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(seen[0], HasSubstr("Proxy-Authorization: Basic YW5uOmFuIGFwcGxl\r\n"));  // ann:an apple
  EXPECT_THAT(seen[3], HasSubstr("Proxy-Authorization: Basic Ym9iOnBlYXI=\r\n"));      // bob:pear
  EXPECT_EQ(proxy.connections(), 2) << "one for each";
}

TEST_F(HttpClientTest, AProxyThatRefusesIsToldApart) {
  struct Case {
    const char* url;
    const char* answer;
    const char* error;
    const char* words;
  };
  const Case cases[] = {
      {"http://example.com/", "407 Proxy Authentication Required", "proxy_refused", "407"},
      {"https://example.com/", "407 Proxy Authentication Required", "proxy_refused", "407"},
      {"https://example.com/", "403 Forbidden", "proxy_refused", "403"},
      {"https://example.com/", "429 Too Many Requests", "connect_failed", "429"},
      {"https://example.com/", "503 Service Unavailable", "connect_failed", "503"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(std::string(test.url) + ' ' + test.answer);
    RawServer proxy([&](RawConnection& connection) {
      connection.ReadRequest();
      connection.Write(std::string("HTTP/1.1 ") + test.answer + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    HttpRequest request = Post(test.url);
    request.transport = By(proxy, "ann:apple");
    const auto result = Send(request);
    EXPECT_FALSE(result.response);
    EXPECT_EQ(result.error, test.error);
    EXPECT_THAT(result.detail, HasSubstr(test.words));
    EXPECT_FALSE(result.maybe_sent);
  }
}

TEST_F(HttpClientTest, AProxyWhoseUrlCannotBeReadIsNoFailureOfTheNet) {
  for (const char* proxy : {"http://ann:apple@127.0.0.1:99999", "http://a@b:c@127.0.0.1:9", "ftp://127.0.0.1:9"}) {
    Transport transport;
    transport.proxy = Secret(proxy);
    HttpRequest request = Post("http://example.com/");
    request.transport = std::make_shared<const Transport>(std::move(transport));
    const auto result = Send(request);
    EXPECT_EQ(result.error, "bad_proxy") << proxy << ": " << result.detail;
    EXPECT_FALSE(result.maybe_sent);
  }
}

TEST_F(HttpClientTest, ATransportThatEndsTakesItsConnectionsWithIt) {
  std::promise<void> closed;
  RawServer proxy([&](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) connection.Answer();
    closed.set_value();
  });
  HttpRequest request = Post("http://example.com/");
  request.transport = By(proxy, "ann:apple");
  EXPECT_TRUE(Send(request).response);
  auto ended = closed.get_future();
  EXPECT_EQ(ended.wait_for(0s), std::future_status::timeout) << "it is kept for the next request";
  request.transport.reset();
  EXPECT_EQ(ended.wait_for(20s), std::future_status::ready);
}

TEST_F(HttpClientTest, NoProxyIsAskedForAPrivateAddressByAPublicRequest) {
  RawServer proxy([](RawConnection& connection) { connection.ReadRequest(); });
  const auto transport = By(proxy, "ann:apple");
  for (const char* url :
       {"http://10.1.2.3/", "http://[::1]/", "http://0x7f.1/", "https://localhost/", "http://a.LOCALHOST/",
        "http://localhost./", "http://10.1.2.3./", "http://[fe80::1%25eth0]/"}) {
    HttpRequest request = Post(url);
    request.public_only = true;
    request.transport = transport;
    EXPECT_EQ(Send(request).error, "private_address") << url;
  }
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(HttpClientTest, ItsThreadGoesRoundWheneverItIsAsked) {
  for (int i = 0; i < 3; ++i) {
    const auto before = client->Passes();
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (client->Passes() == before && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_GT(client->Passes(), before);
  }
}

TEST_F(HttpClientTest, EndingTheClientEndsWhatIsInFlightAsCanceled) {
  std::promise<void> arrived;
  RawServer server([&](RawConnection& connection) {
    connection.ReadRequest();
    arrived.set_value();
    connection.AwaitClose();
  });
  std::promise<HttpResult> promise;
  client->Send(Post(server.Url()), 20s, [&](HttpResult result) { promise.set_value(std::move(result)); });
  arrived.get_future().wait();
  client.reset();
  const auto result = promise.get_future().get();
  EXPECT_EQ(result.error, "canceled");
  EXPECT_TRUE(result.maybe_sent);
}

TEST_F(HttpClientTest, ACallbackMaySendMore) {
  RawServer server([](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) connection.Answer();
  });
  std::promise<HttpResult> promise;
  client->Send(Post(server.Url()), 20s, [&](HttpResult) {
    client->Send(Post(server.Url()), 20s, [&](HttpResult result) { promise.set_value(std::move(result)); });
  });
  EXPECT_TRUE(promise.get_future().get().response);
}

}  // namespace
}  // namespace hookswitch
