#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/journal/commit_queue.h"
#include "core/journal/store.h"

namespace hookswitch {

/// Writes batches to a Store, one transaction each, and keeps one bad part from holding up the rest:
/// - an event or command that can never be stored fails alone;
/// - a record whose row is damaged is quarantined; rejected requests and operators' actions that cannot be stored are
///   dropped;
/// - a command skips damaged rows.
/// Any other failure makes the journal unwritable. Then batches fail at once as kUnavailable, and records wait; every
/// 200 ms a batch, if need be an empty one, tries again on a new connection.
class BatchWriter {
 public:
  /// `path`: for messages. `max_backlog`: as in SqliteOptions. `store` and `clock` must outlive it.
  BatchWriter(std::string path, std::uint64_t max_backlog, Store& store, const Clock& clock)
      : path_(std::move(path)), max_backlog_(max_backlog), store_(store), clock_(clock) {}

  /// Writes `batch` and sets its results. True if a transaction was committed. [thread: journal writer]
  bool Write(Batch& batch);
  /// Why nothing can be stored now; empty while writing works. [thread: journal writer]
  const std::optional<Error>& unwritable() const { return unwritable_; }
  /// Whether maintenance may use the store after `batch`. While the journal is unwritable it may once after each failed
  /// commit, on a new connection: removing old events can free the space that is missing. [thread: journal writer]
  bool PrepareMaintenance(const Batch& batch);
  /// Damaged rows found, and rejected requests dropped because of them. [thread: any]
  std::uint64_t bad_rows() const { return bad_rows_.load(std::memory_order_relaxed); }

 private:
  /// Why a transaction failed, and the one part of the batch that cannot be stored. No part: nothing can be, now.
  struct Failure {
    Error error;
    std::span<AppendRequest> events{};    ///< stored together or not at all
    std::optional<std::size_t> record{};  ///< index in Batch::records
    bool is_refused = false;              ///< the rejected requests
    bool is_action = false;               ///< the operators' actions
    Command* command = nullptr;
    bool can_skip = false;  ///< it is new damage, which is left out when the batch is tried again
  };
  /// Tries until a transaction is committed, without the parts that cannot be stored. False: unwritable.
  bool Commit(Batch& batch);
  /// Writes the batch with up to `max_records` records in one transaction. Leaves the transaction open on failure.
  std::optional<Failure> TryCommit(Batch& batch, std::size_t max_records);
  std::optional<Failure> WriteAppends(Batch& batch);
  std::optional<Failure> WriteTogether(std::span<AppendRequest> list);
  std::optional<Failure> WriteRecords(Batch& batch, std::size_t max_records);
  std::optional<Failure> WriteRefused(Batch& batch);
  std::optional<Failure> WriteActions(Batch& batch);
  std::optional<Failure> WriteCommands(Batch& batch);
  Status Run(Command& command);
  void Quarantine(Batch& batch, std::size_t record, const Error& error);
  void Drop(std::string_view table, std::size_t rows, const Error& error);
  void CountDamage(const Command& command);
  void SetUnwritable(const Error& error);

  const std::string path_;
  const std::uint64_t max_backlog_;
  Store& store_;
  const Clock& clock_;
  std::optional<Error> unwritable_;
  MonoTime retry_at_{};                                ///< with unwritable_: until then the disk is left alone
  bool must_reconnect_ = false;                        ///< the last commit failed
  bool must_probe_ = true;                             ///< no commit has succeeded since the start or the last failure
  bool maintenance_due_ = false;                       ///< a commit failed, and PrepareMaintenance was not called since
  std::set<std::string, std::less<>> damaged_tables_;  ///< that were logged
  std::atomic<std::uint64_t> bad_rows_{0};
};

}  // namespace hookswitch
