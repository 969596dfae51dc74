// Every bundled HTTP sink in the real program: its request arrives, its secret is nowhere in the log, and a 429 is
// waited for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <mutex>

#include "tests/e2e/router.h"
#include "tests/fakes/http_loop.h"
#include "tests/http/tls_server.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

struct Case {
  std::string plugin;
  std::string config;  ///< YAML; {server} stands for the stand-in's root URL
  std::string target;  ///< what the request asks for
  int status;
  std::string answer;
  std::string secret;
};

const Case kCases[] = {
    {"discord", "{webhook_url: \"{server}/api/webhooks/1/s3cret\", allow_http: true}",
     "/api/webhooks/1/s3cret?wait=true", 200, R"({"id":"42"})", "s3cret"},
    {"googlechat", "{webhook_url: \"{server}/v1/spaces/A/messages?key=k&token=s3cret\", allow_http: true}",
     "/v1/spaces/A/messages?key=k&token=s3cret&requestId=", 200, R"({"name":"spaces/A/messages/B"})", "s3cret"},
    {"mattermost", "{webhook_url: \"{server}/hooks/s3cret\", allow_http: true}", "/hooks/s3cret", 200, "ok", "s3cret"},
    {"ntfy", "{server: \"{server}\", topic: calls, token: tk_s3cret, allow_http: true}", "/", 200, R"({"id":"x"})",
     "tk_s3cret"},
    {"pagerduty", "{server: \"{server}\", routing_key: 0123456789abcdef0123456789abcdef, allow_http: true}",
     "/v2/enqueue", 202, R"({"status":"success","dedup_key":"d"})", "0123456789abcdef0123456789abcdef"},
    {"teams", "{webhook_url: \"{server}/workflows/w/invoke?sig=s3cret\", allow_http: true}",
     "/workflows/w/invoke?sig=s3cret", 202, "", "s3cret"},
    {"telegram",
     "{server: \"{server}\", token: \"123456:s3cret-s3cret-s3cret-s3cret\", chat_id: -100, allow_http: true}",
     "/bot123456:s3cret-s3cret-s3cret-s3cret/sendMessage", 200, R"({"ok":true,"result":{"message_id":7}})",
     "s3cret-s3cret"},
    {"webhook",
     "{url: \"{server}/in?token=s3cret\", body: raw, allow_private: true, allow_http: true, "
     "signing_secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw], secret_headers: {X-Api-Key: s3cret}}",
     "/in?token=s3cret", 200, "", "s3cret"},
};

class HttpSink : public testing::TestWithParam<Case> {};

TEST_P(HttpSink, BringsACallToItsDestinationOnceAndWaitsWhenAsked) {
  const Case& test = GetParam();
  std::mutex mu;
  std::vector<std::pair<std::string, std::string>> got;
  std::promise<void> arrived;
  auto server = fakes::HttpLoop::Start([&](const fakes::HttpRequest& request) {
    const std::lock_guard lock(mu);
    got.emplace_back(request.target, request.body);
    if (got.size() == 2) arrived.set_value();
    fakes::HttpReply reply;
    reply.content_type = "application/json";
    reply.status = test.status;
    reply.body = test.answer;
    if (got.size() == 1) {
      reply.status = 429;
      reply.headers = {{"Retry-After", "1"}};
    }
    return reply;
  });
  ASSERT_TRUE(server);
  std::string yaml = test.config;
  const std::string root = "http://127.0.0.1:" + std::to_string((*server)->Port());
  yaml.replace(yaml.find("{server}"), 8, root);

  TempDir dir;
  RouterConfig config(dir);
  config.sinks = "  there:\n    plugin: " + test.plugin + "\n    config: " + yaml + "\n";
  config.rules = "  - {name: all, send: [there]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(7))).status, 200);
  ASSERT_EQ(arrived.get_future().wait_for(seconds(20)), std::future_status::ready) << router.Log();
  EXPECT_EQ(router.Stop(), 0);
  EXPECT_THAT(router.Log(), testing::Not(HasSubstr(test.secret)));

  Router again(config.Write());
  ASSERT_TRUE(again.Ready());
  const std::string deliveries = again.Get("/api/v1/deliveries").body;
  EXPECT_THAT(deliveries, HasSubstr("\"delivered\""));
  EXPECT_THAT(deliveries, testing::Not(HasSubstr(test.secret)));
  EXPECT_EQ(again.Stop(), 0);

  ASSERT_EQ(got.size(), 2U) << "once refused, once taken";
  EXPECT_THAT(got[1].first, HasSubstr(test.target));
  EXPECT_THAT(got[1].second, HasSubstr(CallId(7)));
}

