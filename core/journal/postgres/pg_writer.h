#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/journal/commit_queue.h"
#include "core/journal/indexes.h"
#include "core/journal/postgres/pg_connection.h"
#include "core/journal/postgres/pg_lease.h"
#include "core/journal/postgres/pg_numbers.h"
#include "core/journal/postgres/pg_others.h"
#include "core/journal/postgres/pg_rows.h"

namespace hookswitch::pg {

struct WriterOptions {
  std::string router;                             ///< this router's name; one process at a time has it
  Lease::Terms lease{};                           ///< of what is pending; `router` is set by the writer
  std::uint64_t max_backlog = 0;                  ///< pending deliveries per sink; 0: no limit
  std::size_t max_text = std::size_t{256} << 20;  ///< the longest text that is stored
};

/// Writes batches, each in one transaction whose statements go out together: one round trip finds out which events are
/// known, one stores everything. Every function: [thread: journal writer], unless it says otherwise.
///
/// Each transaction begins with a row that has its number and a token of its own (table `batch`), so that after a lost
/// connection it is asked, not guessed, whether the last one was stored: then its records are not stored twice, and
/// what else it did is heard like news of another router, for a sender may have been told elsewhere that its event is
/// known. Its successor has the same number: only one of them can be stored, and it waits for one that the server is
/// still busy with.
class Writer {
 public:
  /// Connects, brings the tables up to date, takes the router's name, asks for the lease and loads what has not ended.
  /// [thread: control]
  static Result<std::unique_ptr<Writer>> Open(const Place& place, const WriterOptions& options, const Clock& clock);

  /// Writes `batch` and sets its results. True if everything that could be was committed. Also asks what other routers
  /// have stored: in the same transaction, so that what was answered before is heard before; by itself if there is none
  /// and kAskEvery has passed.
  bool Write(Batch& batch);
  /// What the last Write has heard of other routers; empty if nothing.
  std::optional<Others::Heard> TakeHeard() { return std::exchange(heard_, std::nullopt); }
  /// How long Write may wait for work.
  std::chrono::milliseconds Rest() const;
  /// Why nothing can be stored now; empty while writing works.
  const std::optional<Error>& unwritable() const { return unwritable_; }

  /// [thread: any]
  Lease& lease() const { return *lease_; }
  std::uint16_t salt() const { return salt_; }
  std::uint64_t events() const { return events_ - std::min(events_, removed_ - removed_before_); }
  /// How many events retention has removed, of all routers and ever (counter.removed).
  void SetRemoved(std::uint64_t removed) { removed_ = std::max(removed_, removed); }
  std::uint64_t pending() const { return pending_.size(); }
  std::vector<std::string> SinksWithAtLeast(std::uint64_t pending) const { return pending_.WithAtLeast(pending); }
  const PendingSet::Counts& PendingBySink() const { return pending_.counts(); }
  bool has_memory() const { return has_memory_; }
  EventSeq last_event() const { return last_event_; }
  std::int64_t last_refused() const { return last_refused_; }
  std::string Description() const { return description_; }
  /// Bytes of the schema's tables and indexes.
  Result<std::uint64_t> Bytes();
  std::uint64_t dropped_rows() const { return dropped_rows_; }

 private:
  /// What is stored together: all of a batch, or the one part of it that may be to blame.
  struct Part {
    std::span<AppendRequest> appends;
    std::size_t first_record = 0, records = 0;
    bool has_rest = false;  ///< rejected requests and actions
    std::span<Command*> commands;
  };
  /// Most that a part can need.
  struct Need {
    std::int64_t events = 0, deliveries = 0;
  };
  struct Known {
    EventSeq event = 0;
    WallTime received_at{};
    std::uint64_t content = 0;
  };
  struct Stored {
    DeliverySeq seq = 0;
    std::string sink;
    DeliveryState state{};
  };
  /// A transaction of which is unknown whether it was stored.
  struct Doubt {
    std::int64_t batch = 0, token = 0;
    std::vector<std::pair<DeliverySeq, DeliverySeq>> recorded;  ///< of the first records that wait, if it was
    std::size_t actions = 0;
  };

  Writer(Place place, WriterOptions options, const Clock& clock)
      : place_(std::move(place)), options_(std::move(options)), clock_(clock) {}

