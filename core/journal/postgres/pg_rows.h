#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/journal/history.h"
#include "core/journal/postgres/pg_connection.h"

/// Meaning of the tables' columns, for readers and writers.
namespace hookswitch::pg {

// Bits of delivery.flags.
inline constexpr std::int64_t kNewestOnly = 1;
inline constexpr std::int64_t kEndsCall = 2;
inline constexpr std::int64_t kReplay = 4;
inline constexpr std::int64_t kNotTriedSince = 8;  ///< with kReplay: not attempted since the replay
inline constexpr std::int64_t kFallback = 16;
std::int64_t BitsOf(const NewDelivery& delivery);

/// Of an answer with one row.
inline constexpr int kFirstRow = 0;
inline std::string Text(const Answer& answer, int row, int column) {
  return std::string(answer.Bytes(row, column));
}

/// Names, each of which ends with "\n" but perhaps the last; they refer to `text`.
std::vector<std::string_view> NamesIn(std::string_view text);

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

// Columns of a table, and what reads them, from the first.

inline constexpr std::string_view kDeliveryColumns =
    "seq, event, call_key, attempts, step, flags, state, sink, rule, template, accepted_ms, replayed_ms, due_ms, "
    "first_failed_ms, carried, story, fallback, code, because";
PendingDelivery PendingOf(const Answer& answer, int row);
/// Without its event and its attempts.
DeliverySummary DeliveryOf(const Answer& answer, int row);

inline constexpr std::string_view kEventColumns =
    "seq, received_ms, source, call_id, agent, status, note, deliveries, revisions, config";
EventSummary EventOf(const Answer& answer, int row, std::uint16_t salt);

inline constexpr std::string_view kAttemptColumns =
    "delivery, number, trigger_kind, started_ms, latency_ms, kind, may_have_been_delivered, http_status, code, reason, "
    "action, remote_id, request, response, waits, connect_ms, first_byte_ms";
StoredAttempt AttemptOf(const Answer& answer, int row);

}  // namespace hookswitch::pg
