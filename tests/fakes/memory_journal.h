#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/change_feed.h"
#include "core/journal/history.h"

namespace hookswitch {

/// A journal in memory, for tests of whatever uses one. It keeps the same contract (tests/contract/journal_contract.h),
/// and can be told to be full, unwritable or to have lost an event.
///
/// Records are stored at once and OnRecorded hears of them inside Record, on the caller's thread, after all locks are
/// released. Safe from any thread.
class MemoryJournal final : public Journal, public History {
 public:
  /// What outlives a journal: give it to the next one to "open it again".
  struct Disk;
  static std::shared_ptr<Disk> MakeDisk();
  explicit MemoryJournal(std::shared_ptr<Disk> disk = MakeDisk(), std::uint64_t max_backlog = 0);

  Result<Accepted> Append(const NewEvent& event) override;
  void AppendAllThen(std::span<const NewEvent> events, AppendedAll done) override;
  void Record(AttemptRecord record) override;
  void OnRecorded(Recorded recorded) override;
  void RecordRefused(RefusedRequest refused) override;
  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) override;
  Result<std::vector<LaneDue>> LoadLanes() override;
  Result<StoredEvent> Load(EventSeq event) override;
  Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key) override;
  JournalStats Stats() override;
  void Close() override;
  History& history() override { return *this; }

  Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) override;
  Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                               std::size_t limit) override;
  Result<EventSummary> FindEvent(EventSeq event) override;
  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event) override;
  Result<DeliverySummary> FindDelivery(DeliverySeq delivery) override;
  Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery) override;
  Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> deliveries, WallTime now) override;
  Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries,
                                                     WallTime now) override;
  Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> deliveries, const std::string& reason) override;
  Status SavePause(const std::string& sink, const std::optional<Pause>& pause) override;
  Result<KeptConfig> LoadConfig(std::int64_t config) override;
  Result<std::vector<Revision>> RevisionsOf(EventSeq event) override;
  Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) override;
  ChangeSet Changes(const ChangeCursor& cursor) override { return feed_.After(cursor); }
  Result<Extent> FindExtent() override;
  void RecordAction(OperatorAction action) override;
  Result<Page<OperatorAction>> ListActions(std::int64_t before, std::size_t limit) override;

  /// With a text, Append fails for this reason and records wait; "" makes it writable and stores what waits.
  void SetUnwritable(std::string reason);
  /// An event or record with a text of more than `bytes` can never be stored from now on.
  void SetMaxSize(std::size_t bytes);
  static constexpr std::size_t kNoLimit = ~std::size_t{0};
  /// Records of `delivery` meet a damaged row from now on and are set aside.
  void DamageDelivery(DeliverySeq delivery);
  /// Load says kInvalid for `event` from now on.
  void Damage(EventSeq event);
  /// Removes `event`, as retention would, but not its deliveries: Load says kNotFound from now on.
  void Forget(EventSeq event);

  /// Every record stored so far, in order.
  std::vector<AttemptRecord> Records() const;
  std::vector<RefusedRequest> Refused() const;
  /// The state of `delivery`, or empty if there is none such.
  std::optional<DeliveryState> StateOf(DeliverySeq delivery) const;

 private:
  struct Told {
    DeliverySeq delivery = 0, fallback = 0;
    bool stored = true;
  };
  Status CheckOpen() const REQUIRES(mu_);
  Status CheckWritable() const REQUIRES(mu_);
  /// Whether `event` can be stored; a duplicate always can.
  Status CheckRoom(const NewEvent& event) const REQUIRES(mu_);
  Accepted Add(const NewEvent& event) REQUIRES(mu_);
  Told Store(const AttemptRecord& record) REQUIRES(mu_);
  void Store(OperatorAction action) REQUIRES(mu_);
  /// Shows History::Changes what was added to `feed_`.
  void Publish() REQUIRES(mu_);
  Accepted::Revised Revise(EventSeq seq, const NewEvent& revised) REQUIRES(mu_);
  DeliverySummary Summary(DeliverySeq delivery) const REQUIRES(mu_);

  mutable Mutex mu_;
  const std::shared_ptr<Disk> disk_;
  std::vector<std::string> Full() const REQUIRES(mu_);

  const std::uint64_t max_backlog_;
  std::string unwritable_reason_ GUARDED_BY(mu_);
  std::size_t max_size_ GUARDED_BY(mu_) = kNoLimit;
  bool closed_ GUARDED_BY(mu_) = false;
  std::vector<AttemptRecord> waiting_ GUARDED_BY(mu_);
  std::vector<OperatorAction> waiting_actions_ GUARDED_BY(mu_);
  ChangeFeed feed_;
  Recorded on_recorded_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
