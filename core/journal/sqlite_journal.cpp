#include <atomic>
#include <deque>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/thread_name.h"
#include "core/journal/checkpointer.h"
#include "core/journal/history_reader.h"
#include "core/journal/journal_files.h"
#include "core/journal/reader.h"
#include "core/journal/retention.h"
#include "core/journal/sqlite_tuning.h"
#include "core/journal/store.h"

namespace hookswitch {
namespace {

constexpr std::size_t kRefusedWaiting = 1000;
constexpr std::size_t kRecordsPerCommit = 4000;
constexpr std::chrono::milliseconds kTick{250};
// Changes in one commit that count as load: with commit_every, some thousand events per second, or a machine that does
// not keep up. Below that, waiting would only add latency.
constexpr std::size_t kManyChanges = 16;
// After a failed commit callers get its error for this long, without touching the disk.
constexpr std::chrono::milliseconds kRetryWriting{200};
// The writer itself checkpoints a tail this short: only then can the log restart.
constexpr int kShortTail = 500;

struct AppendRequest {
  const NewEvent* event = nullptr;
  std::uint64_t sum = 0;
  std::function<void(Result<Accepted>)> done;
  Accepted accepted{};
  WallTime accepted_at{};
  std::optional<Error> error{};
  bool is_hopeless = false;  ///< this event can never be stored
};

/// Whether `error` concerns only this row: it will fail again, others may succeed.
bool IsAboutTheRow(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kTooLarge || error.code == ErrorCode::kInternal;
}

/// A change whose caller waits. `run` may run again after a rollback; it adds damaged rows to `damaged` and skips them
/// the next time.
struct Command {
  std::function<Status(Store& store, std::set<DeliverySeq>& damaged)> run;
  std::set<DeliverySeq> damaged{};
  bool is_hopeless = false;  ///< it hit damage that it cannot skip, or cannot be stored
  std::optional<Error> error{};
};

class SqliteJournal final : public JournalWithHistory {
 public:
  SqliteJournal(const SqliteOptions& options, const Clock& clock, const SqliteTuning& tuning, JournalLock lock,
                std::unique_ptr<Store> store)
      : options_(options),
        file_(RealPath(options.path)),
        tuning_(tuning),
        clock_(clock),
        lock_(std::move(lock)),
        store_(std::move(store)),
        salt_(store_->salt()),
        retention_(options.retention_age, options.retention_size),
        due_reader_(options.path, salt_),
        page_reader_(options.path, salt_),
        history_(options.path, salt_) {
    if (tuning.checkpoint_thread) checkpointer_.emplace(options.path);
    Publish();
    writer_ = std::thread([this] { Run(); });
  }

  ~SqliteJournal() override { Close(); }

  void Close() override {
    if (!writer_.joinable()) return;
    {
      MutexLock lock(mu_);
      stop_ = true;
    }
    work_.NotifyAll();
    writer_.join();
    // The last connection to close removes the log, so that the file alone is complete.
    checkpointer_.reset();
    due_reader_.Close();
    page_reader_.Close();
    history_.Close();
    if (const Status closed = store_->Close(); !closed) {
      log::Warn("journal_checkpoint_failed", {{"file", options_.path}, {"reason", closed.error().message}});
    }
  }

  Result<Accepted> Append(const NewEvent& event) override {
    Result<Accepted> result = Accepted{};
    const auto batch = Enqueue(
        event, [&](Result<Accepted> told) { result = std::move(told); }, true);
    if (batch) AwaitWritten(*batch);
    return result;
  }

  void AppendThen(const NewEvent& event, std::function<void(Result<Accepted>)> done) override {
    Enqueue(event, std::move(done), false);
  }

  void Record(AttemptRecord record) override {
    bool wake;
    {
      MutexLock lock(mu_);
      if (ended_) return;
      records_.push_back(std::move(record));
      wake = std::exchange(asleep_, false);
    }
    if (wake) work_.NotifyOne();
  }

  void OnRecorded(Recorded recorded) override {
    MutexLock lock(mu_);
    on_recorded_ = std::move(recorded);
  }

  // Does not wake the writer: a flood of rejected requests must not become a flood of commits.
  void RecordRefused(RefusedRequest refused) override {
    MutexLock lock(mu_);
    if (refused_.size() < kRefusedWaiting) refused_.push_back(std::move(refused));
  }

  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) override {
    const DeliverySeq floor = pending_floor_.load(std::memory_order_acquire);
    const DeliverySeq last = last_delivery_.load(std::memory_order_acquire);
    return page_reader_.LoadPending(std::max(after, floor - 1), last, limit);
  }

