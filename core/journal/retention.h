#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/journal/sqlite.h"
#include "core/journal/store.h"

namespace hookswitch {

/// Removes events over the age or size limit, a chunk at a time, and configs that none names; never an event with a
/// pending delivery. By age the oldest go first, by size those accepted first. An event with a future time (the wall
/// clock was set back) stays until it is old enough and does not block others. [thread: journal writer]
class Retention {
 public:
  /// Zero: no limit. `store` and `clock` must outlive it.
  Retention(Store& store, const Clock& clock, std::chrono::milliseconds age, std::uint64_t size)
      : store_(store), clock_(clock), age_(age), size_(size) {}

  /// Removes up to `chunk` events in one transaction. `bytes`: space in use. Returns whether there is more to do.
  /// Errors: kUnavailable; skips damaged rows.
  Result<bool> Step(std::uint64_t bytes, int chunk);
  /// Destroys the statements. Call before Store::Close.
  void ReleaseStatements() {
    sql_ = {};
    connection_ = 0;
  }

 private:
  struct Statements {
    Statement events, replays, delivery, attempt;
    Statement remove_attempt, remove_delivery, remove_memory, remove_raw, remove_event, remove_replays;
    Statement remove_revisions;
  };
  /// Prepares the statements, once for each of the store's connections.
  Status Prepare();
  struct Event {
    EventSeq seq;
    std::int64_t received_ms;
    Digest digest;
    std::int64_t call_key;
    DeliverySeq first_delivery;
    std::int64_t deliveries;
    std::int64_t config;
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
  /// Checks up to `chunk` events of `rest` and removes the expired ones. Returns whether one had to stay because of
  /// pending deliveries.
  Result<bool> RemoveSome(const TimeRuns::Rest& rest, std::int64_t cutoff_ms, bool by_size, int chunk);
  /// Uses one transaction, or none if all must stay. Returns the number removed.
  Result<std::size_t> RemoveAll(const std::vector<Event>& old);
  /// Empty if the event has a pending delivery.
  Result<std::optional<Deliveries>> DeliveriesToRemove(const Event& event);
  Status Remove(const Event& event, const Deliveries& deliveries);

  Store& store_;
  const Clock& clock_;
  const std::chrono::milliseconds age_;
  const std::uint64_t size_;
  Statements sql_;
  std::uint64_t connection_ = 0;  ///< of the store, for which sql_ was prepared; 0: not prepared
  bool damage_logged_ = false;
  std::optional<MonoTime> recheck_at_{};  ///< when to check skipped events again
};

}  // namespace hookswitch
