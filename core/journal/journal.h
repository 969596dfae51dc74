#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/event/delivery.h"
#include "core/event/outcome.h"
#include "core/event/wait.h"

namespace hookswitch {

/// A delivery to be stored with its event.
struct NewDelivery {
  std::string_view sink, rule, template_name;
  /// If over 0: stored as kHeld, due this long after the event was received.
  std::chrono::milliseconds hold{};
  bool newest_only = false;  ///< a later one of its call supersedes it (rules[].per_call: latest)
  bool updates = false;      ///< the sink updates in place what it sent for the event
  bool ends_call = false;    ///< the call's real end: supersedes a held delivery of the call
};

/// What decided how events were read and routed.
struct KeptConfig {
  Digest hash{};       ///< of `text`; equal for configs that read and route alike
  WallTime since{};    ///< when it came into use
  std::string text{};  ///< core/config/kept_text.h; "" if it is not kept
};

/// An accepted request to be stored. Borrows everything until Append returns or AppendThen calls `done`.
struct NewEvent {
  std::string_view source;
  std::string_view headers;  ///< kept headers, "name: value\n" each; usually empty
  std::string_view body;     ///< raw bytes as received
  Digest dedup{};            ///< of the source's name and the dedup key
  WallTime received_at{};
  // For lists and searches only; the event itself is always read from `body`.
  std::string_view call_id, agent, status;
  std::string_view note;  ///< why it is not a call, or ""
  /// Equal for events of one call (digest of source and call id); orders deliveries. 0: no call, no order.
  std::uint64_t call_key = 0;
  /// Checksum of the event's content; equal for equal content. 0: unknown.
  std::uint64_t content = 0;
  /// By which it was read and routed; nullptr: unknown. Stored with the first event that names its hash, in the same
  /// step.
  const KeptConfig* config = nullptr;
  bool ends_call = false;  ///< the final event of its call, wanted by a rule or not
  /// What later events of the call may lack: its memory for the sink kNoSink (LoadMemory), stored in the same step. ""
  /// leaves it as it is; needs a `call_key`.
  std::string_view carry{};
  std::span<const NewDelivery> deliveries;
};

/// Instead of a sink's name: what the events of a call say together.
inline constexpr std::string_view kNoSink = "";

/// A stored event, as its source must parse it again.
struct StoredEvent {
  EventSeq seq = 0;
  std::string id;
  std::string source, headers, body;
  WallTime received_at{};
  std::int64_t config = 0;  ///< for History::LoadConfig: by which `body` was read and routed; 0: unknown
};

/// A delivery that has not ended: what a lane needs to schedule it. The event is read when the delivery is due.
struct PendingDelivery : DeliveryCore, DeliveryRoute {
  /// Start of its age: acceptance of the event; for a fallback the end of the delivery that fell back, for a replay its
  /// request.
  WallTime accepted_at{};
  WallTime due{};           ///< earliest start; the epoch: at once
  WallTime first_failed{};  ///< start of the failures that count towards give_up_after; the epoch: none
  std::string state{};      ///< from the previous step
  std::string story{};      ///< with is_fallback: why the first delivery failed, for people
};

/// A new delivery as a lane schedules it.
PendingDelivery MakePending(const NewDelivery& delivery, DeliverySeq seq, EventSeq event, std::uint64_t call_key,
                            WallTime accepted_at);

struct Accepted {
  EventSeq event = 0;
  std::string id;                  ///< the event's public id
  bool duplicate = false;          ///< seen before: `event` and `id` are those of the stored event
  DeliverySeq first_delivery = 0;  ///< deliveries have consecutive numbers in the order given; 0 if none
  /// With `duplicate`: the content differs, and has replaced the stored content.
  struct Revised {
    std::vector<PendingDelivery> added;  ///< for sinks without a delivery yet, or that update what they sent
    std::vector<DeliverySeq> canceled;   ///< were waiting, and are no longer wanted
  };
  std::optional<Revised> revised{};
};

/// Called once with the results of a list of events, in its order.
using AppendedAll = std::function<void(Result<std::vector<Accepted>>)>;

/// The deliveries that Append has stored with `event`, which is new.
std::vector<PendingDelivery> StoredDeliveries(const NewEvent& event, const Accepted& accepted);

enum class DeliveryState : std::uint8_t {
  kPending,
  kHeld,
  kDelivered,
  kDead,
  kCanceled,
  kFellBack,  ///< dead; the sink's fallback has taken over
};
std::string_view ToString(DeliveryState state);
/// Whether the delivery has not ended.
inline bool IsOpen(DeliveryState state) {
  return state == DeliveryState::kPending || state == DeliveryState::kHeld;
}

/// Why an attempt was made.
enum class Trigger : std::uint8_t { kFirst, kAutomatic, kManual };
std::string_view ToString(Trigger trigger);

/// One attempt and the resulting state of its delivery, stored in one step. Without an attempt (`number` 0) only the
/// delivery changes; `outcome.code` and `outcome.reason` say why.
struct AttemptRecord {
  DeliverySeq delivery = 0;
  EventSeq event = 0;
  std::string sink;  ///< key of `outcome.memory`, with call_key
  std::uint64_t call_key = 0;
  std::uint32_t number = 0;  ///< 1 for the first; 0: no attempt was made
  Trigger trigger = Trigger::kFirst;
  WallTime started_at{};
  std::chrono::milliseconds latency{};
  Outcome outcome{};
  DeliveryState state = DeliveryState::kPending;  ///< new state of the delivery
  WallTime due{};                                 ///< with kPending: earliest next attempt
  std::uint32_t step = 0;                         ///< with kPending: the next step
  WallTime first_failed{};                        ///< with kPending: as in PendingDelivery
  WallTime lane_due{};                            ///< `sink` asked for a pause until then; the epoch: it did not
  /// With kFellBack: the same step stores a new delivery to this sink, accepted at EndedAt(); "" for none.
  std::string fallback_sink{};
  std::string fallback_story{};       ///< with fallback_sink: text about this delivery's failure
  std::string request{}, response{};  ///< masked and cut; "" if none or not kept
  Waits waits{};                      ///< before this attempt, since the one before or the acceptance
  /// From the start of its HTTP exchange (see HttpResult); empty: unknown, or none was made.
  std::optional<std::chrono::milliseconds> connect{}, first_byte{};

