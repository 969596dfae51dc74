// Every vector of tests/golden/signatures is a request that must be accepted, with the scheme that schemes.yaml has for
// it; and the same request, broken in each way, must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/config/platforms.h"
#include "core/config/yaml_parser.h"
#include "core/sources/verify/verifier.h"

namespace hookswitch {
namespace {

const std::string kFolder = std::string(HSW_SOURCE_DIR) + "/tests/golden/signatures/";
const WallTime kNow{std::chrono::seconds(1'772'618'480)};

std::string ReadFile(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

config::Node Parsed(const std::string& yaml) {
  config::Problems problems;
  auto node = config::ParseYaml(config::MakeSourceFile("schemes.yaml", yaml), problems);
  for (const auto& problem : problems.All()) ADD_FAILURE() << config::ToText(problem);
  return node.value_or(config::Node());
}

const config::Node& Schemes() {
  static const config::Node schemes = Parsed(ReadFile("schemes.yaml"));
  return schemes;
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted;
}

std::string TextIn(const json::object& vector, std::string_view name) {
  const auto* value = vector.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(text->data(), text->size()) : std::string();
}

std::string SecretIn(const json::object& vector) {
  for (const char* name : {"api_secret", "secret", "auth_token", "public_key", "public_key_base64",
                           "public_key_spki_base64", "secret_base64", "application_secret_base64", "api_key"}) {
    if (auto secret = TextIn(vector, name); !secret.empty()) return secret;
  }
  ADD_FAILURE() << "no secret";
  return {};
}

// Another one that is written the same way.
std::string OtherThan(const std::string& secret) {
  const std::string other = Base64(std::string(32, 'k'));
  for (const char* prefix : {"whsec_", "whpk_"}) {
    if (secret.starts_with(prefix)) return prefix + other;
  }
  return other;
}

struct Request {
  std::string method = "POST", url = "https://hooks.example.net/in", body;
  std::vector<std::pair<std::string, std::string>> headers;

  SignedRequest View() const { return {method, url, headers, body}; }
};

struct Vector {
  std::string name;
  std::string scheme;  // its name in schemes.yaml
  std::string secret;
  Request request;

  config::Verify Config(const std::vector<std::string>& secrets) const {
    std::string list;
    for (const std::string& one : secrets) list += (list.empty() ? "" : ", ") + Quoted(one);
    const config::Node user = Parsed("verify: {secret: [" + list + "]}");
    config::Problems problems;
    const auto made = config::MakeVerify(user.map.at(0), Schemes().Find(scheme), "verify", "https://hooks.example.net",
                                         config::Environment(), problems);
    for (const auto& problem : problems.All()) ADD_FAILURE() << config::ToText(problem);
    return made.value_or(config::Verify());
  }
  bool SaysWhen() const {
    const auto config = Config({secret});
    return config.scheme == config::Verify::Scheme::kStandardWebhooks ||
           config.scheme == config::Verify::Scheme::kJwt || !config.timestamp_header.empty() ||
           !config.timestamp_part.empty();
  }
  friend void PrintTo(const Vector& vector, std::ostream* out) { *out << vector.name; }
  bool CoversBody() const { return scheme != "basic" && scheme != "synthflow" && name.find("plivo_v2") == name.npos; }
};

std::string EncodedForm(const json::object& params) {
  std::string form;
  const auto add = [&](std::string_view name, const json::value& value) {
    form += (form.empty() ? "" : "&") + FormEncoded(name) + '=' + FormEncoded(std::string_view(value.as_string()));
  };
  for (const auto& [name, value] : params) {
    if (!value.is_array()) add(name, value);
    for (const auto& one : value.is_array() ? value.get_array() : json::array()) add(name, one);
  }
  return form;
}

Request RequestIn(const std::string& name, const json::object& vector) {
  Request request;
  if (auto method = TextIn(vector, "method"); !method.empty()) request.method = method;
  if (auto url = TextIn(vector, "url"); !url.empty()) request.url = url;
  if (auto path = TextIn(vector, "path"); !path.empty()) request.url = "https://hooks.example.net" + path;
  request.body = TextIn(vector, "raw_body");
  if (auto id = TextIn(vector, "call_id"); !id.empty()) request.body = R"({"call":{"call_id":")" + id + R"("}})";
  if (const auto* params = vector.if_contains("params")) {
    request.body = EncodedForm(params->as_object());
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  } else if (auto type = TextIn(vector, "content_type"); !type.empty()) {
    request.headers.emplace_back("Content-Type", type);
  }
  std::string header = TextIn(vector, "header");
  if (header.starts_with("Synthflow-Signature")) header = "Synthflow-Signature";  // a note stands behind it
  if (!header.empty()) request.headers.emplace_back(header, TextIn(vector, "value"));
  if (auto nonce = TextIn(vector, "nonce"); !nonce.empty()) {
    const auto other = TextIn(vector, "nonce_header");
    request.headers.emplace_back(!other.empty() ? other : header + "-Nonce", nonce);
  }
  if (const auto* headers = vector.if_contains("headers")) {
    for (const auto& [key, value] : headers->as_object()) request.headers.emplace_back(key, value.as_string());
  }
  EXPECT_FALSE(request.headers.empty()) << name;
  return request;
}

std::vector<Vector> Vectors() {
  std::vector<Vector> vectors;
  for (const char* file : {"signature-vectors.json", "signature-vectors-more.json", "signature-vectors-of-ours.json"}) {
    const json::value document = json::parse(ReadFile(file));
    for (const auto& member : document.as_object()) {
      const std::string name(member.key());
      std::string scheme;
      for (const auto& entry : Schemes().map) {
        if (name.starts_with(entry.key) && entry.key.size() > scheme.size()) scheme = entry.key;
      }
      EXPECT_FALSE(scheme.empty()) << name;
      std::size_t number = 0;
      for (const auto& one : member.value().as_array()) {
        const json::object& vector = one.as_object();
        vectors.push_back({name + '_' + std::to_string(++number), scheme, SecretIn(vector), RequestIn(name, vector)});
      }
    }
  }
  return vectors;
}

std::string Text(const std::optional<VerifyFault>& fault) {
  return fault ? std::string(ReasonOf(fault->kind)) + ": " + fault->detail : "ok";
}

class Signature : public testing::TestWithParam<Vector> {
 protected:
  std::optional<VerifyFault> Check(const Request& request, WallTime now = kNow) const {
    return verifier_->Check(request.View(), now);
  }
  std::shared_ptr<const Verifier> verifier_ = MakeVerifier(GetParam().Config({GetParam().secret}));
};

TEST_P(Signature, OfTheVectorIsRight) {
  const Request& request = GetParam().request;
  EXPECT_EQ(Text(Check(request)), "ok");
  EXPECT_EQ(Text(verifier_->CheckHead(request.View(), kNow)), "ok");
}

TEST_P(Signature, OfOneOfSeveralSecretsIsRight) {
  const auto& [name, scheme, secret, request] = GetParam();
  EXPECT_EQ(Text(MakeVerifier(GetParam().Config({OtherThan(secret), secret}))->Check(request.View(), kNow)), "ok");
}

TEST_P(Signature, OfAnotherSecretIsWrong) {
  const auto& [name, scheme, secret, request] = GetParam();
  const auto fault = MakeVerifier(GetParam().Config({OtherThan(secret)}))->Check(request.View(), kNow);
  ASSERT_TRUE(fault);
  EXPECT_EQ(ReasonOf(fault->kind), "signature_wrong") << fault->detail;
}

TEST_P(Signature, OfAnotherBodyIsWrong) {
  if (!GetParam().CoversBody()) return;
  Request request = GetParam().request;
  for (std::size_t at = 0; at < request.body.size(); ++at) {
    request.body[at] = static_cast<char>(request.body[at] ^ 1);
    EXPECT_NE(Text(Check(request)), "ok") << at;
    request.body[at] = static_cast<char>(request.body[at] ^ 1);
  }
  request.body += ' ';
  EXPECT_NE(Text(Check(request)), "ok");
}

TEST_P(Signature, WithABitTurnedIsWrong) {
  Request request = GetParam().request;
  const auto header = std::find_if(request.headers.begin(), request.headers.end(), [](const auto& one) {
    return ToLower(one.first).find("signature") != std::string::npos || one.first == "Authorization";
  });
  ASSERT_NE(header, request.headers.end());
  std::string& value = header->second;
  for (std::size_t at = value.size() - 20; at < value.size(); ++at) {
    value[at] = static_cast<char>(value[at] ^ 1);
    EXPECT_NE(Text(Check(request)), "ok") << at;
    value[at] = static_cast<char>(value[at] ^ 1);
  }
  if (value.ends_with('=')) return;  // padding may be left out
  value.pop_back();
  EXPECT_NE(Text(Check(request)), "ok");
}

TEST_P(Signature, FromAnotherTimeIsExpired) {
  if (!GetParam().SaysWhen()) return;
  for (const WallTime now : {kNow + std::chrono::hours(24), kNow - std::chrono::hours(24)}) {
    const auto head = verifier_->CheckHead(GetParam().request.View(), now);
    ASSERT_TRUE(head);
    EXPECT_EQ(ReasonOf(head->kind), "signature_expired") << head->detail;
    EXPECT_EQ(Text(Check(GetParam().request, now)), Text(head));
  }
}

TEST_P(Signature, NeedsEachHeaderOnce) {
  const Request& right = GetParam().request;
  for (std::size_t i = 0; i < right.headers.size(); ++i) {
    if (right.headers[i].first == "Content-Type") continue;
    Request without = right, twice = right;
    without.headers.erase(without.headers.begin() + static_cast<std::ptrdiff_t>(i));
    twice.headers.push_back(right.headers[i]);
    const auto missing = verifier_->CheckHead(without.View(), kNow), doubled = verifier_->CheckHead(twice.View(), kNow);
    ASSERT_TRUE(missing && doubled) << right.headers[i].first;
    EXPECT_EQ(ReasonOf(missing->kind), "signature_missing") << missing->detail;
    EXPECT_EQ(ReasonOf(doubled->kind), "signature_wrong") << doubled->detail;
    EXPECT_NE(Text(Check(without)), "ok");
    EXPECT_NE(Text(Check(twice)), "ok");
  }
}

TEST_P(Signature, OfGarbageIsNone) {
  const Request& right = GetParam().request;
  const std::string nul("a\0b", 3);
  for (const std::string& garbage :
       {std::string(), std::string(" "), std::string(","), std::string("t=,v1=,v0=,d=,v="), std::string("v1,"),
        std::string("v1"), std::string("sha256="), std::string("Bearer .."), std::string("e30.e30.e30"),
        std::string("Basic :"), std::string("Application :"), std::string("-1"), std::string("99999999999999999999"),
        std::string("\xFF\xFE"), nul, std::string(8000, ','), std::string(8000, 'a'), std::string(8000, '.')}) {
    for (std::size_t i = 0; i < right.headers.size(); ++i) {
      if (right.headers[i].first == "Content-Type" || right.headers[i].first.ends_with("-Nonce")) continue;
      Request request = right;
      request.headers[i].second = garbage;
      EXPECT_NE(Text(Check(request)), "ok") << garbage;
      for (auto& header : request.headers) header.second = garbage;
      EXPECT_NE(Text(Check(request)), "ok") << garbage;
    }
  }
}

TEST_P(Signature, IsNotInTheFault) {
  Request request = GetParam().request;
  request.body += '!';
  const std::string text =
      Text(MakeVerifier(GetParam().Config({OtherThan(GetParam().secret)}))->Check(request.View(), kNow));
  EXPECT_EQ(text.find(GetParam().secret), std::string::npos);
  for (const auto& [name, value] : request.headers) EXPECT_EQ(text.find(value), std::string::npos) << text;
}

// Of a map without regard to the order of its keys.
config::Node Sorted(config::Node node) {
  node.quoted = false;
  std::ranges::sort(node.map, {}, &config::Node::Entry::key);
  for (auto& entry : node.map) entry.value = Sorted(std::move(entry.value));
  for (auto& item : node.list) item = Sorted(std::move(item));
  return node;
}

TEST(Signatures, OfPlatformsAreCheckedAsTheirPagesSay) {
  for (const config::Platform& platform : config::Platforms()) {
    const config::Node* scheme = Schemes().Find(platform.name);
    if (!scheme) continue;
    config::Node page = platform.verify;
    std::erase_if(page.map, [](const auto& entry) { return entry.key == "public_key"; });  // the vector has its own
    EXPECT_TRUE(config::SameValue(Sorted(std::move(page)), Sorted(*scheme))) << platform.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Vectors, Signature, testing::ValuesIn(Vectors()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hookswitch
