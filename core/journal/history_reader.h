#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/history.h"

namespace hookswitch {

/// Read half of History on its own SQLite connection, so that long lists delay neither commits nor deliveries. Calls
/// are serialized. After an error other than damage the next call reconnects. [thread: any]
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
  /// Closes the file; later calls fail as kUnavailable.
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
