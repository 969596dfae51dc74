#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/event/call_event.h"
#include "core/event/outcome.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Matches a rule's `agent` against the label stored with an event (CallEvent::AgentLabel).
struct AgentFilter {
  std::string glob{};                 ///< "": any
  std::vector<std::string> labels{};  ///< also match these labels: other names under which the agents are stored
};

/// Event filter; empty fields match everything, all conditions must hold.
struct EventFilter {
  std::string source{}, call_id{};
  AgentFilter agent{};
  StatusSet statuses = 0;                    ///< any of these; 0: all events
  std::string text{};                        ///< substring of the raw body, bytewise
  std::optional<WallTime> since{}, until{};  ///< received, inclusive and exclusive
};

/// An event in a list.
struct EventSummary {
  EventSeq seq = 0;
  std::string id;
  WallTime received_at{};
  std::string source, call_id, agent, status;
  std::string note;              ///< why it is not a call, or ""
  std::uint32_t deliveries = 0;  ///< created on acceptance; without replays and fallbacks
  std::uint32_t revisions = 0;   ///< how often later content has replaced it
  std::int64_t config = 0;       ///< as in StoredEvent
};

struct DeliveryFilter {
  std::vector<DeliveryState> states{};  ///< any of these; empty: all
  std::string sink{}, rule{};
  AgentFilter agent{};  ///< this and the following: of its event
  StatusSet statuses = 0;
  std::string call_id{}, source{};
  std::optional<WallTime> since{}, until{};  ///< accepted, inclusive and exclusive
  EventSeq event = 0;                        ///< 0: any
  /// Sinks whose lanes are blocked: their pending deliveries count as kHeld.
  std::vector<std::string> held_sinks{};
};

/// A delivery in a list.
struct DeliverySummary : DeliveryCore, DeliveryRoute {
  std::string event_id{};  ///< "" if the event's row cannot be read
  std::string call_id{}, agent{}, status{};
  WallTime accepted_at{}, due{};
  std::optional<WallTime> replayed_at{};  ///< the last replay by the operator
  DeliveryState state = DeliveryState::kPending;
  bool was_replayed = false;  ///< by the operator, or made by a replay of its event
  DeliverySeq fallback = 0;   ///< the delivery that took over, or 0
  /// Reason for the state: of the last attempt if it failed, or of an end without an attempt; else "".
  std::string code{}, reason{};
  std::optional<std::chrono::milliseconds> latency{};  ///< of the last attempt
  std::string story{};                                 ///< with is_fallback: why the first delivery failed, for people
};

/// An attempt as it was recorded.
struct StoredAttempt {
  std::uint32_t number = 0;
  Trigger trigger = Trigger::kFirst;
  WallTime started_at{};
  std::chrono::milliseconds latency{};
  Outcome::Kind kind = Outcome::Kind::kRetry;
  bool may_have_been_delivered = false;
  int http_status = 0;
  std::string code, reason, action, remote_id;
  std::string request, response;  ///< "" if not kept
  Waits waits;                    ///< before the attempt; empty also if unknown
  std::optional<std::chrono::milliseconds> connect, first_byte;
};

/// An earlier revision of an event.
struct Revision {
  std::uint32_t number = 0;  ///< 0: as first received
  WallTime until{};          ///< when the next revision replaced it
  std::string headers, body;
};

/// A position in History::Changes, of one process.
struct ChangeCursor {
  std::uint64_t epoch = 0, position = 0;
  bool operator==(const ChangeCursor&) const = default;
};

/// What has changed since a cursor.
struct ChangeSet {
  std::vector<DeliverySeq> deliveries;  ///< created, attempted, ended or revived; oldest change first, each once
  std::vector<EventSeq> revised;        ///< events with new content; likewise
  ChangeCursor next;
  /// Earlier changes than these are missing: the cursor is too old, or of another process.
  bool lost = false;
  // The highest numbers, to see whether the lists have more.
  EventSeq newest_event = 0;
  std::int64_t newest_refused = 0;  ///< RefusedRequest::number
};

/// Which journal it is, and where it begins.
struct Extent {
  std::uint16_t salt = 0;  ///< of its events' ids
  EventSeq oldest = 0;     ///< of the stored events; 0: there is none
};

/// A part of a list, newest first.
template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t next = 0;  ///< `before` for the next call; 0: no more pages
};

