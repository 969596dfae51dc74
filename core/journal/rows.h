#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/journal/history.h"
#include "core/journal/sqlite.h"

/// Meaning of the tables' columns, for readers and writers.
namespace hookswitch {

// Bits of delivery.flags.
inline constexpr std::int64_t kNewestOnly = 1;
inline constexpr std::int64_t kEndsCall = 2;
inline constexpr std::int64_t kReplay = 4;
inline constexpr std::int64_t kNotTriedSince = 8;  ///< with kReplay: not attempted since the replay
std::int64_t FlagsOf(const NewDelivery& delivery);

inline std::int64_t Ms(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime Time(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}
/// A duration that may be unknown: -1.
inline std::int64_t Ms(std::optional<std::chrono::milliseconds> time) {
  return time ? time->count() : -1;
}
inline std::optional<std::chrono::milliseconds> Duration(std::int64_t ms) {
  if (ms < 0) return {};
  return std::chrono::milliseconds(ms);
}
/// Empty for an unknown number, which is damage.
std::optional<DeliveryState> StateOf(std::int64_t number);

/// Rejected requests that are kept; one has the slot `number % kRefusedKept`.
inline constexpr std::int64_t kRefusedKept = 1000;

/// Columns of `delivery` that make DeliveryCore, DeliveryRoute and the state: the first that PendingOf and DeliveryOf
/// read.
inline const std::string kCoreColumns =
    "seq, event, call_key, attempts, step, is_fallback, flags, state, sink, rule, template";
inline constexpr int kStateColumn = 7, kSinkColumn = 8;

/// Columns of `delivery`, in the order that PendingOf reads.
inline const std::string kPendingColumns =
    kCoreColumns + ", accepted_ms, due_ms, carried, story, first_failed_ms, replayed_ms";
PendingDelivery PendingOf(const Statement& row);

/// Whether the row can be one that we wrote: SQLite accepts zeros of a torn page as a valid row.
bool IsSoundDelivery(const Statement& row, int state_column, int sink_column);

/// Columns of `event`, in the order that EventOf reads.
inline constexpr std::string_view kEventColumns =
    "seq, received_ms, source, call_id, agent, status, note, first_delivery, deliveries, revisions, config";
EventSummary EventOf(const Statement& row, std::uint16_t salt);

/// Columns of `delivery`, in the order that DeliveryOf reads.
inline const std::string kDeliveryColumns =
    kCoreColumns + ", accepted_ms, due_ms, fallback, code, because, last_attempt, replayed_ms, story";
/// Fields from the row itself, without event and attempts. Empty if the row is damaged.
std::optional<DeliverySummary> DeliveryOf(const Statement& row);
inline constexpr int kLastAttemptColumn = 16;

/// Columns of `attempt`, in the order that AttemptOf reads.
inline constexpr std::string_view kAttemptColumns =
    "previous, number, \"trigger\", started_ms, latency_ms, kind, may_have_been_delivered, http_status, code, reason, "
    "action, remote_id, request, response, waits, connect_ms, first_byte_ms";
/// Empty if the row is damaged.
std::optional<StoredAttempt> AttemptOf(const Statement& row);

}  // namespace hookswitch
