#include "core/journal/postgres/postgres_journal.h"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <variant>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/thread_name.h"
#include "core/journal/cluster.h"
#include "core/journal/commit_queue.h"
#include "core/journal/postgres/pg_history.h"
#include "core/journal/postgres/pg_retention.h"
#include "core/journal/postgres/pg_writer.h"

namespace hookswitch {
namespace {

/// How often its size is asked for.
constexpr std::chrono::seconds kMeasureEvery{30};
/// How often retention looks for something to do, and how often it looks at the clock.
constexpr std::chrono::seconds kRetainEvery{10};
constexpr std::chrono::milliseconds kLookEvery{250};

/// Callers add to the commit queue; the writer thread stores what has gathered. Reads and retention go through
/// connections of their own. Retention has a thread too: it may wait for locks, and commits must not wait with it.
class PostgresJournal final : public Journal, public Cluster {
 public:
  PostgresJournal(const pg::Place& place, const PostgresOptions& options, const Clock& clock,
                  const PostgresTuning& tuning, std::unique_ptr<pg::Writer> writer)
      : max_backlog_(options.max_backlog),
        clock_(clock),
        queue_(tuning.commit_every, tuning.events_enough),
        writer_(std::move(writer)),
        salt_(writer_->salt()),
        due_reader_(place),
        page_reader_(place),
        background_reader_(place),
        retention_(
            place, [this] { return writer_->lease().fence(); },
            {.age = options.retention_age, .size = options.retention_size, .parts = tuning.parts}, clock),
        history_(place, salt_, queue_, feed_),
        background_history_(place, salt_, queue_, feed_) {
    Publish();
    feed_.Publish(writer_->last_event(), writer_->last_refused());
    thread_ = std::thread([this] { RunWriter(); });
    if (options.retention_age.count() != 0 || options.retention_size != 0) {
      retention_thread_ = std::thread([this] { RunRetention(); });
    }
  }
  ~PostgresJournal() override { Close(); }

  // Threads as Journal says.

  void Close() override {
    if (!thread_.joinable()) return;
    {
      MutexLock lock(retention_mu_);
      closing_ = true;
    }
    retention_wakes_.NotifyAll();
    queue_.Close();
    thread_.join();
    if (retention_thread_.joinable()) retention_thread_.join();
    writer_->lease().GiveUp();
    for (pg::Reader* reader : {&due_reader_, &page_reader_, &background_reader_}) reader->Close();
    history_.Close();
    background_history_.Close();
  }

  Result<Accepted> Append(const NewEvent& event) override { return queue_.Append(event, 0); }
  void AppendThen(const NewEvent& event, std::function<void(Result<Accepted>)> done) override {
    queue_.AppendThen(event, 0, std::move(done));
  }
  void AppendAllThen(std::span<const NewEvent> events, AppendedAll done) override {
    queue_.AppendAllThen(events, std::vector<std::uint64_t>(events.size()), std::move(done));
  }
  void Record(AttemptRecord record) override { queue_.Record(std::move(record)); }
  void OnRecorded(Recorded recorded) override { queue_.OnRecorded(std::move(recorded)); }
  void RecordRefused(RefusedRequest refused) override { queue_.RecordRefused(std::move(refused)); }

  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) override {
    return pg::LoadPending(page_reader_, after, limit);
  }
  Result<std::vector<LaneDue>> LoadLanes() override { return pg::LoadLanes(page_reader_); }
  Result<StoredEvent> Load(EventSeq event) override { return pg::LoadEvent(due_reader_, event, salt_); }
  Result<StoredEvent> LoadInBackground(EventSeq event) override {
    return pg::LoadEvent(background_reader_, event, salt_);
  }
  Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key) override {
    // Few sinks keep memory; skip a read per delivery.
    if (!has_memory_.load(std::memory_order_acquire)) return std::string();
    return pg::LoadMemory(due_reader_, sink, call_key);
  }