/// Read and maintenance API of a journal, for operators. All functions block; none delays a commit by more than a
/// commit takes. Every function: [thread: any but the journal writer].
class History {
 public:
  virtual ~History() = default;

  /// At most `limit` items below `before` (0: from the newest). A call reads a bounded number of rows, so a page may be
  /// short or empty although more follow. Skips damaged rows. Errors: kUnavailable.
  [[nodiscard]] virtual Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before,
                                                              std::size_t limit) = 0;
  [[nodiscard]] virtual Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                                     std::size_t limit) = 0;
  /// Errors here and below: kNotFound, kInvalid (the row is damaged), kUnavailable.
  [[nodiscard]] virtual Result<EventSummary> FindEvent(EventSeq event) = 0;
  /// Every delivery of an event, fallbacks and replays included, oldest first.
  [[nodiscard]] virtual Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event) = 0;
  [[nodiscard]] virtual Result<DeliverySummary> FindDelivery(DeliverySeq delivery) = 0;
  /// Oldest first.
  [[nodiscard]] virtual Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery) = 0;
  /// A config that events name. Configs that no event names any more are removed.
  [[nodiscard]] virtual Result<KeptConfig> LoadConfig(std::int64_t config) = 0;
  /// Oldest first; empty for an event that was never revised.
  [[nodiscard]] virtual Result<std::vector<Revision>> RevisionsOf(EventSeq event) = 0;

  /// Makes ended deliveries pending again, as replays accepted at `now` and due at once, in one durable step. Returns
  /// those changed; skips deliveries that do not exist or have not ended.
  [[nodiscard]] virtual Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> deliveries,
                                                                    WallTime now) = 0;
  /// Adds deliveries to a stored event, as replays accepted at `now`, in one durable step.
  [[nodiscard]] virtual Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event,
                                                                           std::span<const NewDelivery> deliveries,
                                                                           WallTime now) = 0;
  /// Makes deliveries kCanceled with `reason`, in one durable step. Returns those changed; skips deliveries that do not
  /// exist or are delivered, canceled or fallen back. The caller must first remove them from their lanes.
  [[nodiscard]] virtual Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> deliveries,
                                                                const std::string& reason) = 0;
  /// Stores the operator's pause of `sink`, or (empty) its end, which also clears the sink's `lane_due`.
  [[nodiscard]] virtual Status SavePause(const std::string& sink, const std::optional<Pause>& pause) = 0;

  /// The stored rejected requests, newest first: at most `limit` below `before` (0: from the newest).
  [[nodiscard]] virtual Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) = 0;

  /// The rows that commits have changed since `cursor`, as far as they are kept in memory (16,384 changes). Reads no
  /// file and waits for no commit.
  virtual ChangeSet Changes(const ChangeCursor& cursor) = 0;
  /// Errors: kUnavailable.
  [[nodiscard]] virtual Result<Extent> FindExtent() = 0;

  /// Stores what an operator did (the newest 10,000 are kept) and blocks until it is durable. While the journal cannot
  /// be written it returns at once, and the action is stored when it can be; of more than 1000 that wait the newest are
  /// dropped.
  virtual void RecordAction(OperatorAction action) = 0;
  /// As ListRefused.
  [[nodiscard]] virtual Result<Page<OperatorAction>> ListActions(std::int64_t before, std::size_t limit) = 0;
};

// For implementations of History.

/// Whether `event` matches `filter`, except `filter.text`, which needs the body.
bool Matches(const EventFilter& filter, const EventSummary& event);

/// Whether `delivery` matches the delivery's own fields of `filter`.
bool Matches(const DeliveryFilter& filter, const DeliverySummary& delivery);
/// Whether the event's fields of `filter` match. `event`: the delivery's; nullptr if unreadable.
bool MatchesEvent(const DeliveryFilter& filter, const EventSummary* event);

/// Copies the event's fields into `delivery`.
void Describe(DeliverySummary& delivery, const EventSummary& event);
/// Copies the latency of `last`, and its code and reason if it failed and the delivery has no reason of its own.
void Explain(DeliverySummary& delivery, const StoredAttempt& last);
/// Shows a pending delivery of one of `held_sinks` as kHeld.
void CountAsHeld(DeliverySummary& delivery, const std::vector<std::string>& held_sinks);

}  // namespace hookswitch
