#include "core/journal/rows.h"

#include <algorithm>

namespace hookswitch {
namespace {

std::string Text(const Statement& row, int column) {
  return std::string(row.Bytes(column));
}

constexpr int kFlagsColumn = 6;

DeliveryCore CoreOf(const Statement& row) {
  const std::int64_t flags = row.Int(kFlagsColumn);
  return {.seq = row.Int(0),
          .event = row.Int(1),
          .call_key = static_cast<std::uint64_t>(row.Int(2)),
          .attempts = static_cast<std::uint32_t>(row.Int(3)),
          .step = static_cast<std::uint32_t>(row.Int(4)),
          .is_fallback = row.Int(5) != 0,
          .is_replay = (flags & kNotTriedSince) != 0,
          .is_held = StateOf(row.Int(kStateColumn)) == DeliveryState::kHeld,
          .newest_only = (flags & kNewestOnly) != 0,
          .ends_call = (flags & kEndsCall) != 0};
}

DeliveryRoute RouteOf(const Statement& row) {
  return {Text(row, kSinkColumn), Text(row, 9), Text(row, 10)};
}

}  // namespace

std::int64_t FlagsOf(const NewDelivery& delivery) {
  return (delivery.newest_only ? kNewestOnly : 0) | (delivery.ends_call ? kEndsCall : 0);
}

std::optional<DeliveryState> StateOf(std::int64_t number) {
  if (number < 0 || number > static_cast<std::int64_t>(DeliveryState::kFellBack)) return {};
  return static_cast<DeliveryState>(number);
}

bool IsSoundDelivery(const Statement& row, int state_column, int sink_column) {
  const std::string_view sink = row.Bytes(sink_column);
  return !row.IsNull(state_column) && StateOf(row.Int(state_column)) && !sink.empty() &&
         sink.find('\0') == std::string_view::npos;
}

PendingDelivery PendingOf(const Statement& row) {
  PendingDelivery delivery{CoreOf(row), RouteOf(row)};
  delivery.accepted_at = std::max(Time(row.Int(11)), Time(row.Int(16)));
  delivery.due = Time(row.Int(12));
  delivery.state = Text(row, 13);
  delivery.story = Text(row, 14);
  delivery.first_failed = Time(row.Int(15));
  return delivery;
}

EventSummary EventOf(const Statement& row, std::uint16_t salt) {
  const WallTime received_at = Time(row.Int(1));
  return {.seq = row.Int(0),
          .id = EventId(received_at, salt, row.Int(0)),
          .received_at = received_at,
          .source = Text(row, 2),
          .call_id = Text(row, 3),
          .agent = Text(row, 4),
          .status = Text(row, 5),
          .note = Text(row, 6),
          .deliveries = static_cast<std::uint32_t>(row.Int(8)),
          .revisions = static_cast<std::uint32_t>(row.Int(9)),
          .config = row.Int(10)};
}

std::optional<DeliverySummary> DeliveryOf(const Statement& row) {
  const auto state = StateOf(row.Int(kStateColumn));
  if (!state) return {};
  DeliverySummary delivery{CoreOf(row), RouteOf(row)};
  delivery.state = *state;
  delivery.was_replayed = (row.Int(kFlagsColumn) & kReplay) != 0;
  delivery.accepted_at = Time(row.Int(11));
  delivery.due = Time(row.Int(12));
  delivery.fallback = row.Int(13);
  delivery.code = Text(row, 14);
  delivery.reason = Text(row, 15);
  if (const std::int64_t replayed = row.Int(17); replayed != 0) delivery.replayed_at = Time(replayed);
  delivery.story = Text(row, 18);
  return delivery;
}

std::optional<StoredAttempt> AttemptOf(const Statement& row) {
  const std::int64_t kind = row.Int(5), trigger = row.Int(2);
  if (kind < 0 || kind > static_cast<std::int64_t>(Outcome::Kind::kNext)) return {};
  if (trigger < 0 || trigger > static_cast<std::int64_t>(Trigger::kManual)) return {};
  StoredAttempt attempt;
  attempt.number = static_cast<std::uint32_t>(row.Int(1));
  attempt.trigger = static_cast<Trigger>(trigger);
  attempt.started_at = Time(row.Int(3));
  attempt.latency = std::chrono::milliseconds(row.Int(4));
  attempt.kind = static_cast<Outcome::Kind>(kind);
  attempt.may_have_been_delivered = row.Int(6) != 0;
  attempt.http_status = static_cast<int>(row.Int(7));
  attempt.code = Text(row, 8);
  attempt.reason = Text(row, 9);
  attempt.action = Text(row, 10);
  attempt.remote_id = Text(row, 11);
  attempt.request = Text(row, 12);
  attempt.response = Text(row, 13);
  attempt.waits = ParseWaits(row.Bytes(14));
  attempt.connect = Duration(row.Int(15));
  attempt.first_byte = Duration(row.Int(16));
  return attempt;
}

}  // namespace hookswitch
