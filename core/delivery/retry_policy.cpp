#include "core/delivery/retry_policy.h"

#include <algorithm>

namespace hookswitch {

std::optional<std::chrono::milliseconds> NextTry(const config::Retry& retry, std::uint32_t failures,
                                                 std::chrono::milliseconds failing_for, Jitter& jitter) {
  using std::chrono::milliseconds;
  if (retry.schedule.empty() || failing_for >= retry.give_up_after) return std::nullopt;
  const std::size_t index = std::min<std::size_t>(std::max(failures, 1u) - 1, retry.schedule.size() - 1);
  const double factor = 0.8 + 0.4 * jitter.Next();
  const milliseconds wait(static_cast<std::int64_t>(static_cast<double>(retry.schedule[index].count()) * factor));
  return std::clamp(wait, milliseconds(1), retry.give_up_after - failing_for);
}

std::chrono::milliseconds PauseFor(std::chrono::milliseconds retry_after, std::chrono::milliseconds most,
                                   Jitter& jitter) {
  using std::chrono::milliseconds;
  // A repeated "Retry-After: 0.001" must not become a flood.
  const milliseconds least = std::max(std::min(retry_after, most), milliseconds(100));
  const auto most_more = static_cast<double>(std::min(least, milliseconds(1000)).count());
  return least + milliseconds(static_cast<std::int64_t>(most_more * jitter.Next()));
}

}  // namespace hookswitch
