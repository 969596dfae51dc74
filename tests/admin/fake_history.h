#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/history.h"

namespace hookswitch {

/// A history in memory whose rows tests put in and look at. Pages look at `rows_per_page` rows at most, as a real one's
/// do. Not safe from several threads.
class FakeHistory : public History {
 public:
  struct Delivery {
    DeliverySummary summary;
    std::string source;
    std::vector<StoredAttempt> attempts;
  };

  std::map<EventSeq, EventSummary> events;
  std::map<DeliverySeq, Delivery> deliveries;
  std::size_t rows_per_page = 100'000;
  std::function<void()> on_page;                            ///< called for each page
  std::function<Status()> on_read = [] { return Ok(); };    ///< called before each reading; an error is its result
  std::function<Status()> on_change = [] { return Ok(); };  ///< called before each change; an error is its result
  std::vector<std::size_t> changes;                         ///< how many deliveries each change was asked for
  std::vector<RefusedRequest> refused;                      ///< oldest first
  std::vector<OperatorAction> actions;                      ///< oldest first; a server's threads add to it
  std::map<EventSeq, std::vector<Revision>> revisions;
  std::map<std::int64_t, KeptConfig> configs;
  EventFilter last_event_filter;
  DeliveryFilter last_delivery_filter;

  EventSummary& AddEvent(EventSeq seq);
  DeliverySummary& AddDelivery(DeliverySeq seq, DeliveryState state, const std::string& sink = "ops");

  Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) override;
  Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                               std::size_t limit) override;
  Result<EventSummary> FindEvent(EventSeq event) override;
  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event) override;
  Result<DeliverySummary> FindDelivery(DeliverySeq delivery) override;
  Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery) override;
  Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> wanted, WallTime now) override;
  Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event, std::span<const NewDelivery> wanted,
                                                     WallTime now) override;
  Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> wanted, const std::string& reason) override;
  Status SavePause(const std::string& sink, const std::optional<Pause>& pause) override;
  Result<KeptConfig> LoadConfig(std::int64_t config) override;
  Result<std::vector<Revision>> RevisionsOf(EventSeq event) override;
  Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) override;
  ChangeSet Changes(const ChangeCursor&) override { return {}; }
  Result<Extent> FindExtent() override { return Extent{0x5a17, events.empty() ? 0 : events.begin()->first}; }
  void RecordAction(OperatorAction action) override;
  Result<Page<OperatorAction>> ListActions(std::int64_t before, std::size_t limit) override;

 private:
  Mutex actions_mu_;
};

}  // namespace hookswitch