  Status Connect();
  Status Use(std::unique_ptr<Connection> connection);
  Status Load();
  Status LoadOpen();
  Status Register();
  Status LoadNumber();
  Status ResolveDoubt(Batch& batch);
  Status Listen();
  bool Commit(Batch& batch);
  /// The parts of `whole`, each of which is stored or not at all; empty if there is only one.
  static std::vector<Part> PiecesOf(const Batch& batch, const Part& whole);
  void RefuseTooLarge(Batch& batch);
  Status TryPart(Batch& batch, const Part& part);
  Status StorePart(Batch& batch, const Part& part, const Need& need);
  void Blame(Batch& batch, const Part& part, const Error& error);
  void EndStuck();
  static Need NeedOf(const Batch& batch, const Part& part);
  void AskForNumbers(const Need& need);
  Status CheckNumbers();
  void ForgetRemoved();
  Status ReserveDeliveries(std::size_t count);
  void SetUnwritable(Error error);

  // Within a transaction. What these ask for is sent with the next Flush.
  void FindKnown(std::span<AppendRequest> appends);
  Status AppendAll(std::span<AppendRequest> appends);
  Status Append(AppendRequest& request);
  Status CheckBacklog(const NewEvent& event) const;
  Result<std::int64_t> NumberOf(const KeptConfig* config, EventSeq event);
  Status Revise(EventSeq event, const NewEvent& revised, Accepted::Revised& changes);
  Result<std::vector<Stored>> DeliveriesOf(EventSeq event);
  Result<PendingDelivery> AddDelivery(EventSeq event, std::uint64_t call_key, WallTime accepted,
                                      const NewDelivery& delivery, std::int64_t flags);
  void KeepMemory(std::string_view sink, std::uint64_t call_key, EventSeq event, std::string_view text);
  Status RecordAll(Batch& batch, const Part& part);
  void RecordRest(const Batch& batch);
  void RemoveOld(std::string_view table, std::int64_t kept);
  Status RunCommand(Command& command);
  Status Run(ReviveChange& change);
  Status Run(AddChange& change);
  Status Run(CancelChange& change);
  Status Run(PauseChange& change);
  void Ask(std::string_view sql, const Params& params, std::function<void(const Answer&)> then = {});
  void SendRows();
  void SendNews();
  Status Flush();

  const Place place_;
  const WriterOptions options_;
  const Clock& clock_;
  std::int64_t token_ = 0;  ///< tells the transaction under way from any other

  std::unique_ptr<Lease> lease_;
  std::future<Result<std::unique_ptr<Connection>>> opening_;
  std::unique_ptr<Connection> connection_;
  std::string description_;
  std::optional<Error> unwritable_;
  MonoTime retry_at_{};
  std::vector<Doubt> doubts_;  ///< of one number, of which at most one was stored

  std::int64_t router_ = 0;
  std::uint16_t salt_ = 0;
  std::int64_t batch_ = 1;  ///< number of the next transaction
  std::int64_t part_ = 0;   ///< the highest partition that is known to exist
  PendingSet pending_;
  std::uint64_t events_ = 0;  ///< those found at the start, and ours since
  std::uint64_t removed_ = 0, removed_before_ = 0;
  std::uint64_t dropped_rows_ = 0;
  EventSeq last_event_ = 0;
  std::int64_t last_refused_ = 0;
  bool has_memory_ = false;
  std::map<Digest, std::int64_t> configs_;
  std::optional<Others> others_;  ///< set by Open
  std::chrono::steady_clock::time_point ask_others_at_{};
  bool heard_lately_ = false;
  std::optional<Others::Heard> heard_;
  std::set<DeliverySeq> told_otherwise_;  ///< fallbacks in news of our own, which are told with their records

  // Of the transaction under way.
  std::map<Digest, Known> known_;
  std::set<std::pair<std::int64_t, std::int64_t>> config_uses_;  ///< partition and config
  std::set<std::int64_t> kept_configs_;
  std::vector<std::int64_t> asked_configs_;
  std::vector<std::string> removed_digests_;  ///< of events that retention has removed
  TakenNumbers event_numbers_, delivery_numbers_;
  std::optional<std::int64_t> move_to_;  ///< the partition that numbers must be taken of
  News news_;
  std::vector<std::function<void(const Answer&)>> answers_;
  Rows event_rows_, dedup_rows_, delivery_rows_, more_rows_;
  std::map<std::pair<std::string, std::uint64_t>, std::pair<EventSeq, std::string>> memory_;
  std::map<Digest, std::int64_t> new_configs_;
  std::vector<std::pair<DeliverySeq, DeliverySeq>> recorded_;
  bool sent_commit_ = false;
};

}  // namespace hookswitch::pg
