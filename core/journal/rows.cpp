#include "core/journal/rows.h"

#include <algorithm>

namespace hookswitch {
namespace {

std::string Text(const Statement& row, int column) {
  return std::string(row.Bytes(column));
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
  const std::int64_t flags = row.Int(13);
  return {.seq = row.Int(0),
          .event = row.Int(1),
          .call_key = static_cast<std::uint64_t>(row.Int(2)),
          .accepted_at = std::max(Time(row.Int(3)), Time(row.Int(16))),
          .due = Time(row.Int(4)),
          .first_failed = Time(row.Int(15)),
          .attempts = static_cast<std::uint32_t>(row.Int(5)),
          .step = static_cast<std::uint32_t>(row.Int(6)),
          .is_fallback = row.Int(7) != 0,
          .is_held = StateOf(row.Int(12)) == DeliveryState::kHeld,
          .newest_only = (flags & kNewestOnly) != 0,
          .ends_call = (flags & kEndsCall) != 0,
          .is_replay = (flags & kNotTriedSince) != 0,
          .sink = Text(row, 8),
          .rule = Text(row, 9),
          .template_name = Text(row, 10),
          .state = Text(row, 11),
          .story = Text(row, 14)};
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
          .deliveries = static_cast<std::uint32_t>(row.Int(8))};
}

std::optional<DeliverySummary> DeliveryOf(const Statement& row) {
  const auto state = StateOf(row.Int(4));
  if (!state) return {};
  DeliverySummary delivery;
  delivery.seq = row.Int(0);
  delivery.event = row.Int(1);
  delivery.accepted_at = Time(row.Int(2));
  delivery.due = Time(row.Int(3));
  delivery.state = *state;
  delivery.attempts = static_cast<std::uint32_t>(row.Int(5));
  delivery.step = static_cast<std::uint32_t>(row.Int(6));
  delivery.is_fallback = row.Int(7) != 0;
  delivery.is_replay = (row.Int(8) & kReplay) != 0;
  delivery.fallback = row.Int(9);
  delivery.sink = Text(row, 10);
  delivery.rule = Text(row, 11);
  delivery.template_name = Text(row, 12);
  delivery.code = Text(row, 13);
  delivery.reason = Text(row, 14);
  if (const std::int64_t replayed = row.Int(16); replayed != 0) delivery.replayed_at = Time(replayed);
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
  return attempt;
}

}  // namespace hookswitch