  bool OwnsPending() const override { return writer_->lease().IsValid(); }
  Cluster* cluster() override { return this; }
  void Introduce(std::string version, std::string config, std::vector<std::string> sinks) override {
    writer_->lease().Introduce(std::move(version), std::move(config), sinks);
  }
  Result<std::vector<RouterCard>> Routers() override {
    return pg::ListRouters(background_reader_, writer_->lease().fence().router);
  }
  Result<std::vector<std::string>> AskOthersToReload() override {
    return pg::AskOthersToReload(background_reader_, writer_->lease().fence().router);
  }
  void OnOthersChanges(std::function<void(OthersChanges)> follow) override {
    MutexLock lock(follow_mu_);
    follow_ = std::move(follow);
  }

  JournalStats Stats() override {
    MutexLock lock(stats_mu_);
    JournalStats stats = stats_;
    stats.passes = passes_.load(std::memory_order_relaxed);
    return stats;
  }
  History& history() override { return history_; }
  History& background_history() override { return background_history_; }

 private:
  // [thread: journal writer]

  void RunWriter() {
    NameThread("journal");
    Batch batch;
    bool more = false;  // records remain: do not wait for work
    while (queue_.Take(batch, more, writer_->Rest())) {
      const bool was_unwritable = batch.is_unwritable;
      const EventSeq newest = writer_->last_event();
      const bool committed = writer_->Write(batch);
      Publish();
      AddChanges(batch, feed_);
      // Readers know events up to `newest`: of those below it they must be told one by one.
      for (const AppendRequest& request : batch.appends) {
        if (!request.error && !request.accepted.duplicate) AddLate(request.accepted.event, newest);
      }
      if (auto heard = writer_->TakeHeard()) Follow(std::move(*heard), newest);
      TellCanceled(batch);
      feed_.Publish(writer_->last_event(), writer_->last_refused());
      if (committed && was_unwritable) log::Info("journal_writable_again", {{"database", writer_->Description()}});
      queue_.Complete(batch);
      more = !batch.records.empty() && !batch.is_unwritable;
      passes_.fetch_add(1, std::memory_order_relaxed);
      Measure();
    }
  }

  /// Also what was canceled here: the backlog that is being loaded may have it still.
  void TellCanceled(const Batch& batch) {
    for (const Command* command : batch.commands) {
      const auto* cancel = std::get_if<CancelChange*>(&command->change);
      if (cancel == nullptr || command->error || (*cancel)->canceled.empty()) continue;
      MutexLock lock(follow_mu_);
      if (follow_) {
        follow_({.opened = {}, .canceled = (*cancel)->canceled, .revised = {}, .ended_calls = {}, .lanes = {}});
      }
    }
  }

  void AddLate(EventSeq event, EventSeq newest) {
    if (event < newest) feed_.AddRevised(event);
  }

  void Follow(pg::Others::Heard heard, EventSeq newest) {
    for (const auto& delivery : heard.deliveries) feed_.Add(delivery.seq);
    for (const EventSeq event : heard.changes.revised) feed_.AddRevised(event);
    for (const EventSeq event : heard.events) AddLate(event, newest);
    MutexLock lock(follow_mu_);
    if (follow_) follow_(std::move(heard.changes));
  }

  void Publish() {
    writer_->SetRemoved(removed_.load(std::memory_order_relaxed));
    has_memory_.store(writer_->has_memory(), std::memory_order_release);
    MutexLock lock(stats_mu_);
    stats_.events = writer_->events();
    stats_.pending = writer_->pending();
    stats_.bad_rows = writer_->dropped_rows();
    stats_.full.clear();
    if (max_backlog_ != 0) stats_.full = writer_->SinksWithAtLeast(max_backlog_);
    stats_.waiting.clear();
    if (!writer_->lease().IsValid()) {
      const auto& waiting = writer_->PendingBySink();
      stats_.waiting.insert(waiting.begin(), waiting.end());
    }
    stats_.unwritable_reason = writer_->unwritable() ? writer_->unwritable()->message : "";
  }

  void Measure() {
    if (clock_.Mono() < measure_at_) return;
    measure_at_ = clock_.Mono() + kMeasureEvery;
    const auto bytes = writer_->Bytes();
    if (!bytes) return;
    MutexLock lock(stats_mu_);
    stats_.bytes = stats_.database_file = *bytes;
  }

