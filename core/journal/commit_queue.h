#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// An event to be stored, and the result for its caller.
struct AppendRequest {
  const NewEvent* event = nullptr;
  std::uint64_t sum = 0;  ///< checksum of headers and body
  std::function<void(Result<Accepted>)> done;
  /// In the first of a list: how many follow, which are stored with it or not at all.
  std::size_t others = 0;
  // Set by the writer.
  Accepted accepted{};
  WallTime accepted_at{};  ///< of the stored event; its id contains it
  std::optional<Error> error{};
  bool is_unstorable = false;  ///< this event can never be stored
};

// History's changes, with their arguments and, last, the rows they changed.
struct ReviveChange {
  std::span<const DeliverySeq> deliveries;
  WallTime now{};
  std::vector<PendingDelivery> revived{};
};
struct AddChange {
  EventSeq event = 0;
  std::span<const NewDelivery> deliveries;
  WallTime now{};
  std::vector<PendingDelivery> added{};
};
struct CancelChange {
  std::span<const DeliverySeq> deliveries;
  std::string_view reason;
  std::vector<DeliverySeq> canceled{};
};
struct PauseChange {
  std::string_view sink;
  const std::optional<Pause>& pause;
};
using Change = std::variant<ReviveChange*, AddChange*, CancelChange*, PauseChange*>;

/// A change whose caller blocks until it is stored.
struct Command {
  Change change;
  // Results. [thread: journal writer, until the batch is complete]
  std::optional<Error> error{};
  std::set<DeliverySeq> damaged{};  ///< rows that it could not read; skipped when it runs again
};

/// What is stored in one transaction. Reused from batch to batch, so that its vectors keep their memory.
struct Batch {
  std::uint64_t number = 0;
  bool is_last_try = false;  ///< the journal is closing: write now, whatever failed before
  bool has_waiter = false;   ///< a caller blocks until the batch is complete
  std::vector<AppendRequest> appends;
  std::deque<AttemptRecord> records;  ///< oldest first; those that the writer leaves here stay for the next batch
  std::vector<RefusedRequest> refused;
  std::vector<OperatorAction> actions;  ///< oldest first; stay for the next batch if nothing can be stored
  std::vector<Command*> commands;
  // Results.
  std::vector<std::pair<DeliverySeq, DeliverySeq>> recorded;  ///< stored records: delivery, and its fallback or 0
  std::vector<DeliverySeq> quarantined;                       ///< deliveries whose records can never be stored
  bool is_unwritable = false;                                 ///< nothing can be stored now
};

/// Where callers and the writer thread of a journal meet. Callers add work; the writer takes all that has gathered,
/// stores it in one transaction, and completes it: a group commit. Knows nothing of how a batch is stored.
class CommitQueue {
 public:
  /// Under load (the last batch held several changes) Take returns at most once per `commit_every`, or as soon as
  /// `events_enough` events wait.
  CommitQueue(std::chrono::milliseconds commit_every, std::size_t events_enough)
      : commit_every_(commit_every), events_enough_(events_enough) {}

  /// Journal::Append; blocks. `sum`: checksum of the event's headers and body. [thread: any but the journal writer]
  Result<Accepted> Append(const NewEvent& event, std::uint64_t sum);
  /// Journal::AppendThen; `done` is called on the writer thread, or within this call once the queue has ended.
  /// [thread: any]
  void AppendThen(const NewEvent& event, std::uint64_t sum, std::function<void(Result<Accepted>)> done);
  /// Journal::AppendAllThen, likewise; `sums` are those of `events`. [thread: any]
  void AppendAllThen(std::span<const NewEvent> events, std::span<const std::uint64_t> sums, AppendedAll done);
  /// Journal::Record. [thread: any]
  void Record(AttemptRecord record);
  /// Journal::OnRecorded. [thread: any]
  void OnRecorded(Recorded recorded);
  /// Journal::RecordRefused. Drops `refused` if 1000 wait. [thread: any]
  void RecordRefused(RefusedRequest refused);
  /// History::RecordAction; blocks. [thread: any but the journal writer]
  void RecordAction(OperatorAction action);
  /// Has the writer make `change` with its next batch, and blocks until that is stored. `change` points to an object of
  /// the caller, which then also holds the changed rows. Errors: those of History's changes; kUnavailable once the
  /// queue has ended. [thread: any but the journal writer]
  Status Execute(Change change);
  /// Lets Take return false once everything is stored or cannot be. [thread: any]
  void Close();

  /// Waits for work, at most `rest`, and moves it to `batch`. `more`: return without waiting for work. False once
  /// closed with nothing left to try: from then on nothing is accepted. [thread: journal writer]
  bool Take(Batch& batch, bool more, std::chrono::milliseconds rest = kTick);
  static constexpr std::chrono::milliseconds kTick{250};
  /// Reports the results in `batch` to everyone who waits for them. [thread: journal writer]
  void Complete(Batch& batch);

 private:
  /// Returns the number of its batch; empty if the queue has ended: then `done` was called with the error.
  std::optional<std::uint64_t> Enqueue(AppendRequest request, bool blocks);
  void AwaitBatch(std::uint64_t number);
  void ReportRecorded(const Batch& batch);
  bool IsIdle() const REQUIRES(mu_);

  const std::chrono::milliseconds commit_every_;
  const std::size_t events_enough_;

  Mutex mu_;
  CondVar work_;
  CondVar batch_completed_;
  bool closing_ GUARDED_BY(mu_) = false;
  bool ended_ GUARDED_BY(mu_) = false;    ///< nothing is accepted any more
  bool asleep_ GUARDED_BY(mu_) = false;   ///< the writer waits for any work
  bool resting_ GUARDED_BY(mu_) = false;  ///< the writer waits for commit_every while the next batch fills
  bool under_load_ GUARDED_BY(mu_) = false;
  std::chrono::steady_clock::time_point last_taken_ GUARDED_BY(mu_){};
  std::uint64_t filling_ GUARDED_BY(mu_) = 1;    ///< number of the batch that is filling
  std::uint64_t completed_ GUARDED_BY(mu_) = 0;  ///< number of the last completed batch
  bool has_waiter_ GUARDED_BY(mu_) = false;      ///< a caller blocks on the batch that is filling
  std::vector<AppendRequest> appends_ GUARDED_BY(mu_);
  std::vector<AttemptRecord> records_ GUARDED_BY(mu_);
  std::vector<RefusedRequest> refused_ GUARDED_BY(mu_);
  std::vector<OperatorAction> actions_ GUARDED_BY(mu_);
  std::vector<Command*> commands_ GUARDED_BY(mu_);
  Recorded on_recorded_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
