#include "core/journal/sqlite_journal.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/thread_name.h"
#include "core/journal/batch_writer.h"
#include "core/journal/change_feed.h"
#include "core/journal/checkpointer.h"
#include "core/journal/commit_queue.h"
#include "core/journal/journal_files.h"
#include "core/journal/reader.h"
#include "core/journal/retention.h"
#include "core/journal/sqlite_history.h"
#include "core/journal/store.h"

namespace hookswitch {
namespace {

// The writer itself checkpoints a tail this short: only then can the log restart.
constexpr int kShortTail = 500;

/// Callers add to the commit queue; the writer thread stores what has gathered, and does maintenance after each batch.
/// Reads go through connections of their own.
class SqliteJournal final : public Journal {
 public:
  SqliteJournal(const SqliteOptions& options, const Clock& clock, const SqliteTuning& tuning, JournalLock lock,
                std::unique_ptr<Store> store)
      : options_(options),
        file_(RealPath(options.path)),
        tuning_(tuning),
        lock_(std::move(lock)),
        queue_(tuning.commit_every, tuning.events_enough),
        store_(std::move(store)),
        batch_writer_(options.path, options.max_backlog, *store_, clock),
        retention_(*store_, clock, options.retention_age, options.retention_size),
        due_reader_(options.path, store_->salt()),
        page_reader_(options.path, store_->salt()),
        background_reader_(options.path, store_->salt()),
        history_(options.path, store_->salt(), queue_, feed_, pending_floor_),
        background_history_(options.path, store_->salt(), queue_, feed_, pending_floor_) {
    if (tuning.checkpoint_thread) checkpointer_.emplace(options.path);
    Publish();
    PublishChanges({});
    writer_ = std::thread([this] { RunWriter(); });
  }

  ~SqliteJournal() override { Close(); }

  // Threads as Journal says.

  void Close() override {
    if (!writer_.joinable()) return;
    queue_.Close();
    writer_.join();
    // The last connection to close removes the log, so that the file alone is complete.
    checkpointer_.reset();
    due_reader_.Close();
    page_reader_.Close();
    background_reader_.Close();
    history_.Close();
    background_history_.Close();
    retention_.ReleaseStatements();
    if (const Status closed = store_->Close(); !closed) {
      log::Warn("journal_checkpoint_failed", {{"file", options_.path}, {"reason", closed.error().message}});
    }
  }

  Result<Accepted> Append(const NewEvent& event) override {
    return queue_.Append(event, SumOf(event.headers, event.body));
  }

  void AppendThen(const NewEvent& event, std::function<void(Result<Accepted>)> done) override {
    queue_.AppendThen(event, SumOf(event.headers, event.body), std::move(done));
  }
  void AppendAllThen(std::span<const NewEvent> events, AppendedAll done) override {
    std::vector<std::uint64_t> sums;
    sums.reserve(events.size());
    for (const NewEvent& event : events) sums.push_back(SumOf(event.headers, event.body));
    queue_.AppendAllThen(events, sums, std::move(done));
  }

  void Record(AttemptRecord record) override { queue_.Record(std::move(record)); }
  void OnRecorded(Recorded recorded) override { queue_.OnRecorded(std::move(recorded)); }
  void RecordRefused(RefusedRequest refused) override { queue_.RecordRefused(std::move(refused)); }

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

  JournalStats Stats() override {
    JournalStats stats;
    {
      MutexLock lock(stats_mu_);
      stats = stats_;
    }
    stats.database_file = FileSize(file_);
    stats.log_file = FileSize(file_ + "-wal");
    stats.index_file = FileSize(file_ + "-shm");
    stats.bad_rows += batch_writer_.bad_rows() + bad_reads_.load(std::memory_order_relaxed);
    stats.passes = passes_.load(std::memory_order_relaxed);
    return stats;
  }

  History& history() override { return history_; }
  History& background_history() override { return background_history_; }
  // What is found damaged here was counted, or will be, by whoever needs it.
  Result<StoredEvent> LoadInBackground(EventSeq event) override { return background_reader_.Load(event); }

 private:
  // [thread: journal writer]

