#include "core/base/crypto.h"

#include <gtest/gtest.h>

#include "core/base/encoding.h"

namespace hookswitch {
namespace {

// RFC 4231 4.3 and RFC 2202 3, test case 2.
TEST(Hmac, IsThatOfTheRfcs) {
  const std::string text = "what do ya want for nothing?";
  EXPECT_EQ(Hex(Hmac(HashAlgorithm::kSha1, "Jefe", text)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(Hex(Hmac(HashAlgorithm::kSha256, "Jefe", text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(Hmac(HashAlgorithm::kSha384, "Jefe", text)),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(Hex(Hmac(HashAlgorithm::kSha512, "Jefe", text)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d"
            "4a6b4b636e070a38bce737");
  EXPECT_EQ(Hmac(HashAlgorithm::kSha1, {}, {}).size(), 20u);
}

TEST(Md5, IsThatOfRfc1321) {
  EXPECT_EQ(Hex(Md5Of("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Hex(Md5Of({})), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(SameBytes, NeedsTheLengthToo) {
  EXPECT_TRUE(SameBytes("ab", "ab"));
  EXPECT_TRUE(SameBytes({}, ""));
  EXPECT_FALSE(SameBytes("ab", "ac"));
  EXPECT_FALSE(SameBytes("ab", "abc"));
}

// RFC 8032 7.1, test 2.
const std::string kKey = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const std::string kSignature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb0"
    "0d291612bb0c00";

TEST(Ed25519, VerifiesTheSignatureOfTheText) {
  const auto key = Ed25519Key::Parse(kKey);
  ASSERT_TRUE(key);
  const std::string signature = *FromHex(kSignature);
  EXPECT_TRUE(key->Verifies("\x72", signature));
  EXPECT_FALSE(key->Verifies("\x73", signature));
  EXPECT_FALSE(key->Verifies("", signature));
  EXPECT_FALSE(key->Verifies("\x72", signature.substr(1)));
  EXPECT_FALSE(key->Verifies("\x72", ""));
}

TEST(Ed25519, KeyIsReadInEachForm) {
  const std::string raw = *FromHex(kKey);
  const std::string info = *FromHex("302a300506032b6570032100") + raw;
  for (const std::string& text : {kKey, Base64(raw), Base64Url(raw), Base64(info),
                                  "-----BEGIN PUBLIC KEY-----\n" + Base64(info) + "\n-----END PUBLIC KEY-----\n"}) {
    const auto key = Ed25519Key::Parse(text);
    EXPECT_TRUE(key && key->Verifies("\x72", *FromHex(kSignature))) << text;
  }
  for (const std::string& none : {std::string(), std::string("key"), Base64(raw.substr(1)), Base64(info.substr(1)),
                                  std::string("-----BEGIN PUBLIC KEY-----")}) {
    EXPECT_FALSE(Ed25519Key::Parse(none)) << none;
  }
}

}  // namespace
}  // namespace hookswitch
