#pragma once
#include <cstdint>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/history.h"

namespace hookswitch {

/// What the latest commits of a journal changed (History::Changes), in a ring in memory. A commit costs one lock and a
/// number for each changed row, whoever reads.
class ChangeFeed {
 public:
  static constexpr std::size_t kKept = 16'384;

  ChangeFeed();

  // [thread: journal writer]
  /// Notes a changed row of the current commit.
  void Add(DeliverySeq delivery) { added_.push_back(delivery); }
  void AddRevised(EventSeq event) { added_.push_back(-event); }
  /// The commit has succeeded: shows what was added. `newest_event`, `newest_refused`: as in ChangeSet.
  void Publish(EventSeq newest_event, std::int64_t newest_refused) EXCLUDES(mu_);

  /// As History::Changes. [thread: any]
  ChangeSet After(const ChangeCursor& cursor) const EXCLUDES(mu_);

 private:
  const std::uint64_t epoch_;
  std::vector<std::int64_t> added_;  ///< deliveries, and events with a minus
  mutable Mutex mu_;
  std::vector<std::int64_t> ring_ GUARDED_BY(mu_);
  std::uint64_t position_ GUARDED_BY(mu_) = 0;  ///< changes so far; the next one is stored at its remainder
  EventSeq newest_event_ GUARDED_BY(mu_) = 0;
  std::int64_t newest_refused_ GUARDED_BY(mu_) = 0;
};

}  // namespace hookswitch
