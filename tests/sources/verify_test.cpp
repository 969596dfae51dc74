#include "core/sources/verify/verifier.h"

#include <gtest/gtest.h>

#include "core/base/encoding.h"

namespace hookswitch {
namespace {

using config::SignedPart;
using config::Verify;
using Headers = std::vector<std::pair<std::string, std::string>>;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{seconds(1'772'618'480)};

std::string Outcome(const Verifier& verifier, const SignedRequest& request, WallTime now = kNow) {
  const auto fault = verifier.Check(request, now);
  return fault ? std::string(ReasonOf(fault->kind)) : "ok";
}

Verify TimedHmac() {
  Verify config;
  config.secrets = {Secret("key")};
  config.headers = {"X-Signature"};
  config.part = "v1";
  config.timestamp_part = "t";
  config.signed_text = {
      {SignedPart::Kind::kTimestamp, {}}, {SignedPart::Kind::kText, "."}, {SignedPart::Kind::kBody, {}}};
  return config;
}

Headers SignedAt(const std::string& time) {
  return {{"X-Signature", "t=" + time + ",v1=" + Hex(Hmac(HashAlgorithm::kSha256, "key", time + ".body"))}};
}

TEST(Verifier, AcceptsAsOldAsToleratedAndFiveMinutesAhead) {
  Verify config = TimedHmac();
  config.tolerance = minutes(30);
  const auto verifier = MakeVerifier(config);
  const Headers headers = SignedAt("1772618480");
  const SignedRequest request{"POST", "/in", headers, "body"};
  EXPECT_EQ(Outcome(*verifier, request, kNow + minutes(30)), "ok");
  EXPECT_EQ(Outcome(*verifier, request, kNow + minutes(30) + seconds(1)), "signature_expired");
  EXPECT_EQ(Outcome(*verifier, request, kNow - minutes(5)), "ok");
  EXPECT_EQ(Outcome(*verifier, request, kNow - minutes(5) - seconds(1)), "signature_expired");
}

TEST(Verifier, UnitOfATimeIsSeenByItsLook) {
  const auto verifier = MakeVerifier(TimedHmac());
  for (const char* time : {"1772618480", "1772618480000", "2026-03-04T10:01:20Z", "2026-03-04T10:01:20.000000Z"}) {
    const Headers headers = SignedAt(time);
    EXPECT_EQ(Outcome(*verifier, {"POST", "/in", headers, "body"}), "ok") << time;
  }
  for (const char* time : {"17726184800000000", "9223372036854775807", "-1772618480", "1772618480.5", "now", "0x1"}) {
    const Headers headers = SignedAt(time);
    EXPECT_NE(Outcome(*verifier, {"POST", "/in", headers, "body"}), "ok") << time;
  }
}

TEST(Verifier, WithoutAPartAnyButTheTimeMayBeTheSignature) {
  Verify config = TimedHmac();
  config.part.clear();
  const auto verifier = MakeVerifier(config);
  const Headers headers = SignedAt("1772618480");
  EXPECT_EQ(Outcome(*verifier, {"POST", "/in", headers, "body"}), "ok");
  EXPECT_EQ(Outcome(*verifier, {"POST", "/in", headers, "bodz"}), "signature_wrong");
  const Headers time_alone = {{"X-Signature", "t=1772618480"}};
  EXPECT_EQ(Outcome(*verifier, {"POST", "/in", time_alone, "body"}), "signature_missing");
}

TEST(Verifier, TimeThatComesTwiceInTheHeaderIsWrong) {
  const auto verifier = MakeVerifier(TimedHmac());
  Headers headers = SignedAt("1772618480");
  headers[0].second = "t=1," + headers[0].second;
  EXPECT_EQ(Outcome(*verifier, {"POST", "/in", headers, "body"}), "signature_wrong");
}

TEST(Verifier, SignedTextMayHaveUrlMethodPathIdAndHeaders) {
  Verify config;
  config.secrets = {Secret("key")};
  config.headers = {"X-Signature"};
  config.encoding = Verify::Encoding::kBase64;
  config.algorithm = HashAlgorithm::kSha512;
  config.id_header = "X-Id";
  for (const auto& [kind, text] : {std::pair(SignedPart::Kind::kMethod, ""), std::pair(SignedPart::Kind::kUrl, ""),
                                   std::pair(SignedPart::Kind::kPath, ""), std::pair(SignedPart::Kind::kId, ""),
                                   std::pair(SignedPart::Kind::kHeader, "x-more")}) {
    config.signed_text.push_back({kind, text});
    config.signed_text.push_back({SignedPart::Kind::kText, "|"});
  }
  const auto verifier = MakeVerifier(config);
  const std::string url = "https://a.example/in/x?q=%20";
  const std::string text = "POST|" + url + "|/in/x|m1|more|";
  const Headers headers = {
      {"X-More", " more "}, {"x-id", "m1"}, {"x-signature", Base64(Hmac(HashAlgorithm::kSha512, "key", text))}};
  EXPECT_EQ(Outcome(*verifier, {"POST", url, headers, ""}), "ok");
  EXPECT_EQ(Outcome(*verifier, {"PUT", url, headers, ""}), "signature_wrong");
  EXPECT_EQ(Outcome(*verifier, {"POST", "https://a.example/in/x?q=+", headers, ""}), "signature_wrong");
}

TEST(Verifier, WithoutSecretsAcceptsNothing) {
  for (const auto scheme :
       {Verify::Scheme::kHmac, Verify::Scheme::kStandardWebhooks, Verify::Scheme::kTwilio, Verify::Scheme::kPlivo,
        Verify::Scheme::kJwt, Verify::Scheme::kEd25519, Verify::Scheme::kBasic}) {
    Verify config = TimedHmac();
    config.scheme = scheme;
    config.secrets.clear();
    const Headers headers = SignedAt("1772618480");
    EXPECT_NE(Outcome(*MakeVerifier(config), {"POST", "/in", headers, "body"}), "ok");
  }
}

TEST(Verifier, OnlySoManySignaturesOfAHeaderAreLookedAt) {
  const auto verifier = MakeVerifier(TimedHmac());
  Headers headers = SignedAt("1772618480");
  std::string many;
  for (int i = 0; i < 16; ++i) many += "v1=00,";
  headers[0].second = many + headers[0].second;
  EXPECT_EQ(Outcome(*verifier, {"POST", "/in", headers, "body"}), "signature_wrong");
}

std::string Token(const std::string& head, const std::string& claims,
                  HashAlgorithm algorithm = HashAlgorithm::kSha256) {
  const std::string text = Base64Url(head) + '.' + Base64Url(claims);
  return text + '.' + Base64Url(Hmac(algorithm, "key", text));
}

TEST(Jwt, IsOfTheConfiguredKindIssuerAndTime) {
  Verify config;
  config.scheme = Verify::Scheme::kJwt;
  config.secrets = {Secret("key")};
  config.headers = {"Authorization"};
  config.issuers = {"APIkey"};
  const auto verifier = MakeVerifier(config);
  // Of no body.
  const std::string sum = R"("sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")";
  const auto outcome = [&](const std::string& token) {
    const Headers headers = {{"Authorization", token}};
    return Outcome(*verifier, {"POST", "/in", headers, ""});
  };
  const std::string hs256 = R"({"alg":"HS256"})", who = R"("iss":"APIkey",)";
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("exp":1772618430.5,)" + sum + "}")), "ok") << "a minute of leeway";
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("exp":1772618419,)" + sum + "}")), "signature_expired");
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("exp":1772618600,"nbf":1772618541,)" + sum + "}")),
            "signature_expired");
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("iat":1772618181,)" + sum + "}")), "ok");
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("iat":1772618179,)" + sum + "}")), "signature_expired");
  EXPECT_EQ(outcome(Token(hs256, "{" + who + sum + "}")), "signature_wrong") << "valid for ever";
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("exp":"1772618600",)" + sum + "}")), "signature_wrong");
  EXPECT_EQ(outcome(Token(hs256, "{" + who + R"("exp":1e300,)" + sum + "}")), "signature_wrong");
  EXPECT_EQ(outcome(Token(hs256, R"({"iss":"APIother","exp":1772618600,)" + sum + "}")), "signature_wrong");
  EXPECT_EQ(outcome(Token(hs256, R"({"iss":"APIkey","exp":1772618600})")), "signature_wrong") << "no sum of the body";
  EXPECT_EQ(outcome(Token(R"({"alg":"none"})", "{" + who + R"("exp":1772618600,)" + sum + "}")), "signature_wrong");
  EXPECT_EQ(
      outcome(Token(R"({"alg":"HS512"})", "{" + who + R"("exp":1772618600,)" + sum + "}", HashAlgorithm::kSha512)),
      "signature_wrong");
}

