#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include "core/http/http_client.h"
#include "tests/http/tls_server.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

struct TlsTest : testing::Test {
  TlsTest() {
    // A proxy in the tester's environment must not see requests to the loopback server.
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
    // The server's side of OpenSSL writes without MSG_NOSIGNAL to a client that hung up.
    signal(SIGPIPE, SIG_IGN);
  }

  HttpResult Send(const TlsServer& server) {
    HttpClientOptions options;
    options.ca_file = ca_file;
    const auto client = MakeCurlClient(options);
    std::promise<HttpResult> promise;
    client->Send({"POST", server.Url(), {}, "hello"}, 20s,
                 [&](HttpResult result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  void Trust(const Certificate& authority) {
    ca_file = testing::TempDir() + "hsw-authority-" + std::to_string(getpid()) + ".pem";
    std::ofstream(ca_file) << authority.Pem();
  }
  ~TlsTest() override {
    if (!ca_file.empty()) unlink(ca_file.c_str());
  }

  std::string ca_file;
};

void ExpectRefused(TlsServer& server, const HttpResult& result) {
  EXPECT_FALSE(result.response);
  EXPECT_EQ(result.error, "tls_failed") << result.detail;
  EXPECT_FALSE(result.maybe_sent);
  EXPECT_EQ(server.connections(), 1);
  server.Stop();
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(TlsTest, ACertificateOfTheHostByATrustedAuthorityIsGoodEnough) {
  const auto authority = Certificate::Authority();
  Trust(authority);
  TlsServer server(Certificate::For("127.0.0.1", &authority));
  const auto result = Send(server);
  ASSERT_TRUE(result.response) << result.error << " " << result.detail;
  EXPECT_EQ(result.response->body, "ok");
  server.Stop();
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(TlsTest, ASelfSignedCertificateGetsNoRequest) {
  TlsServer server(Certificate::For("127.0.0.1"));
  ExpectRefused(server, Send(server));
}

TEST_F(TlsTest, ACertificateOfAnUnknownAuthorityGetsNoRequest) {
  const auto authority = Certificate::Authority(), other = Certificate::Authority();
  Trust(authority);
  TlsServer server(Certificate::For("127.0.0.1", &other));
  ExpectRefused(server, Send(server));
}

TEST_F(TlsTest, ACertificateOfAnotherHostGetsNoRequest) {
  const auto authority = Certificate::Authority();
  Trust(authority);
  for (const char* host : {"127.0.0.2", "hooks.slack.com"}) {
    TlsServer server(Certificate::For(host, &authority));
    SCOPED_TRACE(host);
    ExpectRefused(server, Send(server));
  }
}

}  // namespace
}  // namespace hookswitch
