#include "core/admin/live_sinks.h"

#include <algorithm>

namespace hookswitch {
namespace {

// Between two of one sink: when its state has changed, and when only numbers have.
constexpr std::chrono::milliseconds kStateEvery{100}, kNumbersEvery{1000}, kNumbersEveryForEach{20};
constexpr std::size_t kMostAtOnce = 64;
// Times are computed from a monotonic clock, and differ by some milliseconds from status to status.
constexpr std::chrono::seconds kSameTime{1};

bool IsSame(const std::optional<WallTime>& a, const std::optional<WallTime>& b) {
  return a.has_value() == b.has_value() && (!a || std::chrono::abs(*a - *b) < kSameTime);
}

bool IsSameState(const LaneStatus& a, const LaneStatus& b) {
  const auto is_same_place = [](const LaneStatus::Place& one, const LaneStatus::Place& other) {
    return one.name == other.name && one.because == other.because;
  };
  return a.state == b.state && a.because == b.because && IsSame(a.since, b.since) && a.plugin == b.plugin &&
         a.fallback == b.fallback && a.rate == b.rate && a.concurrency == b.concurrency &&
         std::ranges::equal(a.places, b.places, is_same_place);
}

bool HasSameNumbers(const LaneStatus& a, const LaneStatus& b) {
  const auto is_same_place = [](const LaneStatus::Place& one, const LaneStatus::Place& other) {
    return one.waiting == other.waiting && IsSame(one.next_try, other.next_try);
  };
  return a.pending == b.pending && a.in_flight == b.in_flight && IsSame(a.oldest, b.oldest) &&
         IsSame(a.until, b.until) && std::ranges::equal(a.places, b.places, is_same_place);
}

std::uint64_t CountedBy(const LaneStatus& lane) {
  return lane.last_hour ? lane.last_hour->Total() : 0;
}

}  // namespace

void LiveSinks::Begin(std::span<const LaneStatus> lanes) {
  shown_.clear();
  for (const LaneStatus& lane : lanes) shown_[lane.sink] = {lane, CountedBy(lane)};
}

std::vector<LaneStatus> LiveSinks::Changed(std::span<const LaneStatus> lanes, MonoTime now) {
  std::vector<LaneStatus> changed;
  const auto numbers_every = std::max<MonoTime::duration>(kNumbersEvery, kNumbersEveryForEach * lanes.size());
  for (auto& [name, shown] : shown_) shown.is_listed = false;
  for (const LaneStatus& lane : lanes) {
    const auto known = shown_.find(lane.sink);
    if (known != shown_.end()) known->second.is_listed = true;
    if (changed.size() == kMostAtOnce) continue;  // the others the next time
    const std::uint64_t counted = CountedBy(lane);
    if (known != shown_.end()) {
      const Shown& shown = known->second;
      const bool is_same_state = IsSameState(shown.status, lane);
      if (is_same_state && HasSameNumbers(shown.status, lane) && shown.counted == counted) continue;
      if (now - shown.at < (is_same_state ? numbers_every : kStateEvery)) continue;
    }
    shown_[lane.sink] = {lane, counted, now, true};
    changed.push_back(lane);
  }
  std::erase_if(shown_, [&](const auto& entry) {
    if (entry.second.is_listed) return false;
    LaneStatus gone;
    gone.sink = entry.first;
    gone.state = LaneStatus::State::kRemoved;
    gone.because = "the config no longer has this sink";
    changed.push_back(std::move(gone));
    return true;
  });
  return changed;
}

}  // namespace hookswitch
