#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/cluster.h"
#include "core/journal/postgres/pg_connection.h"
#include "core/journal/queued_history.h"

namespace hookswitch::pg {

/// What reads: a connection that is opened when it is needed, and again after it is lost. One read at a time.
class Reader {
 public:
  explicit Reader(Place place) : place_(std::move(place)) {}

  /// The result of `read`, called with a connection; tried once more with a new one if that was lost. kUnavailable once
  /// closed. [thread: any]
  template <class Read>
  auto With(Read read) -> decltype(read(std::declval<Connection&>())) {
    MutexLock lock(mu_);
    for (int tries = 0;; ++tries) {
      if (closed_) return Error{ErrorCode::kUnavailable, "the journal is closed"};
      if (!connection_ || connection_->IsLost()) {
        auto opened = Connection::Open(place_);
        if (!opened) return std::move(opened).error();
        connection_ = std::move(*opened);
      }
      auto result = read(*connection_);
      if (result || !connection_->IsLost() || tries != 0) return result;
    }
  }
  /// [thread: any]
  void Close() {
    MutexLock lock(mu_);
    closed_ = true;
    connection_.reset();
  }

 private:
  const Place place_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::unique_ptr<Connection> connection_ GUARDED_BY(mu_);
};

// As Journal says.
Result<std::vector<PendingDelivery>> LoadPending(Reader& reader, DeliverySeq after, std::size_t limit);
/// As Cluster says; `router`: the number of this one.
Result<std::vector<RouterCard>> ListRouters(Reader& reader, std::int64_t router);
Result<std::vector<std::string>> AskOthersToReload(Reader& reader, std::int64_t router);
Result<std::vector<LaneDue>> LoadLanes(Reader& reader);
Result<StoredEvent> LoadEvent(Reader& reader, EventSeq event, std::uint16_t salt);
Result<std::string> LoadMemory(Reader& reader, std::string_view sink, std::uint64_t call_key);

/// History on a connection of its own.
class PostgresHistory final : public QueuedHistory {
 public:
  /// The references must outlive it.
  PostgresHistory(Place place, std::uint16_t salt, CommitQueue& queue, const ChangeFeed& feed)
      : QueuedHistory(queue, feed), salt_(salt), reader_(std::move(place)) {}

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

  /// Later reads fail as kUnavailable. [thread: any]
  void Close() { reader_.Close(); }

 private:
  const std::uint16_t salt_;
  Reader reader_;
};

}  // namespace hookswitch::pg
