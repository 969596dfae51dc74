#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"
#include "core/config/verify_config.h"

namespace hookswitch {

/// A request as its sender signed it. Borrowed.
struct SignedRequest {
  std::string_view method;
  /// What the sender called: the source's public URL and the target as sent. Without a public URL, the target alone.
  std::string_view url;
  std::span<const std::pair<std::string, std::string>> headers;  ///< as sent
  std::string_view body;                                         ///< as sent, its Content-Encoding undone
};

/// Why a request is not verified.
struct VerifyFault {
  enum class Kind { kMissing, kWrong, kExpired };
  Kind kind = Kind::kWrong;
  std::string detail;  ///< for the log, not for the sender; holds no secret, no signature and no value of the request
};

/// The reason in metrics, log and records: "signature_missing", "signature_wrong", "signature_expired".
std::string_view ReasonOf(VerifyFault::Kind kind);

/// Verifies that a request was signed by its sender. A pure function of the request, the time and the config; never
/// throws, whatever the bytes. Compares in constant time. [thread: any]
class Verifier {
 public:
  virtual ~Verifier() = default;
  /// Checks what needs no body; a fault here rejects the request before its body is read. Empty if there is none.
  virtual std::optional<VerifyFault> CheckHead(const SignedRequest& head, WallTime now) const = 0;
  /// Checks the whole request, the head again too. Empty if it is verified.
  virtual std::optional<VerifyFault> Check(const SignedRequest& request, WallTime now) const = 0;
};

/// Never nullptr. Without secrets, every request has a fault.
std::shared_ptr<const Verifier> MakeVerifier(const config::Verify& config);

}  // namespace hookswitch
