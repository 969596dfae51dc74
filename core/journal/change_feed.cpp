#include "core/journal/change_feed.h"

#include <algorithm>
#include <random>
#include <unordered_set>

namespace hookswitch {
namespace {

std::uint64_t RandomEpoch() {
  std::random_device device;
  // Not 0, which is the epoch of a cursor that nobody gave.
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

}  // namespace

ChangeFeed::ChangeFeed() : epoch_(RandomEpoch()), ring_(kKept) {}

void ChangeFeed::Publish(EventSeq newest_event, std::int64_t newest_refused) {
  MutexLock lock(mu_);
  for (const std::int64_t row : added_) ring_[position_++ % kKept] = row;
  newest_event_ = newest_event;
  newest_refused_ = newest_refused;
  added_.clear();
}

ChangeSet ChangeFeed::After(const ChangeCursor& cursor) const {
  ChangeSet set;
  std::vector<std::int64_t> rows;
  {
    MutexLock lock(mu_);
    set.next = {epoch_, position_};
    set.newest_event = newest_event_;
    set.newest_refused = newest_refused_;
    if (cursor.epoch != epoch_ || cursor.position > position_) {
      set.lost = true;
      return set;
    }
    const std::uint64_t first = std::max(cursor.position, position_ - std::min<std::uint64_t>(position_, kKept));
    set.lost = first != cursor.position;
    rows.reserve(position_ - first);
    for (std::uint64_t at = first; at < position_; ++at) rows.push_back(ring_[at % kKept]);
  }
  // Each row once, where it changed last.
  std::unordered_set<std::int64_t> seen;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (!seen.insert(*row).second) continue;
    if (*row > 0) {
      set.deliveries.push_back(*row);
    } else {
      set.revised.push_back(-*row);
    }
  }
  std::ranges::reverse(set.deliveries);
  std::ranges::reverse(set.revised);
  return set;
}

}  // namespace hookswitch
