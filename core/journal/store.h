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

#include "core/journal/indexes.h"
#include "core/journal/journal.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// Checksum in `raw.sum` that detects a damaged body. Not cryptographic; about 0.5 µs for 3 KB.
std::uint64_t SumOf(std::string_view headers, std::string_view body);

/// Opens the file of a journal, which must exist, for writing: with a write-ahead log, and every commit synced.
/// `page_size`: of a new file. Errors: those of Database, kUnavailable (its file system cannot).
Result<Database> OpenForWriting(const std::string& path, int page_size);

/// Write side of the SQLite journal: one connection and its in-memory indexes. Every function: [thread: journal
/// writer], unless it says otherwise.
///
/// Call Begin, then any of Append, Record, RecordRefused and History's changes, then Commit; or Rollback, which undoes
/// everything since Begin, in memory too. After an error only Rollback is allowed.
class Store {
 public:
  /// Opens `path`, which must exist, migrates its tables and loads the in-memory indexes. Errors: those of
  /// PrepareSchema, kUnavailable (CheckUsable refuses it). [thread: control]
  static Result<std::unique_ptr<Store>> Open(const std::string& path, int page_size);

  [[nodiscard]] Status Begin();
  /// kFull if `max_backlog` deliveries are pending for a sink of `event`, unless it is a duplicate. Changes nothing.
  [[nodiscard]] Status CheckBacklog(const NewEvent& event, std::uint64_t max_backlog) const;
  /// The caller sets the id in `accepted`, from `accepted_at`. If it is the config that cannot be stored, keeps_configs
  /// becomes false, and the caller may roll back and retry.
  [[nodiscard]] Status Append(const NewEvent& event, std::uint64_t sum, Accepted& accepted, WallTime& accepted_at);
  /// `fallback`: see Recorded. A delivery that retention has removed is not an error.
  [[nodiscard]] Status Record(const AttemptRecord& record, DeliverySeq& fallback);
  [[nodiscard]] Status RecordRefused(const RefusedRequest& refused);
  [[nodiscard]] Status RecordAction(const OperatorAction& action);
  // History's changes, with its contracts; the transaction stays usable after kNotFound. Rows in `damaged` are skipped;
  // newly found damaged rows are added to it, and after kInvalid the caller may roll back and retry.
  [[nodiscard]] Status Revive(std::span<const DeliverySeq> deliveries, WallTime now,
                              std::vector<PendingDelivery>& revived, std::set<DeliverySeq>& damaged);
  [[nodiscard]] Status AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now,
                                     std::vector<PendingDelivery>& added);  ///< as replays
  [[nodiscard]] Status Cancel(std::span<const DeliverySeq> deliveries, std::string_view reason,
                              std::vector<DeliverySeq>& canceled, std::set<DeliverySeq>& damaged);
  [[nodiscard]] Status SavePause(std::string_view sink, const std::optional<Pause>& pause);
  /// Writes a dummy value, so that Commit shows whether writing works.
  [[nodiscard]] Status Probe();
  [[nodiscard]] Status Commit();
  /// Does nothing outside a transaction.
  void Rollback();

  /// Opens a new connection, because one that failed in I/O cannot be trusted. Only between transactions.
  [[nodiscard]] Status Reconnect();
  /// Checkpoints the whole log into the database and closes the file. Only destruction may follow. [thread: control,
  /// after the writer has ended]
  [[nodiscard]] Status Close();

  /// The file, for messages.
  const std::string& path() const { return path_; }
  std::uint16_t salt() const { return salt_; }
  std::uint64_t events() const { return events_; }
  std::uint64_t pending() const { return pending_.size(); }
  /// Sinks with at least this many pending deliveries.
  std::vector<std::string> SinksWithAtLeast(std::uint64_t pending) const { return pending_.WithAtLeast(pending); }
  std::uint64_t bad_rows() const { return bad_rows_; }
  /// False once the table of configs was found damaged: new events then name none.
  bool keeps_configs() const { return keeps_configs_; }
  /// Whether any sink may have stored a memory, or any event (NewEvent::carry). Never becomes false again.
  bool has_memory() const { return has_memory_; }
  DeliverySeq pending_floor() const { return pending_.Floor(next_delivery_); }
  DeliverySeq last_delivery() const { return next_delivery_ - 1; }
  EventSeq last_event() const { return next_event_ - 1; }
  std::int64_t last_refused() const { return next_refused_ - 1; }
  /// Bytes of the database's pages in use.
  Result<std::uint64_t> Bytes();
  /// Frames in the write-ahead log after the last commit; 0 once Checkpoint has written all of them to the database
  /// file.
  int log_frames() const { return log_frames_; }
  /// As Database::Checkpoint.
  [[nodiscard]] Result<Database::CheckpointResult> Checkpoint();

  // For Retention, which reads and removes rows with statements of its own.

  /// A statement on the current connection, which stays open until it is destroyed. Destroy it before Close, and when
  /// `connection` has changed.
  [[nodiscard]] Result<Statement> Prepare(std::string_view sql) { return db_.Prepare(sql); }
  /// Number of the current connection; changes with Reconnect.
  std::uint64_t connection() const { return connection_; }
  /// The stored events by time of receipt.
  TimeRuns& runs() { return runs_; }
  bool IsPending(DeliverySeq delivery) const { return pending_.Contains(delivery); }
  struct RemovedEvent {
    EventSeq seq = 0;
    Digest dedup{};
    std::int64_t config = 0;
  };
  /// Commit for a transaction that removed all rows of these events.
  [[nodiscard]] Status CommitRemoval(std::span<const RemovedEvent> removed);
  /// Removes the configs that no event names any more, in a transaction of its own. Damage there is not an error.
  [[nodiscard]] Status RemoveUnusedConfigs();
  /// Counts a damaged row in bad_rows.
  void CountBadRow() { ++bad_rows_; }

 private:
  struct Statements {
    Statement begin, commit, rollback;
    Statement event, raw, delivery, received_ms;
    Statement attempt, update, keep_fallback, fallback, memory, lane, refused, action, drop_actions, set_meta, probe;
    Statement content_of, runs_of, delivery_of, keep_revision, revise_raw, revise_event, drop_revisions;
    Statement pause, call_of, revive, cancel, release, one_pending, replay;
    Statement config, remove_config;
    Statement page_count, free_count;
  };
  struct StoredDelivery {
    DeliverySeq seq = 0;
    std::string sink;
    DeliveryState state{};
  };

  Store(std::string path, int page_size) : path_(std::move(path)), page_size_(page_size) {}
  Status Connect();
  Status LoadAfter(EventSeq event, DeliverySeq delivery);
  Status LoadConfigs();
  /// The number of `config`, which may be nullptr; stores it if it is not. 0: none.
  Result<std::int64_t> NumberOf(const KeptConfig* config);
  void GiveUpConfigs(const Error& error);
  Status KeepCarry(EventSeq seq, const NewEvent& event);
  Status AddDelivery(EventSeq event, std::uint64_t call_key, WallTime accepted, const NewDelivery& delivery,
                     std::int64_t flags);
  /// Empty if the delivery does not exist or is unreadable.
  Result<std::optional<StoredDelivery>> FindDelivery(DeliverySeq delivery, std::set<DeliverySeq>& damaged);
  Status AddToStoredEvent(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now, std::int64_t flags,
                          std::vector<PendingDelivery>& added);
  Status Revise(EventSeq event, const NewEvent& revised, std::uint64_t sum, Accepted::Revised& changes);
  Result<std::vector<StoredDelivery>> DeliveriesOfEvent(EventSeq event);
  Status UpdateRow(Statement& update, DeliverySeq delivery, std::set<DeliverySeq>& damaged);
  Result<PendingDelivery> ReadPending(DeliverySeq delivery);

  const std::string path_;
  int page_size_;
  int log_frames_ = 0;  // declared before db_, which writes to it
  Database db_;
  std::uint64_t connection_ = 0;
  Statements sql_;
  std::uint16_t salt_ = 0;

  DedupSet dedup_;
  PendingSet pending_;
  TimeRuns runs_;
  ConfigUse configs_;
  bool keeps_configs_ = true;
  std::uint64_t events_ = 0;
  std::uint64_t bad_rows_ = 0;
  bool has_memory_ = false;
  EventSeq next_event_ = 1;
  DeliverySeq next_delivery_ = 1;
  DeliverySeq stored_floor_ = 1;
  std::int64_t next_refused_ = 0;

  bool in_transaction_ = false;
  // What Rollback restores.
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
