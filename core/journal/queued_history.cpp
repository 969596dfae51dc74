#include "core/journal/queued_history.h"

#include <variant>

namespace hookswitch {

Result<std::vector<PendingDelivery>> QueuedHistory::Revive(std::span<const DeliverySeq> deliveries, WallTime now) {
  ReviveChange change{.deliveries = deliveries, .now = now};
  HSW_TRY(queue_.Execute(&change));
  return std::move(change.revived);
}

Result<std::vector<PendingDelivery>> QueuedHistory::AddDeliveries(EventSeq event,
                                                                  std::span<const NewDelivery> deliveries,
                                                                  WallTime now) {
  AddChange change{.event = event, .deliveries = deliveries, .now = now};
  HSW_TRY(queue_.Execute(&change));
  return std::move(change.added);
}

Result<std::vector<DeliverySeq>> QueuedHistory::Cancel(std::span<const DeliverySeq> deliveries,
                                                       const std::string& reason) {
  CancelChange change{.deliveries = deliveries, .reason = reason};
  HSW_TRY(queue_.Execute(&change));
  return std::move(change.canceled);
}

Status QueuedHistory::SavePause(const std::string& sink, const std::optional<Pause>& pause) {
  PauseChange change{.sink = sink, .pause = pause};
  return queue_.Execute(&change);
}

void AddChanges(const Batch& batch, ChangeFeed& feed) {
  for (const AppendRequest& request : batch.appends) {
    if (request.error) continue;
    const auto& revised = request.accepted.revised;
    if (!request.accepted.duplicate) {
      const auto count = static_cast<DeliverySeq>(request.event->deliveries.size());
      for (DeliverySeq i = 0; i < count; ++i) feed.Add(request.accepted.first_delivery + i);
    } else if (revised) {
      feed.AddRevised(request.accepted.event);
      for (const PendingDelivery& added : revised->added) feed.Add(added.seq);
      for (const DeliverySeq canceled : revised->canceled) feed.Add(canceled);
    }
  }
  for (const auto& [delivery, fallback] : batch.recorded) {
    feed.Add(delivery);
    if (fallback != 0) feed.Add(fallback);
  }
  struct Adder {
    ChangeFeed& feed;
    void operator()(const ReviveChange* change) const {
      for (const PendingDelivery& revived : change->revived) feed.Add(revived.seq);
    }
    void operator()(const AddChange* change) const {
      for (const PendingDelivery& added : change->added) feed.Add(added.seq);
    }
    void operator()(const CancelChange* change) const {
      for (const DeliverySeq canceled : change->canceled) feed.Add(canceled);
    }
    void operator()(const PauseChange*) const {}
  };
  for (const Command* command : batch.commands) {
    if (!command->error) std::visit(Adder{feed}, command->change);
  }
}

}  // namespace hookswitch
