#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/admin/holds.h"
#include "core/admin/live_message.h"
#include "core/admin/router.h"
#include "core/base/json.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// One reading of the events, deliveries and rejected requests that are new after a cursor, as messages. Reads no more
/// rows and bytes than it may: the newest; gaps count the others.
class LiveReading {
 public:
  struct Limits {
    std::size_t rows = 0, bytes = 0;
  };
  /// `progress`: moved on with each message. The references outlive it.
  LiveReading(Router& router, History& history, Journal& journal, LiveKinds kinds, Limits limits, LiveCursor& progress);

  /// The messages, oldest first. What the journal cannot tell now is left for a later reading. Call once; blocks.
  std::vector<LiveMessage> Run();

  // After Run.
  std::size_t used_rows() const { return used_; }
  /// Whether something was left out.
  bool is_short() const { return is_short_; }

 private:
  /// What becomes a message.
  struct Row {
    std::string data;
    std::int64_t number = 0;  ///< moves the cursor of its list; 0: does not
  };
  using Rows = std::vector<Row>;  ///< newest first

  void ReadRefused(std::size_t needed, std::size_t rows);
  bool ReadEvents(std::size_t needed, std::size_t rows);
  bool ReadNewEvents(std::size_t rows, Rows& kept, std::size_t& taken);
  bool ReadRevisedEvents(std::size_t rows, Rows& kept, std::size_t& taken);
  bool KeepEvent(const EventSummary& event, std::int64_t number, Rows& kept);
  void ReadDeliveries(std::size_t needed, std::size_t rows);
  void AddDeliveries(Rows kept);

  std::size_t Wanted(LiveKind kind, std::int64_t count) const;
  std::size_t Rest(std::size_t others) const;
  bool Keep(Rows& kept, json::object row, std::int64_t number);
  void AddRows(LiveKind kind, const Rows& rows, std::int64_t& number);
  void AddGap(LiveKinds kinds, std::optional<std::size_t> missed);
  void LeaveOut(LiveKind kind, std::size_t missed);
  const Holds& CurrentHolds();

  Router& router_;
  History& history_;
  Journal& journal_;
  const LiveKinds kinds_;
  const Limits limits_;
  LiveCursor& progress_;
  const ChangeSet changes_;
  std::vector<LiveMessage> messages_;
  std::optional<Holds> holds_;
  std::unordered_map<DeliverySeq, DeliverySummary> known_;  ///< read with their events
  std::size_t used_ = 0;                                    ///< rows
  std::size_t bytes_ = 0;                                   ///< of the kind that is being read
  bool is_short_ = false;
};

}  // namespace hookswitch