  Result<std::vector<LaneDue>> LoadLanes() override { return page_reader_.LoadLanes(); }

  Result<StoredEvent> Load(EventSeq event) override {
    auto stored = due_reader_.Load(event);
    if (!stored && stored.error().code == ErrorCode::kInvalid) bad_reads_.fetch_add(1, std::memory_order_relaxed);
    return stored;
  }

  Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key) override {
    // Few sinks keep memory; skip a read per delivery.
    if (!has_memory_.load(std::memory_order_acquire)) return std::string();
    return due_reader_.LoadMemory(sink, call_key);
  }

  Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) override {
    return history_.ListEvents(filter, before, limit);
  }
  Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                               std::size_t limit) override {
    return history_.ListDeliveries(filter, before, limit, pending_floor_.load(std::memory_order_acquire));
  }
  Result<EventSummary> FindEvent(EventSeq event) override { return history_.FindEvent(event); }
  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event) override { return history_.DeliveriesOf(event); }
  Result<DeliverySummary> FindDelivery(DeliverySeq delivery) override { return history_.FindDelivery(delivery); }
  Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery) override { return history_.AttemptsOf(delivery); }

  Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> deliveries, WallTime now) override {
    return Change<PendingDelivery>(
        [&](Store& store, auto& revived, auto& damaged) { return store.Revive(deliveries, now, revived, damaged); });
  }
  Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries,
                                                     WallTime now) override {
    return Change<PendingDelivery>(
        [&](Store& store, auto& added, auto&) { return store.AddDeliveries(event, deliveries, now, added); });
  }
  Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> deliveries, const std::string& reason) override {
    return Change<DeliverySeq>([&](Store& store, auto& canceled, auto& damaged) {
      return store.Cancel(deliveries, reason, canceled, damaged);
    });
  }
  Status SavePause(const std::string& sink, const std::optional<Pause>& pause) override {
    return Execute([&](Store& store, auto&) { return store.SavePause(sink, pause); });
  }
  Result<std::vector<Revision>> RevisionsOf(EventSeq event) override { return history_.RevisionsOf(event); }
  Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) override {
    return history_.ListRefused(before, limit);
  }

  JournalStats Stats() override {
    JournalStats stats;
    {
      MutexLock lock(stats_mu_);
      stats = stats_;
    }
    stats.database_file = FileSize(file_);
    stats.log_file = FileSize(file_ + "-wal");
    stats.index_file = FileSize(file_ + "-shm");
    stats.bad_rows += bad_reads_.load(std::memory_order_relaxed);
    stats.passes = passes_.load(std::memory_order_relaxed);
    return stats;
  }

 private:
  struct Batch {
    std::uint64_t number = 0;
    std::vector<AppendRequest> appends;
    std::vector<RefusedRequest> refused;
    std::vector<Command*> commands;
    bool refused_damaged = false;         ///< storing them hit a damaged page
    AppendRequest* unstorable = nullptr;  ///< the event that cannot be stored
    Command* damaged = nullptr;           ///< the command that hit a damaged page
    bool anyone_waits = false;
    std::vector<std::pair<DeliverySeq, DeliverySeq>> recorded;
    std::vector<DeliverySeq> set_aside;
  };

  static Error Closed() { return {ErrorCode::kUnavailable, "the journal is closed"}; }

  /// Returns the number of its batch; empty: the journal is closed, and `done` was called with the error.
  std::optional<std::uint64_t> Enqueue(const NewEvent& event, std::function<void(Result<Accepted>)> done, bool waits) {
    const std::uint64_t sum = SumOf(event.headers, event.body);
    std::optional<std::uint64_t> batch;
    bool wake = false;
    {
      MutexLock lock(mu_);
      if (!ended_) {
        appends_.push_back({.event = &event, .sum = sum, .done = std::move(done)});
        anyone_waits_ = anyone_waits_ || waits;
        batch = gathering_;
        wake = std::exchange(asleep_, false) || (resting_ && appends_.size() == tuning_.events_enough);
      }
    }
    if (wake) work_.NotifyOne();
    if (!batch) done(Closed());
    return batch;
  }

  void AwaitWritten(std::uint64_t batch) {
    MutexLock lock(mu_);
    while (written_ < batch) batch_written_.Wait(mu_);
  }

  /// Has the writer run `change` with its next commit; blocks until that is on disk.
  Status Execute(std::function<Status(Store& store, std::set<DeliverySeq>& damaged)> change) {
    Command command{.run = std::move(change)};
    std::uint64_t batch;
    bool wake;
    {
      MutexLock lock(mu_);
      if (ended_) return Closed();
      commands_.push_back(&command);
      anyone_waits_ = true;
      batch = gathering_;
      wake = std::exchange(asleep_, false);
    }
    if (wake) work_.NotifyOne();
    AwaitWritten(batch);
    if (command.error) return std::move(*command.error);
    return Ok();
  }

  /// The same for a change that returns the rows it changed.
  template <class Row, class Run>
  Result<std::vector<Row>> Change(Run run) {
    std::vector<Row> changed;
    HSW_TRY(Execute([&](Store& store, auto& damaged) {
      changed.clear();
      return run(store, changed, damaged);
    }));
    return changed;
  }

  void Run() {
    NameThread("journal");
    Batch batch;
    bool more = false;  // maintenance continues without waiting for work
    while (Take(batch, more)) {
      const std::size_t count = batch.appends.size();
      under_load_ = count + kept_.size() >= kManyChanges;
      Write(batch);
      more = KeepHouse(count) || (!kept_.empty() && !unwritable_);
      passes_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Waits for work and moves it to `batch`. False when stopping and nothing is left to try.
  bool Take(Batch& batch, bool more) {
    batch.appends.clear();
    batch.refused.clear();
    batch.commands.clear();
    batch.recorded.clear();
    batch.set_aside.clear();
    MutexLock lock(mu_);
    if (appends_.empty() && records_.empty() && commands_.empty() && !stop_ && !more) {
      asleep_ = true;
      work_.WaitUntil(mu_, std::chrono::steady_clock::now() + kTick);
      asleep_ = false;
    }
    if (under_load_) {
      const auto soonest = last_taken_ + tuning_.commit_every;
      resting_ = true;
      while (!stop_ && appends_.size() < tuning_.events_enough && std::chrono::steady_clock::now() < soonest) {
        work_.WaitUntil(mu_, soonest);
      }
      resting_ = false;
    }
    last_taken_ = std::chrono::steady_clock::now();
    const bool idle = appends_.empty() && records_.empty() && commands_.empty() && refused_.empty();
    if (stop_ && idle && (kept_.empty() || (last_try_ && unwritable_))) {
      ended_ = true;
      return false;
    }
    last_try_ = stop_;
    batch.number = gathering_++;
    batch.appends.swap(appends_);
    batch.refused.swap(refused_);
    batch.commands.swap(commands_);
    batch.anyone_waits = std::exchange(anyone_waits_, false);
    for (AttemptRecord& record : records_) kept_.push_back(std::move(record));
    records_.clear();
    return true;
  }

  void Write(Batch& batch) {
    const bool any = !batch.appends.empty() || !kept_.empty() || !batch.refused.empty() || !batch.commands.empty();
    if (unwritable_ && !last_try_ && clock_.Mono() < retry_at_) {
      Answer(batch, *unwritable_);
    } else if (any || unwritable_) {
      // Commit even when idle, so that senders we turned away learn when space is back.
      Commit(batch);
    }
    // A command may make a delivery pending again that a record of the same commit has ended: the scheduler must learn
    // of the end before the command's caller enqueues it again.
    const bool tell_first = !batch.commands.empty();
    if (tell_first) TellRecorded(batch);
    for (AppendRequest& request : batch.appends) TellAppended(request);
    {
      MutexLock lock(mu_);
      written_ = batch.number;
    }
    if (batch.anyone_waits) batch_written_.NotifyAll();
    if (!tell_first) TellRecorded(batch);
  }

  void TellAppended(AppendRequest& request) const {
    if (request.error) return request.done(std::move(*request.error));
    request.accepted.id = EventId(request.accepted_at, salt_, request.accepted.event);
    request.done(std::move(request.accepted));
  }

  void TellRecorded(const Batch& batch) {
    if (batch.recorded.empty() && batch.set_aside.empty()) return;
    Recorded recorded;
    {
      MutexLock lock(mu_);
      recorded = on_recorded_;
    }
    if (!recorded) return;
    for (const auto& [delivery, fallback] : batch.recorded) recorded(delivery, fallback, true);
    for (const DeliverySeq delivery : batch.set_aside) recorded(delivery, 0, false);
  }

  void Commit(Batch& batch) {
    std::size_t records = kRecordsPerCommit;
    for (;;) {
      std::size_t damaged = kept_.size();
      Status written = WriteOnce(batch, records, damaged);
      if (written) {
        is_proven_ = true;
        const bool was_unwritable = std::exchange(unwritable_, std::nullopt).has_value();
        kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(batch.recorded.size()));
        for (const Command* command : batch.commands) CountDamage(*command);
        Publish();
        if (was_unwritable) log::Info("journal_writable_again", {{"file", options_.path}});
        return;
      }
      store_->Rollback();
      batch.recorded.clear();
      if (AppendRequest* request = std::exchange(batch.unstorable, nullptr); request != nullptr) {
        request->is_hopeless = true;
        request->error = Error{written.error().code, "this event cannot be stored: " + written.error().message};
        continue;
      }
      if (std::exchange(batch.refused_damaged, false)) {
        DropRefused(batch, written.error());
        continue;
      }
      if (Command* command = std::exchange(batch.damaged, nullptr); command != nullptr) {
        if (command->is_hopeless) {
          command->error = written.error();
          std::erase(batch.commands, command);
        }
        continue;
      }
      if (damaged != kept_.size()) {
        SetAside(batch, damaged, written.error());
        // Store the records before the damaged one first, or each damaged row of a page would redo them.
        if (damaged != 0) records = damaged;
        continue;
      }
      Fail(batch, written.error());
      return;
    }
  }

  /// Writes the batch and up to `records` waiting records. `damaged`: set to the index of a record that hit a damaged
  /// row.
  Status WriteOnce(Batch& batch, std::size_t records, std::size_t& damaged) {
    if (suspect_) {
      HSW_TRY(store_->Reconnect());
      suspect_ = false;
    }
    HSW_TRY(store_->Begin());
    // Frames left in the log by an earlier process or a failed commit may not be synced, and a duplicate of such an
    // event would be acknowledged without a write: so the first commit always writes, which syncs them.
    if (!is_proven_) HSW_TRY(store_->Probe());
    for (AppendRequest& request : batch.appends) {
      if (request.is_hopeless) continue;
      request.error.reset();
      Status stored =
          store_->Append(*request.event, request.sum, options_.max_backlog, request.accepted, request.accepted_at);
      if (stored) continue;
      if (stored.error().code != ErrorCode::kFull) {
        // Damage where events are appended fails all events, not only this one: /readyz must report it.
        const bool is_its_own = IsAboutTheRow(stored.error()) && stored.error().code != ErrorCode::kInvalid;
        if (is_its_own) batch.unstorable = &request;
        return stored;
      }
      request.error = std::move(stored).error();
    }
    for (std::size_t i = 0; i < kept_.size() && i < records; ++i) {
      DeliverySeq fallback = 0;
      if (Status stored = store_->Record(kept_[i], fallback); !stored) {
        if (IsAboutTheRow(stored.error())) damaged = i;
        return stored;
      }
      batch.recorded.emplace_back(kept_[i].delivery, fallback);
    }
    for (const RefusedRequest& refused : batch.refused) {
      if (Status stored = store_->Refused(refused); !stored) {
        batch.refused_damaged = IsAboutTheRow(stored.error());
        return stored;
      }
    }
    for (Command* command : batch.commands) {
      command->error.reset();
      const std::size_t known = command->damaged.size();
      Status done = command->run(*store_, command->damaged);
      if (done) continue;
      command->is_hopeless = command->damaged.size() == known;
      if (done.error().code != ErrorCode::kNotFound) {
        if (IsAboutTheRow(done.error())) batch.damaged = command;
        return done;
      }
      command->error = std::move(done).error();
    }
    return store_->Commit();
  }

  // Quarantines a record whose row is damaged, so that it does not block the others. Its delivery may be sent again
  // after a restart.
  void SetAside(Batch& batch, std::size_t index, const Error& error) {
    const AttemptRecord& record = kept_[index];
    log::Error("journal_rows_damaged",
               {{"file", options_.path}, {"delivery", DeliveryId(record.delivery)}, {"reason", error.message}});
    bad_reads_.fetch_add(1, std::memory_order_relaxed);
    batch.set_aside.push_back(record.delivery);
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void CountDamage(const Command& command) {
    if (command.damaged.empty()) return;
    const auto rows = static_cast<std::int64_t>(command.damaged.size());
    log::Error("journal_rows_damaged", {{"file", options_.path}, {"rows", rows}});
    bad_reads_.fetch_add(command.damaged.size(), std::memory_order_relaxed);
  }

  // Rejected requests are informational: they must not block deliveries.
  void DropRefused(Batch& batch, const Error& error) {
    bad_reads_.fetch_add(batch.refused.size(), std::memory_order_relaxed);
    batch.refused.clear();
    if (std::exchange(refused_damage_told_, true)) return;
    log::Error("journal_rows_damaged", {{"file", options_.path}, {"table", "refused"}, {"reason", error.message}});
  }

  static void Answer(Batch& batch, const Error& error) {
    for (AppendRequest& request : batch.appends) request.error = error;
    for (Command* command : batch.commands) command->error = error;
  }

  void Fail(Batch& batch, const Error& error) {
    Error answer{ErrorCode::kUnavailable, "journal " + options_.path + " cannot be written: " + error.message};
    if (!unwritable_) log::Error("journal_unwritable", {{"file", options_.path}, {"reason", error.message}});
    Answer(batch, answer);
    {
      MutexLock lock(stats_mu_);
      stats_.unwritable_because = answer.message;
    }
    unwritable_ = std::move(answer);
    suspect_ = true;
    is_proven_ = false;
    failed_now_ = true;
    retry_at_ = clock_.Mono() + kRetryWriting;
  }

  /// Checkpoint and retention. Returns whether there is more to do at once.
  bool KeepHouse(std::size_t appended) {
    if (unwritable_) {
      // A journal that has filled the disk must be able to free space: try retention once after each failed commit.
      if (!std::exchange(failed_now_, false) || last_try_ || !store_->Reconnect()) return false;
    }
    MoveLog();
    const auto bytes = store_->Bytes();
    if (!bytes) return false;
    {
      MutexLock lock(stats_mu_);
      stats_.bytes = *bytes;
    }
    // Remove faster than events are appended, or the size limit could not be kept under load.
    const int chunk = std::max(tuning_.retention_chunk, static_cast<int>(appended) * 2);
    const std::uint64_t events_before = store_->events();
    const auto more = retention_.Step(*store_, clock_, *bytes, chunk);
    if (!more) {
      if (std::exchange(retention_failed_, true)) return false;
      log::Warn("journal_retention_failed", {{"file", options_.path}, {"reason", more.error().message}});
      return false;
    }
    retention_failed_ = false;
    if (store_->events() != events_before) Publish();
    return *more && !unwritable_;
  }

  // The checkpoint thread moves most of the log, the writer only what was appended meanwhile; the next commit then
  // restarts the log.
  void MoveLog() {
    const int frames = store_->log_frames();
    if (frames < tuning_.checkpoint_frames && !unwritable_) return;
    bool now = unwritable_ || !checkpointer_ || frames >= tuning_.max_log_frames;
    if (checkpointer_ && !now) {
      const int moved = checkpointer_->TakeMoved();
      if (moved != 0 && frames - moved <= kShortTail) {
        now = true;
      } else {
        checkpointer_->Ask();
      }
    }
    if (!now) return;
    // During a pass the writer cannot checkpoint, and the log would keep growing: wait for it.
    if (checkpointer_ && frames >= tuning_.max_log_frames) checkpointer_->AwaitPass();
    if (auto moved = store_->MoveLog(); !moved && !unwritable_) {
      log::Warn("journal_checkpoint_failed", {{"file", options_.path}, {"reason", moved.error().message}});
    }
  }

  void Publish() {
    pending_floor_.store(store_->pending_floor(), std::memory_order_release);
    last_delivery_.store(store_->last_delivery(), std::memory_order_release);
    has_memory_.store(store_->has_memory(), std::memory_order_release);
    MutexLock lock(stats_mu_);
    stats_.events = store_->events();
    stats_.pending = store_->pending();
    stats_.full.clear();
    if (options_.max_backlog != 0) stats_.full = store_->SinksWithAtLeast(options_.max_backlog);
    stats_.bad_rows = store_->bad_rows();
    if (!unwritable_) stats_.unwritable_because.clear();
  }

  const SqliteOptions options_;
  const std::string file_;  ///< options_.path, links resolved
  const SqliteTuning tuning_;
  const Clock& clock_;
  JournalLock lock_;

  Mutex mu_;
  CondVar work_;
  bool stop_ GUARDED_BY(mu_) = false;
  bool ended_ GUARDED_BY(mu_) = false;  ///< the writer accepts no more work
  bool asleep_ GUARDED_BY(mu_) = false;
  bool resting_ GUARDED_BY(mu_) = false;  ///< waiting for commit_every while the next batch fills
  std::uint64_t gathering_ GUARDED_BY(mu_) = 1;
  bool anyone_waits_ GUARDED_BY(mu_) = false;  ///< a caller blocks on the batch that is filling
  std::vector<AppendRequest> appends_ GUARDED_BY(mu_);
  std::vector<AttemptRecord> records_ GUARDED_BY(mu_);
  std::vector<RefusedRequest> refused_ GUARDED_BY(mu_);
  std::vector<Command*> commands_ GUARDED_BY(mu_);
  Recorded on_recorded_ GUARDED_BY(mu_);
  std::uint64_t written_ GUARDED_BY(mu_) = 0;  ///< number of the last finished batch
  CondVar batch_written_;

  // Writer thread only.
  std::unique_ptr<Store> store_;
  const std::uint16_t salt_;
  Retention retention_;
  std::deque<AttemptRecord> kept_;  ///< records not stored yet, oldest first
  bool under_load_ = false;
  std::chrono::steady_clock::time_point last_taken_{};
  std::optional<Error> unwritable_;
  MonoTime retry_at_{};
  bool suspect_ = false;     ///< a commit failed: reconnect before the next
  bool is_proven_ = false;   ///< the last commit succeeded
  bool failed_now_ = false;  ///< a commit failed, and retention has not run since
  bool last_try_ = false;
  bool retention_failed_ = false;
  bool refused_damage_told_ = false;
  std::optional<Checkpointer> checkpointer_;

  Reader due_reader_;
  Reader page_reader_;
  HistoryReader history_;
  std::atomic<DeliverySeq> pending_floor_{1};
  std::atomic<DeliverySeq> last_delivery_{0};
  std::atomic<bool> has_memory_{false};
  std::atomic<std::uint64_t> bad_reads_{0};
  std::atomic<std::uint64_t> passes_{0};
  Mutex stats_mu_;
  JournalStats stats_ GUARDED_BY(stats_mu_);
  std::thread writer_;
};

Error CannotOpen(const std::string& path, const Error& error) {
  std::string text = "journal " + path + ": " + error.message;
  if (error.code == ErrorCode::kInvalid) {
    text += "; move the file aside to start with an empty journal (sqlite3's \".recover\" may save what it holds)";
  }
  return {error.code == ErrorCode::kUnsupported ? ErrorCode::kUnsupported : ErrorCode::kUnavailable, std::move(text)};
}

void WarnOfItsPlace(const std::string& path) {
  for (const Exposed& exposed : FindExposed(path)) {
    log::Warn("journal_exposed", {{"path", exposed.path}, {"reason", exposed.reason}});
  }
  if (const std::string_view kind = NetworkFileSystemOf(path); !kind.empty()) {
    log::Warn("journal_on_network_disk",
              {{"file", path},
               {"kind", kind},
               {"reason", "locks and syncs of a network file system may not hold: put journal.path on a local disk"}});
  }
}

}  // namespace

Result<std::unique_ptr<JournalWithHistory>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock,
                                                              const SqliteTuning& tuning) {
  HSW_TRY(MakeFolderFor(options.path));
  auto lock = JournalLock::Take(options.path);
  if (!lock) return std::move(lock).error();
  HSW_TRY(MakeFile(options.path));
  auto store = Store::Open(options.path, tuning.page_size);
  if (!store) return CannotOpen(options.path, store.error());
  WarnOfItsPlace(options.path);
  return std::unique_ptr<JournalWithHistory>(
      std::make_unique<SqliteJournal>(options, clock, tuning, std::move(*lock), std::move(*store)));
}

Result<std::unique_ptr<JournalWithHistory>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock) {
  return OpenSqliteJournal(options, clock, SqliteTuning{});
}

}  // namespace hookswitch
