#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/crypto.h"
#include "core/base/encoding.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

constexpr const char* kKey = "a key of this test";

fakes::HeaderList SignatureOf(std::string_view body, seconds age = {}) {
  const auto at = std::chrono::floor<seconds>(std::chrono::system_clock::now()).time_since_epoch() - age;
  const std::string time = std::to_string(at.count());
  return {
      {"X-Signature", "t=" + time + ",v1=" + Hex(Hmac(HashAlgorithm::kSha256, kKey, time + '.' + std::string(body)))}};
}

TEST(Signatures, OnlyWhatIsSignedAsItIsAndNowIsAccepted) {
  const TempDir dir;
  RouterConfig config(dir);
  config.source =
      "{type: bolna, path: /bolna/webhook, verify: {scheme: hmac, header: X-Signature, part: v1, secret: {env: "
      "SIGNING_KEY}, timestamp: {from: t}, signed: \"{timestamp}.{body}\"}}";
  config.more = "unmatched: drop\n";
  const Router router(config.Write(), {std::string("SIGNING_KEY=") + kKey});
  ASSERT_TRUE(router.Ready());
  const std::string body = Call(CallId(1));
  EXPECT_EQ(router.Post(body, SignatureOf(body)).status, 200);
  std::string changed = body;
  changed[changed.find("completed")] = 'C';
  const RawAnswer wrong = router.Post(changed, SignatureOf(body));
  const RawAnswer old = router.Post(body, SignatureOf(body, seconds(600)));
  const RawAnswer missing = router.Post(body);
  for (const RawAnswer* answer : {&wrong, &old, &missing}) {
    EXPECT_EQ(answer->status, 401);
    EXPECT_EQ(answer->body, missing.body);
  }
  const std::string shown = router.GetWith("signature_missing", "/api/v1/refused");
  for (const char* reason : {"signature_wrong", "signature_expired", "signature_missing"}) {
    EXPECT_THAT(shown, HasSubstr(reason));
  }
  EXPECT_THAT(router.GetWith("verify", "/api/v1/sources"),
              HasSubstr(R"("verify":{"scheme":"hmac","headers":["X-Signature"],"secret_set":true})"));
  EXPECT_EQ(router.Log().find(kKey), std::string::npos);
}

}  // namespace
}  // namespace hookswitch::e2e