  WallTime EndedAt() const { return started_at + latency; }
};

/// The operator's pause of a sink.
struct Pause {
  WallTime until{};  ///< the epoch: until resumed
  std::string because{};
  bool operator==(const Pause&) const = default;
};

/// A sink that asked for a pause (Retry-After), or that the operator paused.
struct LaneDue {
  std::string sink;
  WallTime due{};  ///< end of the pause the sink asked for; may be past; the epoch: none
  std::optional<Pause> pause{};
};

/// Called once per record, on the journal's thread; for stored records in order. `fallback`: the new delivery for
/// `fallback_sink`, or 0.
///
/// A record that cannot be written now is retried. One that can never be written (its row is damaged, or it is too
/// large) is dropped with `stored` false; the delivery keeps the state in its row and may be pending again after a
/// restart.
using Recorded = std::function<void(DeliverySeq delivery, DeliverySeq fallback, bool stored)>;

struct JournalStats {
  std::uint64_t events = 0;                        ///< stored events
  std::uint64_t pending = 0;                       ///< deliveries that have not ended
  std::map<std::string, std::uint64_t> waiting{};  ///< likewise, by sink, while another router delivers them
  std::uint64_t bytes = 0;                         ///< of database pages in use; retention by size is based on this
  /// File sizes on disk: the database, its write-ahead log, the log's index.
  std::uint64_t database_file = 0, log_file = 0, index_file = 0;
  std::uint64_t bad_rows = 0;     ///< damaged rows found
  std::string unwritable_reason;  ///< "" while writing works
  std::vector<std::string> full;  ///< sinks with `max_backlog` pending deliveries: Append returns kFull for more
  /// Heartbeat: passes of the writer thread, several per second even when idle.
  std::uint64_t passes = 0;