TEST(WebhookSink, DoesNotReachAPrivateAddressUnlessAllowed) {
  std::atomic<int> requests = 0;
  auto server = fakes::HttpLoop::Start([&](const fakes::HttpRequest&) {
    ++requests;
    return fakes::HttpReply{};
  });
  ASSERT_TRUE(server);
  TempDir dir;
  RouterConfig config(dir);
  config.sinks =
      "  there:\n    plugin: webhook\n    config: {url: \"http://localhost:" + std::to_string((*server)->Port()) +
      "/\", allow_http: true}\n";
  config.rules = "  - {name: all, send: [there]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(7))).status, 200);
  const auto told = router.WaitForEvent("lane_paused");
  ASSERT_TRUE(told) << router.Log();
  EXPECT_THAT(*told, HasSubstr("private_address"));
  EXPECT_EQ(requests, 0);
}

std::string SinkThere(const std::string& url, const std::string& more) {
  return "  there:\n    plugin: webhook\n    config: {url: \"" + url +
         "\", allow_private: true, allow_http: true}\n    " + more + '\n';
}

TEST(HttpSinkTransport, ShowsItsCertificateToAServerOfItsOwnAuthority) {
  signal(SIGPIPE, SIG_IGN);  // the server's side of OpenSSL writes without MSG_NOSIGNAL
  const auto authority = Certificate::Authority(), other = Certificate::Authority();
  const auto own = Certificate::For("hookswitch.example", &authority);
  TlsServer server(Certificate::For("127.0.0.1", &authority), &authority);
  TempDir dir;
  WriteFile(dir / "ca.pem", other.Pem());
  WriteFile(dir / "cert.pem", own.Pem());
  WriteFile(dir / "key.pem", own.KeyPem());
  RouterConfig config(dir);
  config.sinks = SinkThere(server.Url(), "tls: {ca: ca.pem, cert: cert.pem, key: key.pem}");
  config.rules = "  - {name: all, send: [there]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(7))).status, 200);
  const auto told = router.WaitForEvent("lane_paused");
  ASSERT_TRUE(told) << router.Log();
  EXPECT_THAT(*told, HasSubstr("certificate_problem"));
  const std::string refused = "a certificate was not accepted: ";
  EXPECT_THAT(router.GetWith(refused, "/api/v1/sinks"), HasSubstr(refused));
  EXPECT_EQ(server.requests(), 0);

  // Not with the path of the file but with what it holds a reload finds a change.
  WriteFile(dir / "ca.pem", authority.Pem());
  router.Process().Signal(SIGHUP);
  EXPECT_TRUE(router.WaitForEvent("delivery_delivered")) << router.Log();
  EXPECT_EQ(server.requests(), 1);
}

TEST(HttpSinkTransport, AProxysPasswordIsNowhereAlsoWhereTheProxyEchoesIt) {
  std::promise<void> tried;
  std::atomic<int> requests = 0;
  RawServer proxy([&](RawConnection& connection) {
    for (std::string got = connection.ReadRequest(); !got.empty(); got = connection.ReadRequest()) {
      connection.Write("HTTP/1.1 502 Bad Gateway\r\nContent-Length: " + std::to_string(got.size()) + "\r\n\r\n" + got);
      if (requests++ == 1) tried.set_value();
    }
  });
  TempDir dir;
  RouterConfig config(dir);
  const std::string address = "127.0.0.1:" + std::to_string(proxy.port());
  config.sinks = SinkThere("http://receiver.example/in",
                           "proxy: \"http://ann:s3cret-word@" + address + "\"\n    retry: {schedule: [10ms]}");
  config.rules = "  - {name: all, send: [there]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(7))).status, 200);
  ASSERT_EQ(tried.get_future().wait_for(seconds(20)), std::future_status::ready) << router.Log();
  const std::string deliveries = router.Get("/api/v1/deliveries").body;
  const std::string id = deliveries.substr(deliveries.find("\"id\":\"d-") + 6, 3);
  const std::string delivery = router.GetWith("Proxy-Authorization", "/api/v1/deliveries/" + id);
  EXPECT_THAT(delivery, HasSubstr("Proxy-Authorization"));
  for (const std::string& text : {delivery, router.Log(), router.Get("/api/v1/sinks").body}) {
    EXPECT_THAT(text, testing::Not(HasSubstr("s3cret-word")));
    EXPECT_THAT(text, testing::Not(HasSubstr("YW5uOnMzY3JldC13b3Jk"))) << "as base64";
  }
}

