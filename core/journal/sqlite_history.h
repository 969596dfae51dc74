#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/queued_history.h"

namespace hookswitch {

/// History of a SQLite journal. Reads on its own connection, so that long lists delay neither commits nor deliveries,
/// and one at a time; connects again after an error other than damage. Changes go through the commit queue.
class SqliteHistory final : public QueuedHistory {
 public:
  /// `pending_floor`: all deliveries below it have ended. The references must outlive it.
  SqliteHistory(std::string path, std::uint16_t salt, CommitQueue& queue, const ChangeFeed& feed,
                const std::atomic<DeliverySeq>& pending_floor);
  ~SqliteHistory() override;

  // As History says. [thread: any]
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
  Result<Extent> FindExtent() override;
  Result<Page<OperatorAction>> ListActions(std::int64_t before, std::size_t limit) override;

  /// Closes the file; later reads fail as kUnavailable. [thread: any]
  void Close();

 private:
  struct Connection;
  /// The result of `read`, called with a connection. Drops the connection after kUnavailable.
  template <class Read>
  auto WithConnection(Read read) -> decltype(read(std::declval<Connection&>()));

  const std::string path_;
  const std::uint16_t salt_;
  const std::atomic<DeliverySeq>& pending_floor_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::unique_ptr<Connection> connection_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
