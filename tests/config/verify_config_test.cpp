#include "core/config/verify_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/config/loader.h"
#include "core/config/provenance.h"
#include "core/config/yaml_parser.h"
#include "tests/config/memory_environment.h"

namespace hookswitch::config {
namespace {

using ::testing::ElementsAre;

Node Parsed(const std::string& yaml) {
  Problems problems;
  return ParseYaml(MakeSourceFile("a.yaml", yaml), problems).value_or(Node());
}

Config Good(const std::string& source, const std::string& server = "{}") {
  MemoryEnvironment memory;
  memory.variables = {{"ONE", "b25l"}, {"TWO", "dHdv"}};
  memory.files["a.yaml"] = "server: " + server + "\nsources: {crm: {type: bolna, path: /crm, " + source + "}}\n";
  Loaded loaded = Load("a.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems);
  return loaded.config ? std::move(*loaded.config) : Config();
}

TEST(VerifyConfig, HasItsPartsAndDefaults) {
  const Config config = Good(
      R"(verify: {scheme: hmac, header: X-Sig, part: v1, prefix: "sha512=", algorithm: sha512, encoding: base64,)"
      R"( secret_encoding: base64, signed: "v0:{timestamp}:{header:X-A}:{json:a.b|c}:{body_md5}", id: {header: X-Id},)"
      R"( timestamp: {from: t, unit: ms}, tolerance: 90s, secret: [{env: ONE}, {env: TWO}]})");
  const Verify& verify = config.sources.at(0).verify.value();
  EXPECT_EQ(verify.scheme, Verify::Scheme::kHmac);
  EXPECT_THAT(verify.headers, ElementsAre("X-Sig"));
  EXPECT_EQ(verify.part, "v1");
  EXPECT_EQ(verify.prefix, "sha512=");
  EXPECT_EQ(verify.algorithm, HashAlgorithm::kSha512);
  EXPECT_EQ(verify.encoding, Verify::Encoding::kBase64);
  EXPECT_EQ(verify.timestamp_part, "t");
  EXPECT_EQ(verify.timestamp_unit, Verify::TimeUnit::kMilliseconds);
  EXPECT_EQ(verify.id_header, "X-Id");
  EXPECT_EQ(verify.tolerance, std::chrono::seconds(90));
  EXPECT_THAT(verify.secrets, ElementsAre(Secret("one"), Secret("two")));
  using Kind = SignedPart::Kind;
  EXPECT_THAT(verify.signed_text, ElementsAre(SignedPart{Kind::kText, "v0:"}, SignedPart{Kind::kTimestamp, {}},
                                              SignedPart{Kind::kText, ":"}, SignedPart{Kind::kHeader, "X-A"},
                                              SignedPart{Kind::kText, ":"}, SignedPart{Kind::kJson, "a.b|c"},
                                              SignedPart{Kind::kText, ":"}, SignedPart{Kind::kBodyMd5, {}}));

  const Config plain = Good("verify: {scheme: hmac, header: [A, B], secret: s}");
  const Verify& defaults = plain.sources.at(0).verify.value();
  EXPECT_THAT(defaults.headers, ElementsAre("A", "B"));
  EXPECT_THAT(defaults.signed_text, ElementsAre(SignedPart{Kind::kBody, {}}));
  EXPECT_EQ(defaults.tolerance, std::chrono::minutes(5));
}

TEST(VerifyConfig, PublicUrlIsTheSourcesOwnOrTheServers) {
  const std::string verify = "verify: {scheme: twilio, secret: s}";
  const std::string server = "{public_url: \"https://calls.example.com/\"}";
  EXPECT_EQ(Good(verify, server).sources.at(0).public_url, "https://calls.example.com");
  EXPECT_EQ(Good("public_url: \"https://own.example/in/\", " + verify, server).sources.at(0).public_url,
            "https://own.example/in");
}

TEST(VerifyConfig, KeysStandOverThoseOfTheBase) {
  const Node base = Parsed("{scheme: hmac, header: X-Base, part: v1, tolerance: 30m}");
  const auto made = [&](const std::string& yaml) {
    const Node user = Parsed("verify: " + yaml);
    Problems problems;
    auto verify = MakeVerify(user.map.at(0), &base, "verify", "", Environment(), problems);
    for (const Problem& problem : problems.All()) ADD_FAILURE() << ToText(problem);
    return verify.value_or(Verify());
  };
  const Verify by_base = made("{secret: s}");
  EXPECT_THAT(by_base.headers, ElementsAre("X-Base"));
  EXPECT_EQ(by_base.part, "v1");
  EXPECT_EQ(by_base.tolerance, std::chrono::minutes(30));
  const Verify mixed = made("{secret: s, header: X-Own}");
  EXPECT_THAT(mixed.headers, ElementsAre("X-Own"));
  EXPECT_EQ(mixed.part, "v1");
  const Verify other = made("{scheme: standard-webhooks, secret: c2VjcmV0}");
  EXPECT_EQ(other.scheme, Verify::Scheme::kStandardWebhooks);
  EXPECT_EQ(other.part, "");
}

TEST(VerifyConfig, ATextOfOnesOwnTakesNoTimeOfTheBaseThatItDoesNotSign) {
  const Node base = Parsed("{scheme: hmac, header: X, signed: \"{timestamp}.{body}\", timestamp: {header: X-Time}}");
  for (const bool has_time : {false, true}) {
    const std::string text = has_time ? "{timestamp}:{body}" : "{body}";
    const Node user = Parsed("verify: {secret: s, signed: \"" + text + "\"}");
    Problems problems;
    const auto verify = MakeVerify(user.map.at(0), &base, "verify", "", Environment(), problems);
    EXPECT_TRUE(problems.All().empty()) << text;
    ASSERT_TRUE(verify);
    EXPECT_EQ(verify->timestamp_header, has_time ? "X-Time" : "");
  }
}

TEST(VerifyConfig, WhatABaseNeedsIsReportedWhereTheUserWrites) {
  const Node base = Parsed("{scheme: twilio}"), user = Parsed("verify: {secret: s}");
  Problems problems;
  (void)MakeVerify(user.map.at(0), &base, "verify", "", Environment(), problems);
  ASSERT_EQ(problems.All().size(), 1u);
  EXPECT_EQ(problems.All()[0].where.file, user.map.at(0).key_where.file);
  EXPECT_THAT(problems.All()[0].message, ::testing::HasSubstr("public_url"));
}

TEST(VerifyConfig, SecretsOfAListAreNotShown) {
  const Config config = Good("verify: {scheme: hmac, header: X, secret: [written-here, {env: ONE}]}");
  std::size_t secrets = 0;
  for (const ConfigValue& value : ValuesOf(config, {}, 1000).all) {
    if (value.secret) ++secrets;
    EXPECT_EQ(hookswitch::ToText(value.value).find("written-here"), std::string::npos) << value.path;
  }
  EXPECT_EQ(secrets, 2u);
}

TEST(VerifyConfig, WithoutSecretsIsNoErrorWhereNoneIsNeeded) {
  MemoryEnvironment memory;
  memory.files["a.yaml"] =
      "sources: {crm: {type: bolna, path: /crm, verify: {scheme: ed25519, header: X, public_key: {env: NONE}}}}\n";
  Environment environment = memory.Get();
  environment.secrets_optional = true;
  const Loaded loaded = Load("a.yaml", environment);
  ASSERT_TRUE(loaded.config) << AllText(loaded.problems);
  EXPECT_TRUE(loaded.config->sources.at(0).verify.value().secrets.empty());
}

}  // namespace
}  // namespace hookswitch::config
