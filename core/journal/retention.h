#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/journal/store.h"

namespace hookswitch {

/// Removes events that are too old or too many, oldest first, a chunk at a time; never one with a delivery that has not
/// ended. For the store's thread.
class Retention {
 public:
  /// A zero age or size means no such limit.
  Retention(std::chrono::milliseconds age, std::uint64_t size) : age_(age), size_(size) {}

  /// Removes up to `chunk` events in one transaction, if any must go. Returns whether there is more to do.
  /// Errors: kUnavailable; damaged rows are stepped over.
  Result<bool> Step(Store& store, const Clock& clock, std::uint64_t bytes, int chunk);

 private:
  struct Event {
    EventSeq seq;
    std::int64_t received_ms;
    Digest digest;
    std::int64_t call_key;
    DeliverySeq first_delivery;
    std::int64_t deliveries;
  };
  struct Deliveries {
    struct Row {
      DeliverySeq seq;
      std::string sink;
      std::int64_t last_attempt;
    };
    std::vector<Row> rows;
    bool has_replays = false;
  };
  Result<bool> RemoveSome(Store& store, std::int64_t cutoff_ms, bool by_size, int chunk);
  /// In one transaction, or in none if all must stay.
  Status RemoveAll(Store& store, const std::vector<Event>& old);
  /// Empty if the event has a delivery that has not ended.
  Result<std::optional<Deliveries>> DeliveriesToRemove(Store& store, const Event& event);
  Status Remove(Store& store, const Event& event, const Deliveries& deliveries);

  const std::chrono::milliseconds age_;
  const std::uint64_t size_;
  EventSeq next_ = 0;  ///< where this pass goes on
  bool damage_told_ = false;
  bool skipped_ = false;  ///< this pass left something behind
  MonoTime pass_began_{};
  std::int64_t oldest_ms_ = 0;  ///< nothing from next_ on is older
};

}  // namespace hookswitch
