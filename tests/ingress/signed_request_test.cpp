// Signatures, as the router checks them: before the body is read where the head alone is wrong, and before the source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/crypto.h"
#include "core/base/encoding.h"
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

constexpr std::string_view kCall = "call c1 completed";

class SignedRequestTest : public ::testing::Test {
 protected:
  SignedRequestTest() {
    log::SetWriterForTest([this](log::Level, std::string_view line) {
      MutexLock lock(mu);
      lines += line;
    });
    using Kind = config::SignedPart::Kind;
    config::Verify verify;
    verify.secrets = {Secret("key")};
    verify.headers = {"X-Signature"};
    verify.part = "v1";
    verify.timestamp_part = "t";
    verify.signed_text = {
        {Kind::kUrl, {}}, {Kind::kText, "|"}, {Kind::kTimestamp, {}}, {Kind::kText, "|"}, {Kind::kBody, {}}};
    config::Source source;
    source.name = "crm";
    source.path = "/hook";
    source.public_url = "https://calls.example.com";
    source.verify = verify;
    source.rate_limit = Rate{.max = 1, .per = std::chrono::hours(1), .burst = 1};
    auto snapshot = std::make_shared<IngressSnapshot>();
    snapshot->endpoints.push_back({source, std::make_shared<testing::WordSource>("crm")});
    acceptor.Use(snapshot);
    HttpServerOptions options;
    options.listen = {"127.0.0.1", 0};
    options.name = "ingress";
    auto started = HttpServer::Start(
        options, [this](const ServedRequest& head) { return acceptor.HandleHead(head); },
        [this](Responder responder) { acceptor.Handle(std::move(responder)); }, metrics);
    server = std::move(started).value();
  }
  ~SignedRequestTest() override {
    server.reset();
    log::SetWriterForTest(nullptr);
  }

  std::string Signature(const std::string& url, std::string_view body, std::chrono::seconds age = {}) const {
    const auto at = std::chrono::floor<std::chrono::seconds>(clock.Wall()).time_since_epoch() - age;
    const std::string time = std::to_string(at.count());
    const std::string text = url + '|' + time + '|' + std::string(body);
    return "X-Signature: t=" + time + ",v1=" + Hex(Hmac(HashAlgorithm::kSha256, "key", text)) + "\r\n";
  }
  std::string Answer(const std::string& target, std::string_view body, const std::string& headers) const {
    RawClient client(server->Address());
    client.Send(Post(target, body, headers));
    return client.Answer();
  }
  std::string Reason() {
    const auto refused = journal.refused();
    return refused.empty() ? "" : refused.back().error;
  }

  std::string Lines() {
    MutexLock lock(mu);
    return lines;
  }

  Mutex mu;
  std::string lines GUARDED_BY(mu);
  testing::MemoryJournal journal;
  testing::StillClock clock;
  Metrics metrics;
  Acceptor acceptor{journal, clock, metrics, nullptr};
  std::unique_ptr<HttpServer> server;
};

TEST_F(SignedRequestTest, RightOneIsAcceptedAndCoversTheUrlAsSent) {
  const std::string signature = Signature("https://calls.example.com/hook/?a=%20b", kCall);
  EXPECT_EQ(StatusOf(Answer("/hook/?a=+b", kCall, signature)), 401);
  EXPECT_EQ(StatusOf(Answer("/hook?a=%20b", kCall, signature)), 401);
  EXPECT_EQ(StatusOf(Answer("/hook/?a=%20b", kCall, signature)), 200);
  EXPECT_EQ(journal.events().size(), 1u);
}

TEST_F(SignedRequestTest, UrlInAbsoluteFormIsThatOfItsPath) {
  EXPECT_EQ(StatusOf(Answer("http://10.0.0.1/hook?a", kCall, Signature("https://calls.example.com/hook?a", kCall))),
            200);
}

TEST_F(SignedRequestTest, FaultIsForTheRouterAloneToKnow) {
  const std::string url = "https://calls.example.com/hook";
  const std::string missing = Answer("/hook", kCall, "");
  EXPECT_EQ(Reason(), "signature_missing");
  clock.Advance(std::chrono::seconds(2));
  const std::string wrong = Answer("/hook", "call c2 completed", Signature(url, kCall));
  EXPECT_EQ(Reason(), "signature_wrong");
  clock.Advance(std::chrono::seconds(2));
  const std::string expired = Answer("/hook", kCall, Signature(url, kCall, std::chrono::minutes(6)));
  EXPECT_EQ(Reason(), "signature_expired");
  EXPECT_EQ(StatusOf(missing), 401);
  EXPECT_EQ(BodyOf(wrong), BodyOf(missing));
  EXPECT_EQ(BodyOf(expired), BodyOf(missing));
  EXPECT_TRUE(journal.events().empty());
  for (const char* reason : {"signature_missing", "signature_wrong", "signature_expired"}) {
    EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_requests_refused_total{reason=\"" + std::string(reason) +
                                          "\",source=\"crm\"} 1"));
    EXPECT_THAT(Lines(), HasSubstr("\"reason\":\"" + std::string(reason) + '"'));
  }
  EXPECT_EQ(Lines().find("v1="), std::string::npos) << "a signature is logged";
}

TEST_F(SignedRequestTest, BodyIsNotReadWhereTheHeadIsWrong) {
  RawClient client(server->Address());
  client.Send("POST /hook HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_EQ(StatusOf(client.UntilEnd()), 401);
}

TEST_F(SignedRequestTest, WhatIsNotSignedUsesUpNothingOfTheRate) {
  const std::string url = "https://calls.example.com/hook";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(StatusOf(Answer("/hook", "call c2 completed", Signature(url, kCall))), 401);
  EXPECT_EQ(StatusOf(Answer("/hook", kCall, Signature(url, kCall))), 200);
  const std::string over = Answer("/hook", kCall, Signature(url, kCall));
  EXPECT_EQ(StatusOf(over), 429);
  EXPECT_THAT(over, HasSubstr("\r\nRetry-After: "));
}

}  // namespace
}  // namespace hookswitch
