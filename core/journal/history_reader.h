#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/history.h"

namespace hookswitch {

/// The reading half of History over the SQLite journal: a connection of its own, so that a long list holds up neither
/// commits nor deliveries. Safe from any thread, one call at a time. After an error other than damage the connection is
/// opened anew by the next call.
class HistoryReader {
 public:
  HistoryReader(std::string path, std::uint16_t salt);
  ~HistoryReader();

  Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit);
  /// `floor`: all deliveries below it have ended.
  Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before, std::size_t limit,
                                               DeliverySeq floor);
  Result<EventSummary> FindEvent(EventSeq event);
  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event);
  Result<DeliverySummary> FindDelivery(DeliverySeq delivery);
  Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery);
  Result<std::vector<Revision>> RevisionsOf(EventSeq event);
  Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit);
  /// Gives up the file; everything fails as kUnavailable from now on.
  void Close();

 private:
  class Connection;
  template <class Answer, class... Parameters, class... Arguments>
  Answer Ask(Answer (Connection::*question)(Parameters...), const Arguments&... arguments);

  const std::string path_;
  const std::uint16_t salt_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::unique_ptr<Connection> connection_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
