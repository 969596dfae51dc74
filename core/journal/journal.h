#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/event/outcome.h"

namespace hookswitch {

/// A delivery to be stored with its event.
struct NewDelivery {
  std::string_view sink, rule, template_name;
  /// Over 0: stored as kHeld, due so long after the event was received.
  std::chrono::milliseconds hold{};
  bool newest_only = false;  ///< a later one of its call takes its place (rules[].per_call: latest)
  bool updates = false;      ///< the sink changes in place what it has sent of the event
  bool ends_call = false;    ///< the call has really ended: takes the place of one that is held for that
};

/// An accepted request to be stored. Everything is borrowed until Append returns.
struct NewEvent {
  std::string_view source;
  std::string_view headers;  ///< kept headers, "name: value\n" each; usually empty
  std::string_view body;     ///< raw bytes as received
  Digest dedup{};            ///< of source name and dedup key
  WallTime received_at{};
  // For lists and searches only; the event itself is always read from `body`.
  std::string_view call_id, agent, status;
  std::string_view note;  ///< why it is not a call, or ""
  /// Equal for events of one call (digest of source and call id); orders deliveries. 0: no call, no order.
  std::uint64_t call_key = 0;
  /// A sum of what the event says; equal for equal content. 0: not known.
  std::uint64_t content = 0;
  std::span<const NewDelivery> deliveries;
};

/// A stored event, to be read again by its source.
struct StoredEvent {
  EventSeq seq = 0;
  std::string id;
  std::string source, headers, body;
  WallTime received_at{};
};

/// A delivery that has not ended. What a lane needs to plan it; the event is read when it is due.
struct PendingDelivery {
  DeliverySeq seq = 0;
  EventSeq event = 0;
  std::uint64_t call_key = 0;
  /// With its event, a fallback when the delivery before it ended, a replay when it was asked for: its age counts from
  /// here.
  WallTime accepted_at{};
  WallTime due{};              ///< not before; the epoch means at once
  WallTime first_failed{};     ///< of the failures that count for giving up; the epoch: none
  std::uint32_t attempts = 0;  ///< finished so far
  std::uint32_t step = 0;
  bool is_fallback = false;                     ///< another sink gave it up
  bool is_held = false;                         ///< until `due`, or until a delivery that ends its call takes its place
  bool newest_only = false, ends_call = false;  ///< as in NewDelivery
  bool is_replay = false;                       ///< asked for by the operator, and not tried since
  std::string sink, rule, template_name;
  std::string state;    ///< left by the step before
  std::string story{};  ///< with is_fallback: why another sink gave it up, for people
};

struct Accepted {
  EventSeq event = 0;
  std::string id;                  ///< the event's public id
  bool duplicate = false;          ///< seen before: `event` and `id` are the first one's
  DeliverySeq first_delivery = 0;  ///< deliveries have consecutive numbers in the order given; 0 if none
  /// With `duplicate`: its content is another than the stored one's, whose place it has taken.
  struct Revised {
    std::vector<PendingDelivery> added;  ///< for sinks that were not reached yet, or that change what they sent
    std::vector<DeliverySeq> canceled;   ///< waited, and are not wanted any more
  };
  std::optional<Revised> revised{};
};

enum class DeliveryState : std::uint8_t {
  kPending,
  kHeld,
  kDelivered,
  kDead,
  kCanceled,
  kFellBack,  ///< dead, and its sink's fallback took over
};
std::string_view ToString(DeliveryState state);
/// It has not ended.
inline bool IsOpen(DeliveryState state) {
  return state == DeliveryState::kPending || state == DeliveryState::kHeld;
}

/// Why an attempt was made.
enum class Trigger : std::uint8_t { kFirst, kAutomatic, kManual };
std::string_view ToString(Trigger trigger);

/// One attempt and what becomes of its delivery, stored in one step. Without an attempt (`number` 0) only the delivery
/// changes, because of `outcome.code` and `outcome.reason`.
struct AttemptRecord {
  DeliverySeq delivery = 0;
  EventSeq event = 0;
  std::string sink;  ///< key of `outcome.memory`, with call_key
  std::uint64_t call_key = 0;
  std::uint32_t number = 0;  ///< 1 for the first; 0: no attempt was made
  Trigger trigger = Trigger::kFirst;
  WallTime started_at{};
  std::chrono::milliseconds latency{};
  Outcome outcome;
  DeliveryState state = DeliveryState::kPending;  ///< of the delivery, from now on
  WallTime due{};                                 ///< with kPending: not before
  std::uint32_t step = 0;                         ///< with kPending: the next step to do
  WallTime first_failed{};                        ///< with kPending: as in PendingDelivery
  WallTime lane_due{};  ///< nothing goes to `sink` before; the epoch: the attempt says nothing of that
  /// With kFellBack: stored as a new delivery to this sink in the same step, accepted when the attempt ended; "" for
  /// none.
  std::string fallback_sink;
  std::string fallback_story{};       ///< with fallback_sink: what it tells of this delivery's end
  std::string request{}, response{};  ///< as sent and received: masked, cut; "" if none or not to be kept

