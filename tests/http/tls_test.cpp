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
using testing::HasSubstr;

struct TlsTest : testing::Test {
  TlsTest() {
    // A proxy in the tester's environment must not see requests to the loopback server, nor its authorities count.
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
    for (const char* name : kAuthorities) unsetenv(name);
    // The server's side of OpenSSL writes without MSG_NOSIGNAL to a client that hung up.
    signal(SIGPIPE, SIG_IGN);
  }
  ~TlsTest() override {
    for (const char* name : kAuthorities) unsetenv(name);
    for (const auto& file : files) unlink(file.c_str());
  }

  HttpResult Send(const TlsServer& server, std::shared_ptr<const Transport> transport = nullptr) {
    if (!client) {
      HttpClientOptions options;
      options.ca_file = ca_file;
      client = MakeCurlClient(options);
    }
    std::promise<HttpResult> promise;
    HttpRequest request{"POST", server.Url(), {}, "hello"};
    request.transport = std::move(transport);
    client->Send(std::move(request), 20s, [&](HttpResult result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  std::string FileOf(const Certificate& certificate) {
    files.push_back(testing::TempDir() + "hsw-tls-" + std::to_string(getpid()) + "-" + std::to_string(files.size()));
    std::ofstream(files.back()) << certificate.Pem();
    return files.back();
  }
  void Trust(const Certificate& authority) { ca_file = FileOf(authority); }

  static constexpr const char* kAuthorities[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"};
  std::vector<std::string> files;
  std::string ca_file;
  std::unique_ptr<HttpClient> client;
};

std::shared_ptr<const Transport> With(const Certificate* authority, const Certificate* own = nullptr) {
  Transport transport;
  if (authority) transport.ca = authority->Pem();
  if (own) transport.cert = own->Pem();
  if (own) transport.key = Secret(own->KeyPem());
  return std::make_shared<const Transport>(std::move(transport));
}

void ExpectRefused(TlsServer& server, const HttpResult& result, const std::string& words) {
  EXPECT_FALSE(result.response);
  EXPECT_EQ(result.error, "certificate_problem") << result.detail;
  EXPECT_THAT(result.detail, HasSubstr(words));
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
  client.reset();
  server.Stop();
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(TlsTest, TheHandshakeIsPartOfTheTimeToConnect) {
  const auto authority = Certificate::Authority();
  Trust(authority);
  TlsServer server(Certificate::For("127.0.0.1", &authority));
  RawServer hangs([](RawConnection& connection) { connection.AwaitClose(); });
  const auto other = MakeCurlClient({});
  server.before_handshake = [&] {
    std::promise<void> over;
    other->Send({"POST", hangs.Url(), {}, ""}, 200ms, [&](const HttpResult&) { over.set_value(); });
    over.get_future().wait();
  };
  const auto first = Send(server);
  ASSERT_TRUE(first.response) << first.error << " " << first.detail;
  ASSERT_TRUE(first.connect && first.first_byte);
  EXPECT_GE(*first.connect, 200ms);
  EXPECT_GE(*first.first_byte, *first.connect);
  EXPECT_FALSE(Send(server).connect) << "the connection is open";
}

TEST_F(TlsTest, AHandshakeThatFailsIsNoTimeToConnect) {
  TlsServer server(Certificate::For("127.0.0.1"));
  const auto result = Send(server);
  EXPECT_EQ(result.error, "certificate_problem");
  EXPECT_FALSE(result.connect);
  EXPECT_FALSE(result.first_byte);
}

TEST_F(TlsTest, ASelfSignedCertificateGetsNoRequest) {
  TlsServer server(Certificate::For("127.0.0.1"));
  ExpectRefused(server, Send(server), "self-signed certificate");
}

TEST_F(TlsTest, ACertificateOfAnUnknownAuthorityGetsNoRequest) {
  const auto authority = Certificate::Authority(), other = Certificate::Authority("another authority");
  Trust(authority);
  TlsServer server(Certificate::For("127.0.0.1", &other));
  ExpectRefused(server, Send(server), "SSL certificate problem: ");
}

// As when an authority is made anew, and its old certificate is still the one that is trusted.
TEST_F(TlsTest, ACertificateThatOnlyNamesATrustedAuthorityGetsNoRequest) {
  const auto old = Certificate::Authority(), renewed = Certificate::Authority();
  Trust(old);
  TlsServer server(Certificate::For("127.0.0.1", &renewed));
  ExpectRefused(server, Send(server), "routines");
}

TEST_F(TlsTest, ACertificateOfAnotherHostGetsNoRequest) {
  const auto authority = Certificate::Authority();
  Trust(authority);
  for (const char* host : {"127.0.0.2", "hooks.slack.com"}) {
    TlsServer server(Certificate::For(host, &authority));
    SCOPED_TRACE(host);
    ExpectRefused(server, Send(server), "subject name matches target host name '127.0.0.1'");
  }
}

TEST_F(TlsTest, TheEnvironmentNamesAuthoritiesAsForCurl) {
  const auto authority = Certificate::Authority(), other = Certificate::Authority("another authority");
  TlsServer server(Certificate::For("127.0.0.1", &authority));
  const auto sent = [&] {
    client.reset();
    return Send(server).response.has_value();
  };
  EXPECT_FALSE(sent());
  setenv("SSL_CERT_FILE", FileOf(authority).c_str(), 1);
  EXPECT_TRUE(sent());
  setenv("CURL_CA_BUNDLE", FileOf(other).c_str(), 1);
  EXPECT_FALSE(sent()) << "it counts before the other";
  setenv("CURL_CA_BUNDLE", "/not/there.pem", 1);
  client.reset();
  const auto result = Send(server);
  EXPECT_EQ(result.error, "certificate_problem");
  EXPECT_THAT(result.detail, HasSubstr("/not/there.pem"));
}

TEST_F(TlsTest, ATransportsAuthoritiesTakeThePlaceOfTheOthers) {
  const auto authority = Certificate::Authority(), other = Certificate::Authority("another authority");
  Trust(authority);
  TlsServer server(Certificate::For("127.0.0.1", &other));
  const auto result = Send(server, With(&other));
  ASSERT_TRUE(result.response) << result.error << " " << result.detail;
  EXPECT_EQ(Send(server).error, "certificate_problem") << "a connection made with other authorities is not used";
  TlsServer known(Certificate::For("127.0.0.1", &authority));
  ExpectRefused(known, Send(known, With(&other)), "SSL certificate problem: ");
}

TEST_F(TlsTest, ACertificateIsShownToWhoAsksForOne) {
  const auto authority = Certificate::Authority(), other = Certificate::Authority("another authority");
  const auto own = Certificate::For("hookswitch.example", &authority);
  const auto stranger = Certificate::For("hookswitch.example", &other);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version == TLS1_2_VERSION ? "TLS 1.2" : "TLS 1.3");
    client.reset();
    TlsServer server(Certificate::For("127.0.0.1", &authority), &authority, version);
    const auto result = Send(server, With(&authority, &own));
    ASSERT_TRUE(result.response) << result.error << " " << result.detail;
    const auto renewed = Certificate::Authority();
    const auto old = Certificate::For("hookswitch.example", &renewed);
    for (const auto* shown : {static_cast<const Certificate*>(nullptr), &stranger, &old}) {
      TlsServer strict(Certificate::For("127.0.0.1", &authority), &authority, version);
      ExpectRefused(strict, Send(strict, With(&authority, shown)), "alert");
    }
  }
}

TEST_F(TlsTest, ConnectionsAreSharedWithinATransportOnly) {
  const auto authority = Certificate::Authority();
  TlsServer server(Certificate::For("127.0.0.1", &authority));
  auto one = With(&authority), another = With(&authority);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Send(server, one).response);
    EXPECT_TRUE(Send(server, another).response);
  }
  EXPECT_EQ(server.connections(), 2);
  // The connections of one that has ended are closed when another begins, and those of the rest stay.
  one.reset();
  EXPECT_TRUE(Send(server, With(&authority)).response);
  EXPECT_TRUE(Send(server, another).response);
  EXPECT_EQ(server.connections(), 3);
  client.reset();
  server.Stop();
  EXPECT_EQ(server.requests(), 8);
}

}  // namespace
}  // namespace hookswitch
