#include "core/journal/batch_writer.h"

#include <utility>

#include "core/base/log.h"

namespace hookswitch {
namespace {

constexpr std::size_t kRecordsPerCommit = 4000;
constexpr std::chrono::milliseconds kRetryEvery{200};

/// Whether `error` concerns only the row written: writing it again fails again, other rows may succeed.
bool IsAboutTheRow(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kTooLarge || error.code == ErrorCode::kInternal;
}

void FailAll(Batch& batch, const Error& error) {
  for (AppendRequest& request : batch.appends) request.error = error;
  for (Command* command : batch.commands) command->error = error;
}

}  // namespace

bool BatchWriter::Write(Batch& batch) {
  const bool is_empty = batch.appends.empty() && batch.records.empty() && batch.refused.empty() &&
                        batch.actions.empty() && batch.commands.empty();
  bool committed = false;
  if (unwritable_ && !batch.is_last_try && clock_.Mono() < retry_at_) {
    FailAll(batch, *unwritable_);
  } else if (!is_empty || unwritable_) {
    // Commit even when idle, so that senders we turned away learn when there is space again.
    committed = Commit(batch);
  }
  batch.is_unwritable = unwritable_.has_value();
  return committed;
}

bool BatchWriter::Commit(Batch& batch) {
  std::size_t max_records = kRecordsPerCommit;
  for (;;) {
    const auto failure = TryCommit(batch, max_records);
    if (!failure) {
      must_probe_ = false;
      unwritable_.reset();
      for (AppendRequest& request : batch.appends) {
        if (!request.error) request.accepted.id = EventId(request.accepted_at, store_.salt(), request.accepted.event);
      }
      batch.records.erase(batch.records.begin(),
                          batch.records.begin() + static_cast<std::ptrdiff_t>(batch.recorded.size()));
      batch.actions.clear();
      for (const Command* command : batch.commands) CountDamage(*command);
      return true;
    }
    store_.Rollback();
    batch.recorded.clear();
    if (failure->can_skip) continue;
    if (!failure->events.empty()) {
      for (AppendRequest& request : failure->events) {
        request.is_unstorable = true;
        request.error = Error{failure->error.code, "this event cannot be stored: " + failure->error.message};
      }
    } else if (failure->is_refused) {
      Drop("refused", batch.refused.size(), failure->error);
      batch.refused.clear();
    } else if (failure->is_action) {
      Drop("action", batch.actions.size(), failure->error);
      batch.actions.clear();
    } else if (failure->command != nullptr) {
      failure->command->error = failure->error;
      std::erase(batch.commands, failure->command);
    } else if (failure->record) {
      Quarantine(batch, *failure->record, failure->error);
      // Store the records before the damaged one first, or each damaged row of a page would redo them.
      if (*failure->record != 0) max_records = *failure->record;
    } else {
      SetUnwritable(failure->error);
      FailAll(batch, *unwritable_);
      return false;
    }
  }
}

std::optional<BatchWriter::Failure> BatchWriter::TryCommit(Batch& batch, std::size_t max_records) {
  if (must_reconnect_) {
    if (Status connected = store_.Reconnect(); !connected) return Failure{.error = connected.error()};
    must_reconnect_ = false;
  }
  if (Status begun = store_.Begin(); !begun) return Failure{.error = begun.error()};
  // Frames left in the log by an earlier process or a failed commit may not be synced, and a duplicate of such an event
  // would be acknowledged without a write: so the first commit always writes, which syncs them.
  if (must_probe_) {
    if (Status probed = store_.Probe(); !probed) return Failure{.error = probed.error()};
  }
  if (auto failure = WriteAppends(batch)) return failure;
  if (auto failure = WriteRecords(batch, max_records)) return failure;
  if (auto failure = WriteRefused(batch)) return failure;
  if (auto failure = WriteActions(batch)) return failure;
  if (auto failure = WriteCommands(batch)) return failure;
  if (Status committed = store_.Commit(); !committed) return Failure{.error = committed.error()};
  return {};
}

std::optional<BatchWriter::Failure> BatchWriter::WriteAppends(Batch& batch) {
  const std::span<AppendRequest> all(batch.appends);
  for (std::size_t i = 0; i < all.size(); i += 1 + all[i].others) {
    if (all[i].is_unstorable) continue;
    if (auto failure = WriteTogether(all.subspan(i, 1 + all[i].others))) return failure;
  }
  return {};
}

std::optional<BatchWriter::Failure> BatchWriter::WriteTogether(std::span<AppendRequest> list) {
  // Asked before the first row is written, because rows of a transaction cannot be taken back one by one.
  std::optional<Error> full;
  for (AppendRequest& request : list) {
    if (Status room = store_.CheckBacklog(*request.event, max_backlog_); !room && !full) {
      full = std::move(room).error();
    }
  }
  for (AppendRequest& request : list) request.error = full;
  if (full) return {};
  for (AppendRequest& request : list) {
    const bool kept_configs = store_.keeps_configs();
    Status stored = store_.Append(*request.event, request.sum, request.accepted, request.accepted_at);
    if (stored) continue;
    Failure failure{.error = std::move(stored).error()};
    failure.can_skip = kept_configs && !store_.keeps_configs();
    // Damage where events are appended fails all events, not only this one: /readyz must report it.
    if (IsAboutTheRow(failure.error) && failure.error.code != ErrorCode::kInvalid) failure.events = list;
    return failure;
  }
  return {};
}

std::optional<BatchWriter::Failure> BatchWriter::WriteRecords(Batch& batch, std::size_t max_records) {
  for (std::size_t i = 0; i < batch.records.size() && i < max_records; ++i) {
    DeliverySeq fallback = 0;
    if (Status stored = store_.Record(batch.records[i], fallback); !stored) {
      Failure failure{.error = std::move(stored).error()};
      if (IsAboutTheRow(failure.error)) failure.record = i;
      return failure;
    }
    batch.recorded.emplace_back(batch.records[i].delivery, fallback);
  }
  return {};
}

std::optional<BatchWriter::Failure> BatchWriter::WriteRefused(Batch& batch) {
  for (const RefusedRequest& refused : batch.refused) {
    if (Status stored = store_.RecordRefused(refused); !stored) {
      Failure failure{.error = std::move(stored).error()};
      failure.is_refused = IsAboutTheRow(failure.error);
      return failure;
    }
  }
  return {};
}

std::optional<BatchWriter::Failure> BatchWriter::WriteActions(Batch& batch) {
  for (const OperatorAction& action : batch.actions) {
    if (Status stored = store_.RecordAction(action); !stored) {
      Failure failure{.error = std::move(stored).error()};
      failure.is_action = IsAboutTheRow(failure.error);
      return failure;
    }
  }
  return {};
}

std::optional<BatchWriter::Failure> BatchWriter::WriteCommands(Batch& batch) {
  for (Command* command : batch.commands) {
    command->error.reset();
    const std::size_t known = command->damaged.size();
    Status done = Run(*command);
    if (done) continue;
    if (done.error().code == ErrorCode::kNotFound) {
      command->error = std::move(done).error();
      continue;
    }
    Failure failure{.error = std::move(done).error()};
    if (IsAboutTheRow(failure.error)) failure.command = command;
    failure.can_skip = command->damaged.size() != known;
    return failure;
  }
  return {};
}

Status BatchWriter::Run(Command& command) {
  struct Runner {
    Store& store;
    std::set<DeliverySeq>& damaged;
    Status operator()(ReviveChange* change) const {
      change->revived.clear();
      return store.Revive(change->deliveries, change->now, change->revived, damaged);
    }
    Status operator()(AddChange* change) const {
      change->added.clear();
      return store.AddDeliveries(change->event, change->deliveries, change->now, change->added);
    }
    Status operator()(CancelChange* change) const {
      change->canceled.clear();
      return store.Cancel(change->deliveries, change->reason, change->canceled, damaged);
    }
    Status operator()(PauseChange* change) const { return store.SavePause(change->sink, change->pause); }
  };
  return std::visit(Runner{store_, command.damaged}, command.change);
}

// A record whose row is damaged must not block the others. Its delivery may be sent again after a restart.
void BatchWriter::Quarantine(Batch& batch, std::size_t record, const Error& error) {
  const DeliverySeq delivery = batch.records[record].delivery;
  log::Error("journal_rows_damaged", {{"file", path_}, {"delivery", DeliveryId(delivery)}, {"reason", error.message}});
  bad_rows_.fetch_add(1, std::memory_order_relaxed);
  batch.quarantined.push_back(delivery);
  batch.records.erase(batch.records.begin() + static_cast<std::ptrdiff_t>(record));
}

// These rows are informational: they must not block deliveries.
void BatchWriter::Drop(std::string_view table, std::size_t rows, const Error& error) {
  bad_rows_.fetch_add(rows, std::memory_order_relaxed);
  if (!damaged_tables_.emplace(table).second) return;
  log::Error("journal_rows_damaged", {{"file", path_}, {"table", table}, {"reason", error.message}});
}

void BatchWriter::CountDamage(const Command& command) {
  if (command.damaged.empty()) return;
  const auto rows = static_cast<std::int64_t>(command.damaged.size());
  log::Error("journal_rows_damaged", {{"file", path_}, {"rows", rows}});
  bad_rows_.fetch_add(command.damaged.size(), std::memory_order_relaxed);
}

void BatchWriter::SetUnwritable(const Error& error) {
  if (!unwritable_) log::Error("journal_unwritable", {{"file", path_}, {"reason", error.message}});
  unwritable_ = Error{ErrorCode::kUnavailable, "journal " + path_ + " cannot be written: " + error.message};
  must_reconnect_ = true;
  must_probe_ = true;
  maintenance_due_ = true;
  retry_at_ = clock_.Mono() + kRetryEvery;
}

bool BatchWriter::PrepareMaintenance(const Batch& batch) {
  if (!unwritable_) return true;
  return std::exchange(maintenance_due_, false) && !batch.is_last_try && store_.Reconnect().has_value();
}

}  // namespace hookswitch
