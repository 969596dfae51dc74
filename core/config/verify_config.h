#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/crypto.h"
#include "core/base/secret.h"
#include "core/config/environment.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// A part of the text that a signature covers.
struct SignedPart {
  enum class Kind { kText, kBody, kBodyMd5, kTimestamp, kId, kUrl, kPath, kMethod, kHeader, kJson };
  Kind kind = Kind::kText;
  std::string text;  ///< kText: itself; kHeader: its name; kJson: members of the body, "call.call_id|call_id"
  bool operator==(const SignedPart&) const = default;
};

/// How the sender of a request proves that the request is its own: `sources.<name>.verify`.
struct Verify {
  enum class Scheme { kHmac, kStandardWebhooks, kTwilio, kPlivo, kJwt, kEd25519, kBasic };
  enum class Encoding { kHex, kBase64 };
  enum class TimeUnit { kAuto, kSeconds, kMilliseconds, kIso };  ///< kAuto: by its look
  Mark where;
  Scheme scheme = Scheme::kHmac;
  /// Any of them will do. kHmac: decoded to the bytes of the key; kEd25519: public keys, as Ed25519Key reads them;
  /// kStandardWebhooks: as written, "whsec_…" or "whpk_…". Empty only if Environment::secrets_optional.
  std::vector<Secret> secrets;
  std::vector<std::string> headers;  ///< with the signature; the first that a request has counts
  std::string part;    ///< the key of the signature in a header such as "t=…,v1=…"; "": any but timestamp_part
  std::string prefix;  ///< before the signature, and not part of it; may have one `*`
  HashAlgorithm algorithm = HashAlgorithm::kSha256;
  Encoding encoding = Encoding::kHex;   ///< of the signature
  std::vector<SignedPart> signed_text;  ///< kHmac, kEd25519
  std::string timestamp_header;         ///< the header with the time; or
  std::string timestamp_part;           ///< its key in the signature's header; "" and "": there is no time
  TimeUnit timestamp_unit = TimeUnit::kAuto;
  std::string id_header;
  std::chrono::milliseconds tolerance{300'000};  ///< how old a request may be
  int plivo_version = 3;                         ///< or 2, which covers no body
  std::string body_claim = "sha256";             ///< kJwt: the claim with the body's SHA-256
  std::vector<std::string> issuers;              ///< kJwt: whose tokens are accepted; empty: any
  std::string user;                              ///< kBasic
};

/// Whether the signature covers the URL with its query. That of a shared secret (kBasic) need not.
bool CoversQuery(const Verify& verify);

/// The name of a scheme as written: "standard-webhooks".
std::string_view ToString(Verify::Scheme scheme);

/// The keys of `written` over those of `base`, which a platform's page has; `written` alone if it names another scheme.
Node WithBase(const Node& written, const Node& base);

/// Reads a `verify` that fits the config's schema. `base`: what the source's platform says, under what is written;
/// nullptr: nothing. `at` names it in messages ("sources.crm.verify"). `public_url`: of the source; "" if unset.
/// Empty if it cannot be used, with the reasons in `problems`.
std::optional<Verify> MakeVerify(const Node::Entry& entry, const Node* base, std::string_view at,
                                 std::string_view public_url, const Environment& environment, Problems& problems);

}  // namespace hookswitch::config
