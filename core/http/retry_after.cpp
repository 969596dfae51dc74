#include "core/http/retry_after.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

// A wait this long was probably given in milliseconds, if another header states a shorter one.
constexpr std::chrono::milliseconds kHardlySeconds = std::chrono::hours(24);

}  // namespace

std::optional<std::chrono::milliseconds> RetryAfterOf(const HttpResponse& response, WallTime now) {
  std::optional<std::chrono::milliseconds> asked, reset;
  for (const auto& [name, value] : response.headers) {
    if (EqualsIgnoreCase(name, "Retry-After") && !asked) asked = ParseRetryAfter(value, now);
    // Seconds until the limit resets; the second name is from the IETF draft "RateLimit header fields for HTTP".
    if (EqualsIgnoreCase(name, "X-RateLimit-Reset-After") || EqualsIgnoreCase(name, "RateLimit-Reset")) {
      reset = ParseRetryAfter(value, now);
    }
  }
  return asked && *asked >= kHardlySeconds && reset && *reset < *asked ? reset : asked;
}

void HonourRetryAfter(Outcome& outcome, std::optional<std::chrono::milliseconds> asked) {
  if (outcome.kind == Outcome::Kind::kRetry && !outcome.retry_after) outcome.retry_after = asked;
  if (outcome.retry_after && *outcome.retry_after >= kHardlySeconds && asked && asked->count() > 0) {
    outcome.retry_after = std::min(*outcome.retry_after, *asked);
  }
}

}  // namespace hookswitch
