#include "core/delivery/failure_reason.h"

#include <algorithm>
#include <iterator>

#include "core/base/check.h"

namespace hookswitch {
namespace {

struct FailureWord {
  std::string_view code;
  FailureReason reason;
};

constexpr FailureWord kPluginWords[] = {
    {"plugin_hung", FailureReason::kPlugin},     {"hung_twice", FailureReason::kPlugin},
    {"plugin_fault", FailureReason::kPlugin},    {"plugin_exception", FailureReason::kPlugin},
    {"no_outcome", FailureReason::kPlugin},      {"crashed", FailureReason::kPlugin},
    {"crashed_twice", FailureReason::kPlugin},   {"killed", FailureReason::kPlugin},
    {"killed_ten_times", FailureReason::kPlugin}};
// Those of core/http without a response.
constexpr FailureWord kHttpWords[] = {{"connect_failed", FailureReason::kConnection},
                                      {"dns_failed", FailureReason::kConnection},
                                      {"proxy_refused", FailureReason::kConnection},
                                      {"bad_proxy", FailureReason::kConnection},
                                      {"private_address", FailureReason::kConnection},
                                      {"reset", FailureReason::kConnection},
                                      {"tls_failed", FailureReason::kTls},
                                      {"certificate_problem", FailureReason::kTls},
                                      {"timeout", FailureReason::kTimeout},
                                      {"bad_response", FailureReason::kOtherAnswer},
                                      {"too_large", FailureReason::kOtherAnswer},
                                      {"canceled", FailureReason::kOwn}};

const FailureWord* FindWord(const FailureWord* begin, const FailureWord* end, std::string_view code) {
  const FailureWord* found = std::find_if(begin, end, [&](const FailureWord& word) { return word.code == code; });
  return found == end ? nullptr : found;
}

}  // namespace

std::string_view ToString(FailureReason reason) {
  switch (reason) {
    case FailureReason::kConnection: return "connection";
    case FailureReason::kTls: return "tls";
    case FailureReason::kTimeout: return "timeout";
    case FailureReason::kRateLimited: return "rate_limited";
    case FailureReason::kHttp4xx: return "http_4xx";
    case FailureReason::kHttp5xx: return "http_5xx";
    case FailureReason::kOtherAnswer: return "other_answer";
    case FailureReason::kSink: return "sink";
    case FailureReason::kPlugin: return "plugin";
    case FailureReason::kOwn: return "own";
  }
  Unreachable();
}

FailureReason FailureReasonOf(const Outcome& outcome) {
  // A plugin that crashed is at fault although no attempt was made.
  if (const FailureWord* word = FindWord(std::begin(kPluginWords), std::end(kPluginWords), outcome.code))
    return word->reason;
  if (outcome.ours) return FailureReason::kOwn;
  const int status = outcome.http_status;
  if (outcome.retry_after || status == 429) return FailureReason::kRateLimited;
  if (status >= 500) return FailureReason::kHttp5xx;
  if (status >= 400) return FailureReason::kHttp4xx;
  if (status > 0) return FailureReason::kOtherAnswer;
  if (const FailureWord* word = FindWord(std::begin(kHttpWords), std::end(kHttpWords), outcome.code))
    return word->reason;
  return FailureReason::kSink;
}

}  // namespace hookswitch
