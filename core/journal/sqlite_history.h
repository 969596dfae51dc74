#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/change_feed.h"
#include "core/journal/commit_queue.h"
#include "core/journal/history.h"

namespace hookswitch {

/// History of a SQLite journal. Reads on its own connection, so that long lists delay neither commits nor deliveries,
/// and one at a time; connects again after an error other than damage. Changes go through the commit queue.
class SqliteHistory final : public History {
 public:
  /// `pending_floor`: all deliveries below it have ended. The references must outlive it.
  SqliteHistory(std::string path, std::uint16_t salt, CommitQueue& queue, const ChangeFeed& feed,
                const std::atomic<DeliverySeq>& pending_floor);
  ~SqliteHistory() override;

  // As History says. [thread: any but the journal writer, which the changes wait for]
  Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) override;
  Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                               std::size_t limit) override;
  Result<EventSummary> FindEvent(EventSeq event) override;
  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event) override;
  Result<DeliverySummary> FindDelivery(DeliverySeq delivery) override;
  Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery) override;
  Result<KeptConfig> LoadConfig(std::int64_t config) override;
  Result<std::vector<Revision>> RevisionsOf(EventSeq event) override;
  Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) override;
  ChangeSet Changes(const ChangeCursor& cursor) override { return feed_.After(cursor); }
  Result<Extent> FindExtent() override;
  void RecordAction(OperatorAction action) override { queue_.RecordAction(std::move(action)); }
  Result<Page<OperatorAction>> ListActions(std::int64_t before, std::size_t limit) override;
  Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> deliveries, WallTime now) override;
  Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries,
                                                     WallTime now) override;
  Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> deliveries, const std::string& reason) override;
  Status SavePause(const std::string& sink, const std::optional<Pause>& pause) override;

  /// Closes the file; later reads fail as kUnavailable. [thread: any]
  void Close();

 private:
  struct Connection;
  /// The result of `read`, called with a connection. Drops the connection after kUnavailable.
  template <class Read>
  auto WithConnection(Read read) -> decltype(read(std::declval<Connection&>()));

  const std::string path_;
  const std::uint16_t salt_;
  CommitQueue& queue_;
  const ChangeFeed& feed_;
  const std::atomic<DeliverySeq>& pending_floor_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::unique_ptr<Connection> connection_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
