#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/journal/dedup_set.h"
#include "core/journal/journal.h"
#include "core/journal/pending_set.h"
#include "core/journal/sqlite.h"
#include "core/journal/time_runs.h"

namespace hookswitch {

/// What `raw.sum` holds: tells a damaged body from a sound one. Not cryptographic; ~0.5 µs for 3 KB.
std::uint64_t SumOf(std::string_view headers, std::string_view body);

/// The writing side of the SQLite journal: one connection and what is kept in memory beside it. For one thread.
///
/// Begin, then any of Append, Record, Refused and History's commands, then Commit; or Rollback, which takes back
/// everything since Begin, in memory too. After an error only Rollback may follow.
class Store {
 public:
  /// Opens `path`, which exists, brings its tables up to date and loads what memory needs.
  static Result<std::unique_ptr<Store>> Open(const std::string& path, int page_size);

  [[nodiscard]] Status Begin();
  /// kFull leaves the transaction usable. The id in `accepted` is left to the caller, who needs `accepted_at`.
  [[nodiscard]] Status Append(const NewEvent& event, std::uint64_t sum, std::uint64_t max_backlog, Accepted& accepted,
                              WallTime& accepted_at);
  /// `fallback`: see Recorded. A delivery that retention removed is no error.
  [[nodiscard]] Status Record(const AttemptRecord& record, DeliverySeq& fallback);
  [[nodiscard]] Status Refused(const RefusedRequest& refused);
  // What History asks for, with its contracts; the transaction stays usable after kNotFound. A row in `damaged` is
  // stepped over; one that turns out to be damaged is put there, and after kInvalid the caller may begin again.
  [[nodiscard]] Status Revive(std::span<const DeliverySeq> deliveries, WallTime now,
                              std::vector<PendingDelivery>& revived, std::set<DeliverySeq>& damaged);
  [[nodiscard]] Status AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now,
                                     std::vector<PendingDelivery>& added);  ///< as replays
  [[nodiscard]] Status Cancel(std::span<const DeliverySeq> deliveries, std::string_view reason,
                              std::vector<DeliverySeq>& canceled, std::set<DeliverySeq>& damaged);
  [[nodiscard]] Status SavePause(std::string_view sink, const std::optional<Pause>& pause);
  /// Writes a number that nobody reads, so that Commit tells whether writing works.
  [[nodiscard]] Status Probe();
  [[nodiscard]] Status Commit();
  /// Does nothing outside a transaction.
  void Rollback();

  /// Opens the connection anew, for one that failed in I/O cannot be trusted. Only between transactions.
  [[nodiscard]] Status Reconnect();
  /// Empties the write-ahead log into the database and gives up the file. Only destruction may follow.
  [[nodiscard]] Status Close();

  std::uint16_t salt() const { return salt_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t pending() const { return pending_.size(); }
  /// Sinks for which at least so many deliveries wait.
  std::vector<std::string> SinksWithAtLeast(std::uint64_t pending) const { return pending_.WithAtLeast(pending); }
  std::uint64_t bad_rows() const { return bad_rows_; }
  /// Whether any sink may have left a memory. Stays true once it is.
  bool has_memory() const { return has_memory_; }
  DeliverySeq pending_floor() const { return pending_.Floor(next_delivery_); }
  DeliverySeq last_delivery() const { return next_delivery_ - 1; }
  /// Used on disk, free pages excluded.
  Result<std::uint64_t> Bytes();
  /// Frames in the write-ahead log after the last commit; 0 from when MoveLog has moved all of them.
  int log_frames() const { return log_frames_; }
  [[nodiscard]] Result<Database::Checkpoint> MoveLog();

 private:
  friend class Retention;
  struct Statements {
    Statement begin, commit, rollback;
    Statement event, raw, delivery, received_ms;
    Statement attempt, update, keep_fallback, fallback, memory, lane, refused, set_meta, probe;
    Statement content_of, runs_of, delivery_of, keep_revision, revise_raw, revise_event, drop_revisions;
    Statement pause, call_of, revive, cancel, one_pending, replay;
    Statement page_count, free_count;
    // Of Retention.
    Statement old_events, old_delivery, old_attempt, old_replays;
    Statement remove_attempt, remove_delivery, remove_memory, remove_raw, remove_event, remove_replays;
    Statement remove_revisions;
  };
  struct StoredDelivery {
    DeliverySeq seq = 0;
    std::string sink;
    DeliveryState state{};
  };

  Store(std::string path, int page_size) : path_(std::move(path)), page_size_(page_size) {}
  Status Connect();
  Status LoadAfter(EventSeq event, DeliverySeq delivery);
  Status AddDelivery(EventSeq event, std::uint64_t call_key, WallTime accepted, const NewDelivery& delivery,
                     std::int64_t flags);
  /// Empty if there is no such delivery, or none that can be read.
  Result<std::optional<StoredDelivery>> DeliveryIn(DeliverySeq delivery, std::set<DeliverySeq>& damaged);
  Status AddLater(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now, std::int64_t flags,
                  std::vector<PendingDelivery>& added);
  Status Revise(EventSeq event, const NewEvent& revised, std::uint64_t sum, Accepted::Revised& changes);
  Result<std::vector<StoredDelivery>> DeliveriesOfEvent(EventSeq event);
  Status UpdateRow(Statement& update, DeliverySeq delivery, std::set<DeliverySeq>& damaged);
  Result<PendingDelivery> ReadPending(DeliverySeq delivery);

  const std::string path_;
  int page_size_;
  int log_frames_ = 0;  // outlives db_, which writes to it
  Database db_;
  Statements sql_;
  std::uint16_t salt_ = 0;

  DedupSet dedup_;
  PendingSet pending_;
  TimeRuns runs_;
  std::uint64_t events_ = 0;
  std::uint64_t bad_rows_ = 0;
  bool has_memory_ = false;
  EventSeq next_event_ = 1;
  DeliverySeq next_delivery_ = 1;
  DeliverySeq stored_floor_ = 1;
  std::int64_t next_refused_ = 0;

  bool in_transaction_ = false;
  // What Rollback takes back.
  struct Undo {
    EventSeq next_event = 1;
    DeliverySeq next_delivery = 1;
    DeliverySeq stored_floor = 1;
    std::int64_t next_refused = 0;
    std::uint64_t events = 0;
    std::vector<std::pair<Digest, EventSeq>> digests;
  } undo_;
};

}  // namespace hookswitch
