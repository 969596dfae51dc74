#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/journal/postgres/pg_connection.h"
#include "core/journal/postgres/pg_lease.h"

namespace hookswitch::pg {

struct RetentionOptions {
  std::chrono::milliseconds age{};  ///< 0: no limit
  std::uint64_t size = 0;           ///< bytes of the schema; 0: no limit
  int parts = 8;                    ///< a partition holds about this part of `age` or `size`
  /// If more events wait in a partition than this, or more bytes, it is not copied: rows are deleted from it.
  std::int64_t most_copied = 2000, most_bytes_copied = 64 << 20;
  /// Nor if no more events can go than this and some wait; unless space is short, which only a copy gives back.
  std::int64_t few_removed = 1000;
  int most_locked_out = 30;  ///< passes in a row that find a table locked, before that is an error
};

/// Removes events over the age or size limit, by partition: one is dropped once all of its events are past the limit,
/// and a copy of what waits in it takes its place. Also begins partitions. Never removes an event with an open
/// delivery.
///
/// Works in short steps, each in a transaction that is stored only while the lease is ours. One that cannot lock a
/// table within 200 ms is tried again later. Has a connection of its own. [thread: journal retention]
class Retention {
 public:
  /// `clock` must outlive it.
  Retention(Place place, std::function<Fence()> fence, const RetentionOptions& options, const Clock& clock)
      : place_(std::move(place)), fence_(std::move(fence)), options_(options), clock_(clock) {}

  /// Does one step. Returns whether there is more to do at once. Errors: kUnavailable (the server is away; a table
  /// could not be locked for a long time).
  Result<bool> Step();
  /// How many events were ever removed from this journal, as of the last step that looked.
  std::uint64_t removed() const { return removed_; }

 private:
  /// What is known of a partition that has no new events any more.
  struct Part {
    std::int64_t table = 0;  ///< oid of its events
    std::int64_t events = 0;
    EventSeq scanned = 0;  ///< up to this event
    bool is_scanned = false;
    std::int64_t newest_ms = std::numeric_limits<std::int64_t>::min();
    EventSeq trimmed = 0;  ///< up to this event; 0: from the first
    MonoTime recheck_at{};
  };
  /// How far it has come with the rows of tables that name events which are gone: after a key of one of them.
  struct Sweep {
    std::size_t table = 0;
    std::string text{};
    std::int64_t number = std::numeric_limits<std::int64_t>::min();
  };

  Result<bool> StepOnce();
  /// Fails if the lease is no longer ours.
  Status Commit();
  Result<bool> BeginPart(std::int64_t next);
  Result<bool> IsFull(std::int64_t part);
  // These return whether they have done something.
  Result<bool> Reduce(std::int64_t number, Part& part, bool by_size);
  Result<bool> Scan(std::int64_t number, Part& part);
  Result<bool> Replace(std::int64_t number, const Part& part);
  Result<bool> Trim(std::int64_t number, Part& part, std::int64_t cutoff_ms);
  Result<bool> SweepOnce();
  /// After a failed statement: false if it is only too early.
  Result<bool> Failed(Error error);

  const Place place_;
  const std::function<Fence()> fence_;
  const RetentionOptions options_;
  const Clock& clock_;
  std::unique_ptr<Connection> connection_;
  std::map<std::int64_t, Part> parts_;
  std::uint64_t removed_ = 0;
  int locked_out_ = 0;  ///< passes in a row
  Sweep sweep_;
  bool is_sweep_due_ = false;
  MonoTime sweep_at_{};  ///< not before
};

}  // namespace hookswitch::pg
