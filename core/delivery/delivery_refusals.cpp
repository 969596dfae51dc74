#include "core/delivery/delivery_refusals.h"

#include <algorithm>
#include <utility>

namespace hookswitch {
namespace {
constexpr std::chrono::seconds kAfterFirst{5}, kAfterOthers{30};
}  // namespace

DeliveryRefusals::Refusal DeliveryRefusals::Add(Ref ref, std::uint32_t delivered, std::uint32_t run, MonoTime now) {
  Refusals& refusals = by_ref_[ref];
  refusals.came_early = now < refusals.counts_from;
  const bool counts = delivered != refusals.delivered_before && !refusals.came_early;
  if (refusals.count == 0 || counts) {
    ++refusals.count;
    refusals.delivered_before = delivered;
    refusals.counts_from = now + (refusals.count == 1 ? kAfterFirst : kAfterOthers);
  }
  if (refusals.count >= kMost) return {.is_last = true};
  Refusal refusal{.is_first_in_run = std::exchange(refusals.run, run) != run};
  refusal.wait = refusals.count == 1 ? kAfterFirst : kAfterOthers;
  if (refusals.counts_from > now)
    refusal.wait = std::chrono::ceil<std::chrono::milliseconds>(refusals.counts_from - now);
  return refusal;
}

std::optional<MonoTime> DeliveryRefusals::RetryAt(Ref ref, MonoTime now) const {
  const auto found = by_ref_.find(ref);
  if (found == by_ref_.end()) return std::nullopt;
  return found->second.came_early ? std::max(now, found->second.counts_from) : now;
}

void DeliveryRefusals::AllowEarlyRetries() {
  for (auto& [ref, refusals] : by_ref_) refusals.came_early = false;
}

}  // namespace hookswitch
