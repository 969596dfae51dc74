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

/// Whose events: a rule's `agent`, asked of the one label that is stored with an event (CallEvent::AgentLabel).
struct AgentFilter {
  std::string glob{};                 ///< "": any
  std::vector<std::string> labels{};  ///< beside it: what agents that the glob means are stored as
};

/// What events must be to be listed; "" and empty ask nothing. All must hold.
struct EventFilter {
  std::string source{}, call_id{};
  AgentFilter agent{};
  StatusSet statuses = 0;                    ///< any of; 0: any, or none
  std::string text{};                        ///< stands somewhere in the raw body, as bytes
  std::optional<WallTime> since{}, until{};  ///< received, inclusive and exclusive
};

/// An event as lists show it.
struct EventSummary {
  EventSeq seq = 0;
  std::string id;
  WallTime received_at{};
  std::string source, call_id, agent, status;
  std::string note;              ///< why it is not a call, or ""
  std::uint32_t deliveries = 0;  ///< that its acceptance made; replays and fallbacks not counted
};

struct DeliveryFilter {
  std::vector<DeliveryState> states{};  ///< any of; empty: all
  std::string sink{}, rule{};
  AgentFilter agent{};  ///< this and what follows: of its event
  StatusSet statuses = 0;
  std::string call_id{}, source{};
  std::optional<WallTime> since{}, until{};  ///< accepted, inclusive and exclusive
  EventSeq event = 0;                        ///< 0: any
  /// Sinks whose lanes stand still: what waits for them counts as kHeld.
  std::vector<std::string> held_sinks{};
};

/// A delivery as lists show it.
struct DeliverySummary {
  DeliverySeq seq = 0;
  EventSeq event = 0;
  std::string event_id;  ///< "" if the event's row cannot be read
  std::string call_id, agent, status;
  WallTime accepted_at{}, due{};
  std::optional<WallTime> replayed_at{};  ///< when the operator last had it tried again
  DeliveryState state = DeliveryState::kPending;
  std::uint32_t attempts = 0;
  std::uint32_t step = 0;
  bool is_fallback = false, is_replay = false;
  DeliverySeq fallback = 0;  ///< the delivery that took over, or 0
  std::string sink, rule, template_name;
  /// Why it is as it is: of the last attempt that failed, or of what ended it without one. "" for nothing to tell.
  std::string code, reason;
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
};

/// What an event was before it was revised.
struct Revision {
  std::uint32_t number = 0;  ///< 0: as it came first
  WallTime until{};          ///< when the next one took its place
  std::string headers, body;
};

/// A part of a list, newest first.
template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t next = 0;  ///< where to go on (`before` of the next call); 0: this was the end
};

/// What people ask of a journal and do with what it holds. All functions are safe from any thread and block; none holds
/// up a commit for longer than a commit takes.
class History {
 public:
  virtual ~History() = default;

  /// Those before `before` (0: from the newest on), at most `limit`. A call looks at a bounded number of rows, so a
  /// page may be short or empty although more follow. Damaged rows are stepped over. Errors: kUnavailable.
  [[nodiscard]] virtual Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before,
                                                              std::size_t limit) = 0;
  [[nodiscard]] virtual Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                                     std::size_t limit) = 0;
  /// Errors of the rest: kNotFound, kInvalid (the row is damaged), kUnavailable.
  [[nodiscard]] virtual Result<EventSummary> FindEvent(EventSeq event) = 0;
  /// Every delivery of an event, fallbacks and replays included, oldest first.
  [[nodiscard]] virtual Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq event) = 0;
  [[nodiscard]] virtual Result<DeliverySummary> FindDelivery(DeliverySeq delivery) = 0;
  /// Oldest first.
  [[nodiscard]] virtual Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq delivery) = 0;
  /// Oldest first; empty for an event that was never revised.
  [[nodiscard]] virtual Result<std::vector<Revision>> RevisionsOf(EventSeq event) = 0;

  /// Makes deliveries that have ended pending again, as replays of `now` and due at once, in one durable step.
  /// Returns those that it changed: others are not there or have not ended.
  [[nodiscard]] virtual Result<std::vector<PendingDelivery>> Revive(std::span<const DeliverySeq> deliveries,
                                                                    WallTime now) = 0;
  /// Adds deliveries to a stored event, as replays accepted at `now`, in one durable step.
  [[nodiscard]] virtual Result<std::vector<PendingDelivery>> AddDeliveries(EventSeq event,
                                                                           std::span<const NewDelivery> deliveries,
                                                                           WallTime now) = 0;
  /// Makes deliveries kCanceled because of `reason`, in one durable step. Returns those that it changed: others are not
  /// there, or delivered, canceled or taken over by a fallback already. Who schedules them has let go of them before.
  [[nodiscard]] virtual Result<std::vector<DeliverySeq>> Cancel(std::span<const DeliverySeq> deliveries,
                                                                const std::string& reason) = 0;
  /// Keeps that the operator paused `sink`, or (empty) resumed it. That lifts what the sink asked for (`lane_due`) too.
  [[nodiscard]] virtual Status SavePause(const std::string& sink, const std::optional<Pause>& pause) = 0;

  /// The refused requests that are kept, newest first: those before `before` (0: from the newest on), at most `limit`.
  [[nodiscard]] virtual Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) = 0;
};

/// The whole of what a store offers: the queue (for ingress and lanes, which see a Journal) and its history (for
/// people).
class JournalWithHistory : public Journal, public History {};

}  // namespace hookswitch
