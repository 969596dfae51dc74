#pragma once
#include <memory>

#include "core/sources/verify/verifier.h"

/// The schemes, for MakeVerifier.
namespace hookswitch::verify {

/// An HMAC, or a signature of Ed25519, over a text that the config describes.
std::shared_ptr<const Verifier> MakeTextVerifier(const config::Verify& config);
/// Standard Webhooks, v1 and v1a (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
std::shared_ptr<const Verifier> MakeStandardVerifier(const config::Verify& config);
std::shared_ptr<const Verifier> MakeTwilioVerifier(const config::Verify& config);
std::shared_ptr<const Verifier> MakePlivoVerifier(const config::Verify& config);
/// A JSON Web Token (RFC 7519) with HMAC that holds the body's SHA-256.
std::shared_ptr<const Verifier> MakeJwtVerifier(const config::Verify& config);
/// User and password (RFC 7617).
std::shared_ptr<const Verifier> MakeBasicVerifier(const config::Verify& config);

}  // namespace hookswitch::verify