  void RunWriter() {
    NameThread("journal");
    Batch batch;
    bool more = false;  // maintenance or records remain: do not wait for work
    while (queue_.Take(batch, more)) {
      const bool was_unwritable = batch.is_unwritable;
      const bool committed = batch_writer_.Write(batch);
      if (committed) {
        Publish();
        PublishChanges(batch);
      } else {
        PublishUnwritable();
      }
      if (committed && was_unwritable) log::Info("journal_writable_again", {{"file", options_.path}});
      queue_.Complete(batch);
      more = RunMaintenance(batch) || (!batch.records.empty() && !batch.is_unwritable);
      passes_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Checkpoint and retention. Returns whether there is more to do at once.
  bool RunMaintenance(const Batch& batch) {
    if (!batch_writer_.PrepareMaintenance(batch)) return false;
    Checkpoint(batch.is_unwritable);
    const auto bytes = store_->Bytes();
    if (!bytes) return false;
    {
      MutexLock lock(stats_mu_);
      stats_.bytes = *bytes;
    }
    // Remove faster than events are appended, or the size limit could not be kept under load.
    const int chunk = std::max(tuning_.retention_chunk, static_cast<int>(batch.appends.size()) * 2);
    const std::uint64_t events_before = store_->events();
    const auto more = retention_.Step(*bytes, chunk);
    if (!more) {
      if (std::exchange(retention_failed_, true)) return false;
      log::Warn("journal_retention_failed", {{"file", options_.path}, {"reason", more.error().message}});
      return false;
    }
    retention_failed_ = false;
    if (store_->events() != events_before) Publish();
    return *more && !batch.is_unwritable;
  }

  // The checkpointer's thread does most of the log, the writer only what was appended meanwhile; the next commit then
  // restarts the log.
  void Checkpoint(bool is_unwritable) {
    const int frames = store_->log_frames();
    if (frames < tuning_.checkpoint_frames && !is_unwritable) return;
    bool now = is_unwritable || !checkpointer_ || frames >= tuning_.max_log_frames;
    if (checkpointer_ && !now) {
      const int checkpointed = checkpointer_->TakeCheckpointed();
      if (checkpointed != 0 && frames - checkpointed <= kShortTail) {
        now = true;
      } else {
        checkpointer_->RequestPass();
      }
    }
    if (!now) return;
    // During a pass the writer cannot checkpoint, and the log would keep growing: wait for it.
    if (checkpointer_ && frames >= tuning_.max_log_frames) checkpointer_->AwaitPass();
    if (auto done = store_->Checkpoint(); !done && !is_unwritable) {
      log::Warn("journal_checkpoint_failed", {{"file", options_.path}, {"reason", done.error().message}});
    }
  }

  /// Shows callers what the store holds now.
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
    if (!batch_writer_.unwritable()) stats_.unwritable_reason.clear();
  }

  /// Shows History::Changes what `batch` has changed.
  void PublishChanges(const Batch& batch) {
    AddChanges(batch, feed_);
    feed_.Publish(store_->last_event(), store_->last_refused());
  }

  void PublishUnwritable() {
    if (!batch_writer_.unwritable()) return;
    MutexLock lock(stats_mu_);
    stats_.unwritable_reason = batch_writer_.unwritable()->message;
  }

  const SqliteOptions options_;
  const std::string file_;  ///< options_.path, links resolved
  const SqliteTuning tuning_;
  JournalLock lock_;

  CommitQueue queue_;
  // Until it has ended, of the writer thread alone.
  const std::unique_ptr<Store> store_;
  BatchWriter batch_writer_;
  Retention retention_;
  bool retention_failed_ = false;
  std::optional<Checkpointer> checkpointer_;

  // Written by Publish.
  std::atomic<DeliverySeq> pending_floor_{1};
  std::atomic<DeliverySeq> last_delivery_{0};
  std::atomic<bool> has_memory_{false};
  std::atomic<std::uint64_t> bad_reads_{0};  ///< events that Load found damaged
  std::atomic<std::uint64_t> passes_{0};
  ChangeFeed feed_;
  Mutex stats_mu_;
  JournalStats stats_ GUARDED_BY(stats_mu_);

  Reader due_reader_;   ///< for deliveries that are due: a long list must not delay them
  Reader page_reader_;  ///< for lists of deliveries and lanes
  Reader background_reader_;
  SqliteHistory history_;
  SqliteHistory background_history_;
  std::thread writer_;
};

Error CannotOpen(const std::string& path, const Error& error) {
  std::string text = "journal " + path + ": " + error.message;
  if (error.code == ErrorCode::kInvalid) {
    text += "; move the file aside to start with an empty journal (sqlite3's \".recover\" may save what it holds)";
  }
  return {error.code == ErrorCode::kUnsupported ? ErrorCode::kUnsupported : ErrorCode::kUnavailable, std::move(text)};
}

void WarnAboutLocation(const std::string& path) {
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

Result<std::unique_ptr<Journal>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock,
                                                   const SqliteTuning& tuning) {
  HSW_TRY(MakeFolderFor(options.path));
  auto lock = JournalLock::Take(options.path);
  if (!lock) return std::move(lock).error();
  HSW_TRY(MakeFile(options.path));
  auto store = Store::Open(options.path, tuning.page_size);
  if (!store) return CannotOpen(options.path, store.error());
  WarnAboutLocation(options.path);
  return std::unique_ptr<Journal>(
      std::make_unique<SqliteJournal>(options, clock, tuning, std::move(*lock), std::move(*store)));
}

}  // namespace hookswitch