TEST(Twilio, BodyThatIsNoFormNeedsItsSumInTheUrl) {
  Verify config;
  config.scheme = Verify::Scheme::kTwilio;
  config.secrets = {Secret("key")};
  const auto verifier = MakeVerifier(config);
  const std::string url = "https://a.example/in";
  const Headers headers = {{"Content-Type", "application/json"},
                           {"X-Twilio-Signature", Base64(Hmac(HashAlgorithm::kSha1, "key", url))}};
  EXPECT_EQ(Outcome(*verifier, {"POST", url, headers, ""}), "ok");
  EXPECT_EQ(Outcome(*verifier, {"POST", url, headers, "{}"}), "signature_wrong");
}

TEST(Plivo, OlderVersionMayBeRefused) {
  Verify config;
  config.scheme = Verify::Scheme::kPlivo;
  config.secrets = {Secret("key")};
  const std::string url = "https://a.example/in";
  const Headers headers = {{"X-Plivo-Signature-V2", Base64(Hmac(HashAlgorithm::kSha256, "key", url + "1"))},
                           {"X-Plivo-Signature-V2-Nonce", "1"}};
  EXPECT_EQ(Outcome(*MakeVerifier(config), {"POST", url, headers, ""}), "signature_missing");
  config.plivo_version = 2;
  EXPECT_EQ(Outcome(*MakeVerifier(config), {"POST", url, headers, ""}), "ok");
}

