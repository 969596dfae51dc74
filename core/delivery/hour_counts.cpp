#include "core/delivery/hour_counts.h"

namespace hookswitch {
namespace {

constexpr auto kRing = static_cast<std::int64_t>(HourCounts::kMinutes);

std::int64_t MinuteOf(WallTime time) {
  return std::chrono::floor<std::chrono::minutes>(time.time_since_epoch()).count();
}

std::size_t PlaceOf(std::int64_t minute) {
  return static_cast<std::size_t>((minute % kRing + kRing) % kRing);
}

}  // namespace

void HourCounts::Count(What what, WallTime now) {
  const std::int64_t number = MinuteOf(now);
  MutexLock lock(mu_);
  Minute& minute = minutes_[PlaceOf(number)];
  if (minute.number != number) minute = {number, {}};
  ++minute.counts[static_cast<std::size_t>(what)];
  ++total_;
}

std::uint64_t HourCounts::Total() const {
  MutexLock lock(mu_);
  return total_;
}

HourCounts::Hour HourCounts::At(WallTime now) const {
  const std::int64_t first = MinuteOf(now) - kRing + 1;
  Hour hour;
  hour.from = WallTime(std::chrono::minutes(first));
  MutexLock lock(mu_);
  for (std::int64_t i = 0; i < kRing; ++i) {
    const Minute& minute = minutes_[PlaceOf(first + i)];
    if (minute.number != first + i) continue;
    const auto at = static_cast<std::size_t>(i);
    hour.delivered[at] = minute.counts[static_cast<std::size_t>(What::kDelivered)];
    hour.retried[at] = minute.counts[static_cast<std::size_t>(What::kRetried)];
    hour.dead[at] = minute.counts[static_cast<std::size_t>(What::kDead)];
  }
  return hour;
}

}  // namespace hookswitch