  // [thread: journal retention]

  void RunRetention() {
    NameThread("retention");
    bool more = true, has_failed = false;
    MonoTime next = clock_.Mono();
    while (!AwaitTick(more)) {
      const bool is_ours = writer_->lease().was_taken();
      more = more && is_ours;
      if (!is_ours || (!more && clock_.Mono() < next)) continue;
      const auto done = retention_.Step();
      removed_.store(retention_.removed(), std::memory_order_relaxed);
      if (!done && !std::exchange(has_failed, true)) {
        log::Warn("journal_retention_failed", {{"database", description_}, {"reason", done.error().message}});
      }
      if (done) has_failed = false;
      more = done && *done;
      if (!more) next = clock_.Mono() + kRetainEvery;
    }
  }
  /// Returns at once with `more`. True: the journal closes.
  bool AwaitTick(bool more) {
    MutexLock lock(retention_mu_);
    if (!closing_ && !more) retention_wakes_.WaitUntil(retention_mu_, std::chrono::steady_clock::now() + kLookEvery);
    return closing_;
  }

  const std::uint64_t max_backlog_;
  const Clock& clock_;
  CommitQueue queue_;
  // Until it has ended, of the writer thread alone.
  const std::unique_ptr<pg::Writer> writer_;
  MonoTime measure_at_{};

  const std::uint16_t salt_;
  const std::string description_ = writer_->Description();
  std::atomic<std::uint64_t> removed_{0};  ///< events, by retention
  std::atomic<bool> has_memory_{false};
  std::atomic<std::uint64_t> passes_{0};
  ChangeFeed feed_;
  Mutex follow_mu_;
  std::function<void(OthersChanges)> follow_ GUARDED_BY(follow_mu_);
  Mutex stats_mu_;
  JournalStats stats_ GUARDED_BY(stats_mu_);

  pg::Reader due_reader_;   ///< for deliveries that are due: a long list must not delay them
  pg::Reader page_reader_;  ///< for lists of deliveries and lanes
  pg::Reader background_reader_;
  pg::Retention retention_;  ///< of its thread alone
  Mutex retention_mu_;
  CondVar retention_wakes_;
  bool closing_ GUARDED_BY(retention_mu_) = false;
  pg::PostgresHistory history_;
  pg::PostgresHistory background_history_;
  std::thread thread_, retention_thread_;
};

}  // namespace

bool IsSchemaName(std::string_view schema) {
  constexpr std::size_t kLongest = 63;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz_";
  return !schema.empty() && schema.size() <= kLongest && kLetters.find(schema.front()) != std::string_view::npos &&
         schema.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string_view::npos;
}

Result<std::unique_ptr<Journal>> OpenPostgresJournal(const PostgresOptions& options, const Clock& clock,
                                                     const PostgresTuning& tuning) {
  if (!IsSchemaName(options.schema)) {
    return Error{ErrorCode::kInvalid,
                 "journal.postgres: a schema's name has a to z, 0 to 9 and _, begins with no digit, "
                 "and has at most 63 characters: \"" +
                     options.schema + "\" is none"};
  }
  const pg::Place place{options.url, options.schema, tuning.patience};
  auto writer = pg::Writer::Open(place,
                                 {.router = options.router,
                                  .lease = {.instance = options.instance,
                                            .length = options.lease,
                                            .on_taken = options.on_taken,
                                            .on_reload_asked = options.on_reload_asked,
                                            .on_lost = options.on_lost},
                                  .max_backlog = options.max_backlog,
                                  .max_text = tuning.max_text},
                                 clock);
  if (!writer) {
    const Error& error = writer.error();
    return Error{error.code == ErrorCode::kUnsupported ? ErrorCode::kUnsupported : ErrorCode::kUnavailable,
                 "journal.postgres: " + error.message};
  }
  return std::unique_ptr<Journal>(std::make_unique<PostgresJournal>(place, options, clock, tuning, std::move(*writer)));
}

}  // namespace hookswitch
