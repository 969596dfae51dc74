#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/journal/store.h"

namespace hookswitch {

/// Removes events that are too old or too many, a chunk at a time; never one with a delivery that has not ended. By age
/// the oldest go first, by size those that were accepted first. An event from the future, received before the wall
/// clock was set back, stays until its own time comes and holds up no other. For the store's thread.
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
  /// Looks at up to `chunk` events of `rest` and removes those that must go. Returns whether one of them has to wait
  /// for its deliveries.
  Result<bool> RemoveSome(Store& store, const TimeRuns::Rest& rest, std::int64_t cutoff_ms, bool by_size, int chunk);
  /// In one transaction, or in none if all must stay. Returns how many were removed.
  Result<std::size_t> RemoveAll(Store& store, const std::vector<Event>& old);
  /// Empty if the event has a delivery that has not ended.
  Result<std::optional<Deliveries>> DeliveriesToRemove(Store& store, const Event& event);
  Status Remove(Store& store, const Event& event, const Deliveries& deliveries);

  const std::chrono::milliseconds age_;
  const std::uint64_t size_;
  bool damage_told_ = false;
  std::optional<MonoTime> look_again_{};  ///< at what was left behind
};

}  // namespace hookswitch