  WallTime EndedAt() const { return started_at + latency; }
};

/// The operator's word that nothing goes to a sink.
struct Pause {
  WallTime until{};  ///< the epoch: until he resumes it
  std::string because{};
  bool operator==(const Pause&) const = default;
};

/// A sink that asked to be left alone, or that the operator paused.
struct LaneDue {
  std::string sink;
  WallTime due{};  ///< not before; may be over, the epoch for never asked
  std::optional<Pause> pause{};
};

/// Told about each record once, on the journal's own thread: those that are stored in their order. `fallback` is the
/// number of the new delivery that `fallback_sink` asked for, or 0.
///
/// A record that cannot be written now is kept and tried again. One that meets a damaged row, or is too large for one,
/// never can be: it is set aside (`stored` is false) and the delivery stays as its row says, if that can be read: it
/// may be pending again after a restart.
using Recorded = std::function<void(DeliverySeq delivery, DeliverySeq fallback, bool stored)>;

struct JournalStats {
  std::uint64_t events = 0;   ///< stored now
  std::uint64_t pending = 0;  ///< deliveries that have not ended
  std::uint64_t bytes = 0;    ///< of the database's pages that hold something; retention by size looks at these
  /// Sizes of the files as they are on disk: the database, its write-ahead log, the log's index.
  std::uint64_t database_file = 0, log_file = 0, index_file = 0;
  std::uint64_t bad_rows = 0;      ///< rows set aside as damaged
  std::string unwritable_because;  ///< "" while writing works
  std::vector<std::string> full;   ///< sinks for which `max_backlog` deliveries wait: Append says kFull to more of them
  /// Of the thread that writes, idle ones too, several a second: stands still only while that thread hangs.
  std::uint64_t passes = 0;

  /// Pages that hold something, also those that are in the log only, and that log: may exceed BytesOnDisk.
  std::uint64_t BytesUsed() const { return bytes + log_file; }
  std::uint64_t BytesOnDisk() const { return database_file + log_file + index_file; }
};

/// A request that was refused, for the inspector.
struct RefusedRequest {
  WallTime at{};
  std::string source;  ///< "" if the path belongs to none
  std::string peer;
  int http_status = 0;
  std::string error, detail;
  std::string path{};  ///< what was asked for, cut; "" if it is not known
};

/// Events and their deliveries on stable storage. The store is the queue: what it says is pending will be delivered.
///
/// All functions are safe from any thread and block only where said.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Stores `event` and all its deliveries in one durable step.
  ///
  /// The same dedup digest again succeeds and says so. If its content is the same, or not known, it changes nothing.
  /// Else it is a revision: its body takes the place of the stored one, which is kept beside it (the last 16 of them),
  /// what waits carries it, and `deliveries` are compared with those of the event (Accepted::Revised). Errors:
  /// kUnavailable (not writable now; try later), kFull (`max_backlog` deliveries wait for a sink that it goes to),
  /// kTooLarge (this event never can be stored; others are not held up). Blocks until the commit is on disk, usually
  /// under 5 ms.
  [[nodiscard]] virtual Result<Accepted> Append(const NewEvent& event) = 0;
  /// The same without waiting: `done` is told once what Append would have returned, on a thread of the journal's own or
  /// within this call. It must not block or throw. `event` and what it borrows stay until then.
  virtual void AppendThen(const NewEvent& event, std::function<void(Result<Accepted>)> done) { done(Append(event)); }

  /// Stores `record` with the next commit and returns at once; the callback set by OnRecorded hears of it when it is
  /// durable.
  virtual void Record(AttemptRecord record) = 0;
  /// Set once, before the first Record.
  virtual void OnRecorded(Recorded recorded) = 0;

  /// Keeps a refused request with the next commit (the newest 1000); returns at once and may drop it under load.
  virtual void RecordRefused(RefusedRequest refused) = 0;

  /// Every delivery that has not ended, in the order of DeliverySeq, a page at a time: those after `after`, at most
  /// `limit`.
  [[nodiscard]] virtual Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) = 0;

  /// The newest `lane_due` of each sink that has one, and whether it is paused (History::SavePause).
  [[nodiscard]] virtual Result<std::vector<LaneDue>> LoadLanes() = 0;

  /// Reads a stored event. Errors: kNotFound (retention removed it), kInvalid (the row is damaged), kUnavailable.
  [[nodiscard]] virtual Result<StoredEvent> Load(EventSeq event) = 0;
  /// What an earlier delivery of (sink, call) left, or "".
  [[nodiscard]] virtual Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key) = 0;

  virtual JournalStats Stats() = 0;

  /// Stores what Record was given and leaves the journal such that a copy of its file alone is complete; blocks. To be
  /// called once, when nobody sends any more: what is asked afterwards fails as kUnavailable, and records are dropped.
  virtual void Close() {}
};

struct SqliteOptions {
  std::string path;  ///< its folder is made if missing; files are 0600
  std::chrono::milliseconds retention_age{};
  std::uint64_t retention_size = 0;
  std::uint64_t max_backlog = 0;  ///< deliveries that may wait for one sink; 0: any number
};

class JournalWithHistory;  // core/journal/history.h

/// Opens (or creates and migrates) a journal in one SQLite file. Errors name the file and what to do: kUnsupported
/// (written by a newer hookswitch), kUnavailable (locked by another process, not writable, not a database). `clock`
/// outlives it.
Result<std::unique_ptr<JournalWithHistory>> OpenSqliteJournal(const SqliteOptions& options, const Clock& clock);

}  // namespace hookswitch
