#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/event/outcome.h"

namespace hookswitch {

/// Why an attempt failed, as metrics count it: few words, whatever Outcome::code a plugin makes up.
enum class FailureReason : std::uint8_t {
  kConnection,   ///< name lookup, TCP, the proxy, or the connection broke
  kTls,          ///< no secure connection, or a certificate was not accepted
  kTimeout,      ///< the sink's `timeout` passed
  kRateLimited,  ///< the other side asked for a pause
  kHttp4xx,
  kHttp5xx,
  kOtherAnswer,  ///< another status that the sink does not take for success
  kSink,         ///< the sink says so, with no HTTP status: other protocols, or a message it cannot make
  kPlugin,       ///< its plugin crashed, hung, threw, or left no outcome
  kOwn,          ///< hookswitch itself: the event or the journal cannot be read, or it was stopping
};
inline constexpr std::size_t kFailureReasons = static_cast<std::size_t>(FailureReason::kOwn) + 1;

/// "connection", "tls", "timeout", "rate_limited", "http_4xx", "http_5xx", "other_answer", "sink", "plugin", "own".
std::string_view ToString(FailureReason reason);
/// Of an attempt that did not succeed.
FailureReason FailureReasonOf(const Outcome& outcome);

}  // namespace hookswitch
