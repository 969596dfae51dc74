// Any bytes as the headers and the body of a request: no verifier throws, crashes or accepts what it has no signature
// for, and each says the same twice.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/sources/verify/verifier.h"

using namespace hookswitch;

namespace {

using config::SignedPart;
using config::Verify;

Verify Of(Verify::Scheme scheme, std::string secret) {
  Verify config;
  config.scheme = scheme;
  config.secrets = {Secret(std::move(secret))};
  config.headers = {"signature"};
  config.user = "hooks";
  return config;
}

std::vector<std::shared_ptr<const Verifier>> MakeVerifiers() {
  using Kind = SignedPart::Kind;
  const std::string key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  Verify parts = Of(Verify::Scheme::kHmac, "a secret that is nowhere else");
  parts.part = "v1";
  parts.timestamp_part = "t";
  parts.signed_text = {{Kind::kTimestamp, {}}, {Kind::kBody, {}}};
  Verify all = Of(Verify::Scheme::kHmac, "a secret that is nowhere else");
  all.encoding = Verify::Encoding::kBase64;
  all.prefix = "Application *:";
  all.timestamp_header = "time";
  all.id_header = "id";
  for (const Kind kind :
       {Kind::kBody, Kind::kBodyMd5, Kind::kTimestamp, Kind::kId, Kind::kUrl, Kind::kPath, Kind::kMethod}) {
    all.signed_text.push_back({kind, {}});
  }
  all.signed_text.push_back({Kind::kHeader, "content-type"});
  all.signed_text.push_back({Kind::kJson, "call.id|id"});
  Verify ed25519 = Of(Verify::Scheme::kEd25519, key);
  ed25519.signed_text = {{Kind::kBody, {}}};
  std::vector<std::shared_ptr<const Verifier>> verifiers;
  for (const Verify& config :
       {parts, all, ed25519, Of(Verify::Scheme::kStandardWebhooks, "whsec_bm93aGVyZSBlbHNlIGlzIHRoaXM="),
        Of(Verify::Scheme::kStandardWebhooks, "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
        Of(Verify::Scheme::kTwilio, "a secret that is nowhere else"),
        Of(Verify::Scheme::kPlivo, "a secret that is nowhere else"),
        Of(Verify::Scheme::kJwt, "a secret that is nowhere else"),
        Of(Verify::Scheme::kBasic, "a secret that is nowhere else")}) {
    verifiers.push_back(MakeVerifier(config));
  }
  return verifiers;
}

}  // namespace

// Lines "name: value" as headers, the first as the URL; behind an empty line the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto verifiers = MakeVerifiers();
  constexpr WallTime kNow{std::chrono::seconds(1'772'618'480)};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view url;
  std::vector<std::pair<std::string, std::string>> headers;
  for (bool is_first = true; !rest.empty(); is_first = false) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) break;
    const auto colon = std::min(line.find(':'), line.size());
    if (is_first) {
      url = line;
    } else {
      headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
    }
  }
  const SignedRequest request{"POST", url, headers, rest};
  for (const auto& verifier : verifiers) {
    const auto fault = verifier->Check(request, kNow), again = verifier->Check(request, kNow);
    HSW_CHECK(fault && again && fault->kind == again->kind, "nobody knows the secrets");
    HSW_CHECK(!fault->detail.empty() && IsUtf8(fault->detail), "a fault says what is wrong");
    const auto head = verifier->CheckHead(request, kNow);
    HSW_CHECK(!head || head->kind == fault->kind, "the head's fault is the request's");
  }
  return 0;
}