TEST(HttpSinkTransport, AProxyOfTheEnvironmentThatCannotBeReadIsNamedWithoutItsPassword) {
  for (const char* proxy : {"http://ann:s3cret-word@127.0.0.1:99999", "ftp://ann:s3cret-word@127.0.0.1:9"}) {
    SCOPED_TRACE(proxy);
    TempDir dir;
    RouterConfig config(dir);
    config.sinks = SinkThere("http://receiver.example/in", "max_age: 1h");
    config.rules = "  - {name: all, send: [there]}\n";
    Router router(config.Write(), {std::string("http_proxy=") + proxy});
    ASSERT_TRUE(router.Ready());
    ASSERT_EQ(router.Post(Call(CallId(7))).status, 200);
    ASSERT_TRUE(router.WaitForEvent("lane_paused")) << router.Log();
    const std::string sinks = router.GetWith("\"misconfigured\"", "/api/v1/sinks");
    EXPECT_THAT(sinks, testing::AllOf(HasSubstr("\"misconfigured\""), HasSubstr("the proxy's URL cannot be used")));
    for (const std::string& text : {sinks, router.Log(), router.Get("/api/v1/deliveries").body}) {
      EXPECT_THAT(text, testing::Not(HasSubstr("s3cret-word")));
    }
  }
}

TEST(HttpSinkTransport, IsRefusedForASinkThatConnectsByItself) {
  TempDir dir;
  RouterConfig config(dir);
  config.sinks =
      "  there:\n    plugin: file\n    config: {path: " + (dir / "out.jsonl") + "}\n    proxy: http://127.0.0.1:3128\n";
  config.rules = "  - {name: all, send: [there]}\n";
  const auto checked = RunProgram({Program(), "check", "-c", config.Write()});
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.out + checked.err, HasSubstr("sinks.there.proxy: the plugin file connects by itself"));
}

/// Slack's Web API as far as the bot uses it: says ok, and keeps "path body" of each request. A request for the channel
/// `limited` is told to wait until another has had one.
class WebApi {
 public:
  explicit WebApi(std::size_t wanted, std::string limited = "") : wanted_(wanted), limited_(std::move(limited)) {
    auto server = fakes::HttpLoop::Start([this](const fakes::HttpRequest& request) { return Answer(request); });
    if (server) server_ = std::move(*server);
  }
  std::string Root() const { return "http://127.0.0.1:" + std::to_string(server_->Port()); }
  /// The requests, once as many as wanted have come; what came until then if they do not.
  std::vector<std::string> Await() {
    arrived_.get_future().wait_for(seconds(20));
    const std::lock_guard lock(mu_);
    return got_;
  }

 private:
  fakes::HttpReply Answer(const fakes::HttpRequest& request) {
    const std::lock_guard lock(mu_);
    fakes::HttpReply reply;
    reply.content_type = "application/json";
    // Until another channel has its message.
    if (!limited_.empty() && request.body.find(limited_) != std::string::npos && got_.empty()) {
      reply.status = 429;
      reply.headers.emplace_back("Retry-After", "1");
      return reply;
    }
    got_.push_back(std::string(request.target).append(" ").append(request.body));
    const std::string ts = "1700000000.00000" + std::to_string(got_.size());
    reply.body = R"({"ok":true,"channel":"C0ALERTS","ts":")" + ts + R"(","upload_url":")" + Root() +
                 R"(\/upload\/v1\/s3cret-upload","file_id":"F0FILE"})";
    if (got_.size() == wanted_) arrived_.set_value();
    return reply;
  }

  const std::size_t wanted_;
  const std::string limited_;
  std::mutex mu_;
  std::vector<std::string> got_;
  std::promise<void> arrived_;
  std::unique_ptr<fakes::HttpLoop> server_;
};