  /// Pages in use (including those only in the log) plus the log; may exceed BytesOnDisk.
  std::uint64_t BytesUsed() const { return bytes + log_file; }
  std::uint64_t BytesOnDisk() const { return database_file + log_file + index_file; }
};

/// What other routers that share the journal have done to deliveries.
struct OthersChanges {
  std::vector<PendingDelivery> opened;  ///< new, or pending again
  std::vector<DeliverySeq> canceled;
  std::vector<EventSeq> revised;                                ///< events with new content
  std::vector<std::pair<std::uint64_t, EventSeq>> ended_calls;  ///< call_key, and the call's final event
  std::vector<LaneDue> lanes;                                   ///< those that were paused or (no `pause`) resumed
};

/// A rejected request, for the inspector.
struct RefusedRequest {
  WallTime at{};
  std::string source;  ///< "" if the path belongs to no source
  std::string peer;
  int http_status = 0;
  std::string error, detail;
  std::string path{};       ///< requested path, cut; "" if unknown
  std::int64_t number = 0;  ///< in lists: rises from one to the next
};

/// What an operator did.
struct OperatorAction {
  WallTime at{};
  std::string who;             ///< name of the token or the local user; "" for neither
  std::string peer;            ///< address; "" if it was no request
  std::string action, target;  ///< "pause", "sinks/ops"
  std::string detail{};        ///< the JSON that was sent with it, or ""
  int http_status = 0;         ///< 0: it was no request
  std::string result{};        ///< JSON: what came of it, or ""
  std::int64_t number = 0;     ///< in lists: rises from one to the next
};

class History;  // core/journal/history.h
class Cluster;  // core/journal/cluster.h

/// Events and their deliveries on stable storage. The store is the queue: every delivery pending in it gets scheduled.
///
/// Functions block only where stated. Every function: [thread: any], unless it says otherwise.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Stores `event` and all its deliveries in one durable step.
  ///
  /// A known dedup digest succeeds with `duplicate`. If the content is equal or unknown, nothing changes. Otherwise it
  /// is a revision: the new body replaces the stored one (the last 16 are kept), waiting deliveries send the new one,
  /// held ones no longer wait if it `ends_call`, and `deliveries` are compared with those of the event
  /// (Accepted::Revised). Errors: kUnavailable (not writable now;
  /// try later), kFull (`max_backlog` deliveries are pending for one of its sinks), kTooLarge (this event can never be
  /// stored). Blocks until the commit is on disk, usually under 5 ms.
  [[nodiscard]] virtual Result<Accepted> Append(const NewEvent& event) = 0;
  /// Append without blocking: calls `done` exactly once with Append's result, on the journal's thread or within this
  /// call. `done` must not block or throw. `event` and everything it borrows must stay valid until then.
  virtual void AppendThen(const NewEvent& event, std::function<void(Result<Accepted>)> done) { done(Append(event)); }
  /// AppendThen for the events of one request, which may die with this call, unlike what each borrows: all of them are
  /// stored in one durable step, or none is. `done` gets a
  /// result per event, in order, or the error of the first one that cannot be stored. Each is Append's: an event that
  /// comes twice in the list is a duplicate, or a revision, of itself. kFull only if a sink was full before: a list may
  /// go over `max_backlog`, or one longer than that would never be taken.
  virtual void AppendAllThen(std::span<const NewEvent> events, AppendedAll done) = 0;

  /// Stores `record` with the next commit and returns at once; when it is durable, the OnRecorded callback runs.
  virtual void Record(AttemptRecord record) = 0;
  /// Sets the callback; call once, before the first Record.
  virtual void OnRecorded(Recorded recorded) = 0;

  /// Stores a rejected request (the newest 1000 are kept) with the next commit; returns at once, may drop it under
  /// load.
  virtual void RecordRefused(RefusedRequest refused) = 0;

  /// Deliveries that have not ended, in DeliverySeq order: at most `limit` after `after`. Blocks.
  [[nodiscard]] virtual Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) = 0;

  /// The latest `lane_due` and pause (History::SavePause) of each sink that has one. Blocks.
  [[nodiscard]] virtual Result<std::vector<LaneDue>> LoadLanes() = 0;

  /// Reads a stored event; blocks. Errors: kNotFound (removed by retention), kInvalid (the row is damaged),
  /// kUnavailable.
  [[nodiscard]] virtual Result<StoredEvent> Load(EventSeq event) = 0;
  /// The memory left by an earlier delivery of (sink, call), or by an earlier event of the call (kNoSink); "" for none.
  /// Blocks.
  [[nodiscard]] virtual Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key) = 0;

  /// Whether what is pending is this process's to deliver. False, for a while or for good, where several routers share
  /// a journal: then nothing may be started. Costs a clock.
  virtual bool OwnsPending() const { return true; }
  /// Sets who is told of what other routers have stored; {}: nobody any more, and no call is under way on return.
  /// `follow` is called on the journal's thread, before the callbacks of any later event of this router, and must not
  /// block. All that was stored before a call of LoadPending is in its result, or is told after it, or both.
  virtual void OnOthersChanges(std::function<void(OthersChanges)> /*follow*/) {}

  /// Those that share the journal; nullptr if it cannot be shared. Valid as long as the journal.
  virtual Cluster* cluster() { return nullptr; }

  virtual JournalStats Stats() = 0;

  /// Stores pending records and moves the log into the database file, so that a copy of that file alone is complete;
  /// blocks. Call once, after the last sender has stopped: later calls fail as kUnavailable, later records are dropped.
  /// [thread: control]
  virtual void Close() {}

  /// The same events and deliveries, for operators. Valid as long as the journal.
  virtual History& history() = 0;

  // history and Load on connections of their own, for one thread of low priority: nobody waits for it.
  virtual History& background_history() { return history(); }
  [[nodiscard]] virtual Result<StoredEvent> LoadInBackground(EventSeq event) { return Load(event); }
};

}  // namespace hookswitch
