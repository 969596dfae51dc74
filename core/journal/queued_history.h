#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/journal/change_feed.h"
#include "core/journal/commit_queue.h"
#include "core/journal/history.h"

namespace hookswitch {

/// The part of History that does not read: changes go through the journal's commit queue, and what has changed is told
/// by its feed.
class QueuedHistory : public History {
 public:
  /// The references must outlive it.
  QueuedHistory(CommitQueue& queue, const ChangeFeed& feed) : queue_(queue), feed_(feed) {}

  // As History says. [thread: any but the journal writer, which the changes wait for]
  Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> deliveries, WallTime now) final;
  Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries,
                                                     WallTime now) final;
  Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> deliveries, const std::string& reason) final;
  Status SavePause(const std::string& sink, const std::optional<Pause>& pause) final;
  ChangeSet Changes(const ChangeCursor& cursor) final { return feed_.After(cursor); }
  void RecordAction(OperatorAction action) final { queue_.RecordAction(std::move(action)); }

 private:
  CommitQueue& queue_;
  const ChangeFeed& feed_;
};

/// Adds to `feed` what `batch`, which is stored, has changed. [thread: journal writer]
void AddChanges(const Batch& batch, ChangeFeed& feed);

}  // namespace hookswitch