TEST(SlackBot, MakesAThreadOfACallAndKeepsItsFirstMessageUpToDate) {
  WebApi api(6);
  TempDir dir;
  RouterConfig config(dir);
  config.sinks =
      "  bot:\n    plugin: slack\n    config: {token: xoxb-s3cret, channel: C0ALERTS, api_url: \"" + api.Root() +
      "/api\", allow_any_host: true, thread: call, update: true, long_transcript: file, max_transcript: 20}\n";
  config.rules = "  - {name: all, when: {status: [in-progress, completed]}, send: [bot]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  const std::string said = "assistant: a transcript that is longer than the message may show\nuser: yes\n";
  ASSERT_EQ(router.Post(Call(CallId(7), {{"status", "in-progress"}, {"transcript", ""}})).status, 200);
  ASSERT_EQ(router.Post(Call(CallId(7), {{"transcript", said}})).status, 200);
  const auto got = api.Await();
  ASSERT_EQ(got.size(), 6U) << router.Log();
  EXPECT_THAT(got[0], testing::AllOf(testing::StartsWith("/api/chat.postMessage"), HasSubstr("in-progress"),
                                     testing::Not(HasSubstr("thread_ts"))));
  EXPECT_THAT(got[1], testing::AllOf(testing::StartsWith("/api/chat.update"), HasSubstr(R"("ts":"1700000000.000001")"),
                                     HasSubstr("completed")));
  EXPECT_THAT(got[2], testing::AllOf(testing::StartsWith("/api/chat.postMessage"),
                                     HasSubstr(R"("thread_ts":"1700000000.000001")"), HasSubstr("completed")));
  EXPECT_THAT(got[3], testing::StartsWith("/api/files.getUploadURLExternal filename=transcript-" + CallId(7)));
  EXPECT_THAT(got[4], testing::AllOf(testing::StartsWith("/upload/v1/s3cret-upload"), HasSubstr("User: yes")));
  EXPECT_THAT(got[5], testing::AllOf(testing::StartsWith("/api/files.completeUploadExternal"),
                                     HasSubstr("channel_id=C0ALERTS&thread_ts=1700000000.000001")));
  EXPECT_TRUE(router.WaitForEvents("delivery_delivered", 2));
  const std::string attempts = router.GetWith("\"state\":\"delivered\"", "/api/v1/deliveries/d-2");
  EXPECT_THAT(attempts, HasSubstr("/upload/v1/***"));
  EXPECT_EQ(router.Stop(), 0);
  std::string kept = router.Log() + attempts;
  for (const char* file : {"journal.db", "journal.db-wal"}) {
    if (std::filesystem::exists(dir / file)) kept += ReadFile(dir / file);
  }
  EXPECT_NE(kept.find("Authorization: Bearer ***"), std::string::npos) << "what was sent is kept";
  EXPECT_EQ(kept.find("s3cret"), std::string::npos) << "neither the token nor the URL that the answer brought";
}

TEST(SlackBot, AChannelThatIsLimitedDoesNotDelayAnother) {
  WebApi api(2, "C0BUSY");
  TempDir dir;
  RouterConfig config(dir);
  config.sinks = "  bot:\n    plugin: slack\n    config: {token: xoxb-s3cret, channel: C0CALM, api_url: \"" +
                 api.Root() + "/api\", allow_any_host: true, channels: [{rule: busy, channel: C0BUSY}]}\n";
  config.rules =
      "  - {name: busy, when: {status: completed}, send: [bot]}\n"
      "  - {name: calm, when: {status: failed}, send: [bot]}\n";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(router.WaitForEvent("delivery_retry"));
  ASSERT_EQ(router.Post(Call(CallId(2), {{"status", "failed"}})).status, 200);
  const auto got = api.Await();
  ASSERT_EQ(got.size(), 2U) << router.Log();
  EXPECT_THAT(got[0], HasSubstr("C0CALM"));
  EXPECT_THAT(got[1], HasSubstr("C0BUSY"));
  EXPECT_THAT(router.Log(), testing::Not(HasSubstr("lane_throttled")));
}

INSTANTIATE_TEST_SUITE_P(Bundled, HttpSink, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.plugin; });

}  // namespace
}  // namespace hookswitch::e2e
