#include "core/delivery/breaker.h"

#include <algorithm>

namespace hookswitch {
namespace {
// Fewer attempts are too few for a rate.
constexpr std::uint32_t kEnough = 20;
}  // namespace

Breaker::Part& Breaker::Now(MonoTime now) {
  const auto length = std::max<MonoTime::duration>(MonoTime::duration(policy_.window) / kParts, MonoTime::duration(1));
  const std::int64_t number = now.time_since_epoch() / length;
  Part& part = parts_[static_cast<std::size_t>(number % kParts)];
  if (part.number != number) part = {.number = number};
  return part;
}

void Breaker::Worked(MonoTime now) {
  in_a_row_ = 0;
  ++Now(now).worked;
}

bool Breaker::Failed(MonoTime now) {
  Part& last = Now(now);
  ++last.failed;
  ++in_a_row_;
  std::uint32_t worked = 0, failed = 0;
  for (const Part& part : parts_) {
    if (part.number <= last.number - kParts || part.number > last.number) continue;
    worked += part.worked;
    failed += part.failed;
  }
  const std::uint64_t all = worked + failed;
  const bool opens = in_a_row_ >= policy_.failures ||
                     (all >= kEnough && failed * std::uint64_t{100} >= all * static_cast<std::uint64_t>(policy_.rate));
  if (!opens) return false;
  in_a_row_ = 0;
  parts_.fill({});
  return true;
}

}  // namespace hookswitch
