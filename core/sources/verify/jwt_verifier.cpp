#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/sources/verify/request_parts.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch::verify {
namespace {

// For clocks that differ, as LiveKit's own servers allow.
constexpr std::chrono::minutes kLeeway{1};
constexpr double kLastSecond = 1e11;
constexpr std::size_t kSha256HexDigits = 64;

std::string_view NameOf(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::kSha1: return "HS1";  // which no standard has
    case HashAlgorithm::kSha256: return "HS256";
    case HashAlgorithm::kSha384: return "HS384";
    case HashAlgorithm::kSha512: return "HS512";
  }
  Unreachable();
}

std::optional<json::object> ObjectIn(std::string_view coded) {
  const auto text = FromBase64(coded);
  if (!text) return {};
  json::error_code error;
  json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return {};
  return std::move(value.get_object());
}

std::string_view TextAt(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

/// LiveKit: docs.livekit.io/home/server/webhooks. Vonage: developer.vonage.com/en/getting-started/concepts/webhooks.
class JwtVerifier final : public Verifier {
 public:
  explicit JwtVerifier(const config::Verify& config) : config_(config) {}

  std::optional<Fault> CheckHead(const SignedRequest& head, WallTime now) const override {
    const auto claims = Read(head, now);
    if (const auto* fault = std::get_if<Fault>(&claims)) return *fault;
    return {};
  }

  std::optional<Fault> Check(const SignedRequest& request, WallTime now) const override {
    const auto claims = Read(request, now);
    if (const auto* fault = std::get_if<Fault>(&claims)) return *fault;
    const std::string_view claim = TextAt(std::get<json::object>(claims), config_.body_claim);
    if (claim.empty()) return Fault{Fault::Kind::kWrong, "the token has no " + config_.body_claim};
    const auto sum = Decoded(
        claim.size() == kSha256HexDigits ? config::Verify::Encoding::kHex : config::Verify::Encoding::kBase64, claim);
    const Sha256Digest digest = Sha256Of(request.body);
    const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    if (!sum || !SameBytes(*sum, bytes)) {
      return Fault{Fault::Kind::kWrong, config_.body_claim + " in the token is not that of the body"};
    }
    return {};
  }

 private:
  std::variant<json::object, Fault> Read(const SignedRequest& request, WallTime now) const {
    const auto wrong = [](std::string detail) { return Fault{Fault::Kind::kWrong, std::move(detail)}; };
    const auto header = OnlyHeader(request, config_.headers);
    if (const auto* fault = std::get_if<Fault>(&header)) return *fault;
    std::string_view token = std::get<std::string_view>(header);
    constexpr std::string_view kBearer = "Bearer ";
    if (EqualsIgnoreCase(token.substr(0, kBearer.size()), kBearer)) token = Trim(token.substr(kBearer.size()));
    const auto first = token.find('.'), last = token.rfind('.');
    if (first == token.npos || first == last) return wrong("the header holds no token");
    const auto head = ObjectIn(token.substr(0, first));
    if (!head || TextAt(*head, "alg") != NameOf(config_.algorithm)) {
      return wrong("the token is not of the kind " + std::string(NameOf(config_.algorithm)));
    }
    const auto signature = Decoded(config::Verify::Encoding::kBase64, token.substr(last + 1));
    const bool is_right =
        signature && std::any_of(config_.secrets.begin(), config_.secrets.end(), [&](const Secret& secret) {
          return SameBytes(*signature, Hmac(config_.algorithm, secret.Reveal(), token.substr(0, last)));
        });
    if (!is_right) return wrong("the token's signature is wrong");
    auto claims = ObjectIn(token.substr(first + 1, last - first - 1));
    if (!claims) return wrong("the token holds no claims");
    const std::string_view issuer = TextAt(*claims, "iss");
    if (!config_.issuers.empty() && std::ranges::find(config_.issuers, issuer) == config_.issuers.end()) {
      return wrong("the token is from another issuer");
    }
    if (auto fault = CheckTimes(*claims, now)) return std::move(*fault);
    return std::move(*claims);
  }

  // RFC 7519 4.1: seconds since 1970, possibly with a fraction. Empty if there is none; not a number if it is none.
  static std::optional<double> SecondsAt(const json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains(name);
    if (!value) return {};
    json::error_code error;
    const double seconds = value->is_number() ? value->to_number<double>(error) : std::nan("");
    return !error && std::abs(seconds) < kLastSecond ? seconds : std::nan("");
  }

  std::optional<Fault> CheckTimes(const json::object& claims, WallTime now) const {
    const auto at = [](double seconds) { return WallTime(std::chrono::milliseconds(std::llround(seconds * 1000))); };
    const auto ends = SecondsAt(claims, "exp"), begins = SecondsAt(claims, "nbf"), made = SecondsAt(claims, "iat");
    for (const auto& seconds : {ends, begins, made}) {
      if (seconds && std::isnan(*seconds)) return Fault{Fault::Kind::kWrong, "a time in the token is none"};
    }
    if (made && now + kLeeway < at(*made)) return Fault{Fault::Kind::kExpired, "the token is from the future"};
    if (begins && now + kLeeway < at(*begins)) return Fault{Fault::Kind::kExpired, "the token is not valid yet"};
    if (ends && now - kLeeway > at(*ends)) return Fault{Fault::Kind::kExpired, "the token is no longer valid"};
    if (ends) return {};
    if (!made) return Fault{Fault::Kind::kWrong, "the token has neither exp nor iat, so it would be valid for ever"};
    return CheckAge(at(*made), now, config_.tolerance);
  }

  const config::Verify config_;
};

}  // namespace

std::shared_ptr<const Verifier> MakeJwtVerifier(const config::Verify& config) {
  return std::make_shared<JwtVerifier>(config);
}

}  // namespace hookswitch::verify
