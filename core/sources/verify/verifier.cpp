#include "core/sources/verify/verifier.h"

#include "core/base/check.h"
#include "core/sources/verify/verifiers.h"

namespace hookswitch {

std::string_view ReasonOf(VerifyFault::Kind kind) {
  switch (kind) {
    case VerifyFault::Kind::kMissing: return "signature_missing";
    case VerifyFault::Kind::kWrong: return "signature_wrong";
    case VerifyFault::Kind::kExpired: return "signature_expired";
  }
  Unreachable();
}

std::shared_ptr<const Verifier> MakeVerifier(const config::Verify& config) {
  using Scheme = config::Verify::Scheme;
  switch (config.scheme) {
    case Scheme::kHmac:
    case Scheme::kEd25519: return verify::MakeTextVerifier(config);
    case Scheme::kStandardWebhooks: return verify::MakeStandardVerifier(config);
    case Scheme::kTwilio: return verify::MakeTwilioVerifier(config);
    case Scheme::kPlivo: return verify::MakePlivoVerifier(config);
    case Scheme::kJwt: return verify::MakeJwtVerifier(config);
    case Scheme::kBasic: return verify::MakeBasicVerifier(config);
  }
  Unreachable();
}

}  // namespace hookswitch