TEST(Plivo, ANonceHoldsNoPartOfTheSignedText) {
  Verify config;
  config.scheme = Verify::Scheme::kPlivo;
  config.secrets = {Secret("key")};
  config.plivo_version = 2;
  const std::string url = "https://a.example/in";
  for (const std::string nonce : {"?CallUUID1.7", "a.b", "", "a b"}) {
    const Headers headers = {{"X-Plivo-Signature-V2", Base64(Hmac(HashAlgorithm::kSha256, "key", url + nonce))},
                             {"X-Plivo-Signature-V2-Nonce", nonce}};
    EXPECT_NE(Outcome(*MakeVerifier(config), {"POST", url, headers, ""}), "ok") << nonce;
  }
}

TEST(Hmac, AMemberBehindATextIsNotPassedOver) {
  Verify config;
  config.secrets = {Secret("key")};
  config.headers = {"X-Sig"};
  config.signed_text = {{config::SignedPart::Kind::kJson, "call.call_id|call_id"}};
  const Headers headers = {{"X-Sig", Hex(Hmac(HashAlgorithm::kSha256, "key", "mine"))}};
  const auto outcome = [&](const char* body) { return Outcome(*MakeVerifier(config), {"POST", "/in", headers, body}); };
  EXPECT_EQ(outcome(R"({"call_id":"mine"})"), "ok");
  EXPECT_EQ(outcome(R"({"call":null,"call_id":"mine"})"), "ok");
  EXPECT_EQ(outcome(R"({"call":"{\"call_id\":\"theirs\"}","call_id":"mine"})"), "signature_wrong");
}

TEST(Basic, TellsWhatIsMissingFromWhatIsWrong) {
  Verify config;
  config.scheme = Verify::Scheme::kBasic;
  config.user = "hooks";
  config.secrets = {Secret("s")};
  const auto verifier = MakeVerifier(config);
  const auto outcome = [&](const std::string& value) {
    const Headers headers = {{"Authorization", value}};
    const auto fault = verifier->CheckHead({"POST", "/in", headers, ""}, kNow);
    return fault ? std::string(ReasonOf(fault->kind)) : "ok";
  };
  EXPECT_EQ(outcome("basic " + Base64("hooks:s")), "ok");
  EXPECT_EQ(outcome("Basic " + Base64("hooks:t")), "signature_wrong");
  EXPECT_EQ(outcome("Basic " + Base64("other:s")), "signature_wrong");
  EXPECT_EQ(outcome("Basic " + Base64("hooks")), "signature_wrong");
  EXPECT_EQ(outcome("Bearer s"), "signature_missing");
}

}  // namespace
}  // namespace hookswitch
