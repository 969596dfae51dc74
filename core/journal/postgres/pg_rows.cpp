#include "core/journal/postgres/pg_rows.h"

#include <algorithm>

namespace hookswitch::pg {
namespace {

/// `number` as one of an enumeration whose last value is `last`; a number that no version wrote is its first.
template <class Enum>
Enum As(std::int64_t number, Enum last) {
  return number >= 0 && number <= static_cast<std::int64_t>(last) ? static_cast<Enum>(number) : Enum{};
}

DeliveryState StateOf(std::int64_t number) {
  return As(number, DeliveryState::kFellBack);
}

DeliveryCore CoreOf(const Answer& answer, int row) {
  const std::int64_t flags = answer.Int(row, 5);
  return {.seq = answer.Int(row, 0),
          .event = answer.Int(row, 1),
          .call_key = static_cast<std::uint64_t>(answer.Int(row, 2)),
          .attempts = static_cast<std::uint32_t>(answer.Int(row, 3)),
          .step = static_cast<std::uint32_t>(answer.Int(row, 4)),
          .is_fallback = (flags & kFallback) != 0,
          .is_replay = (flags & kNotTriedSince) != 0,
          .is_held = StateOf(answer.Int(row, 6)) == DeliveryState::kHeld,
          .newest_only = (flags & kNewestOnly) != 0,
          .ends_call = (flags & kEndsCall) != 0};
}

DeliveryRoute RouteOf(const Answer& answer, int row) {
  return {Text(answer, row, 7), Text(answer, row, 8), Text(answer, row, 9)};
}

std::optional<std::chrono::milliseconds> Duration(std::int64_t ms) {
  if (ms < 0) return {};
  return std::chrono::milliseconds(ms);
}

}  // namespace

std::int64_t BitsOf(const NewDelivery& delivery) {
  return (delivery.newest_only ? kNewestOnly : 0) | (delivery.ends_call ? kEndsCall : 0);
}

std::vector<std::string_view> NamesIn(std::string_view text) {
  std::vector<std::string_view> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    names.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

PendingDelivery PendingOf(const Answer& answer, int row) {
  PendingDelivery delivery{CoreOf(answer, row), RouteOf(answer, row)};
  delivery.accepted_at = std::max(Time(answer.Int(row, 10)), Time(answer.Int(row, 11)));
  delivery.due = Time(answer.Int(row, 12));
  delivery.first_failed = Time(answer.Int(row, 13));
  delivery.state = Text(answer, row, 14);
  delivery.story = Text(answer, row, 15);
  return delivery;
}

DeliverySummary DeliveryOf(const Answer& answer, int row) {
  DeliverySummary delivery{CoreOf(answer, row), RouteOf(answer, row)};
  delivery.state = StateOf(answer.Int(row, 6));
  delivery.was_replayed = (answer.Int(row, 5) & kReplay) != 0;
  delivery.accepted_at = Time(answer.Int(row, 10));
  if (const std::int64_t replayed = answer.Int(row, 11); replayed != 0) delivery.replayed_at = Time(replayed);
  delivery.due = Time(answer.Int(row, 12));
  delivery.story = Text(answer, row, 15);
  delivery.fallback = answer.Int(row, 16);
  delivery.code = Text(answer, row, 17);
  delivery.reason = Text(answer, row, 18);
  return delivery;
}

EventSummary EventOf(const Answer& answer, int row, std::uint16_t salt) {
  const EventSeq seq = answer.Int(row, 0);
  const WallTime received_at = Time(answer.Int(row, 1));
  return {.seq = seq,
          .id = EventId(received_at, salt, seq),
          .received_at = received_at,
          .source = Text(answer, row, 2),
          .call_id = Text(answer, row, 3),
          .agent = Text(answer, row, 4),
          .status = Text(answer, row, 5),
          .note = Text(answer, row, 6),
          .deliveries = static_cast<std::uint32_t>(answer.Int(row, 7)),
          .revisions = static_cast<std::uint32_t>(answer.Int(row, 8)),
          .config = answer.Int(row, 9)};
}

StoredAttempt AttemptOf(const Answer& answer, int row) {
  StoredAttempt attempt;
  attempt.number = static_cast<std::uint32_t>(answer.Int(row, 1));
  attempt.trigger = As(answer.Int(row, 2), Trigger::kManual);
  attempt.started_at = Time(answer.Int(row, 3));
  attempt.latency = std::chrono::milliseconds(answer.Int(row, 4));
  attempt.kind = As(answer.Int(row, 5), Outcome::Kind::kNext);
  attempt.may_have_been_delivered = answer.Int(row, 6) != 0;
  attempt.http_status = static_cast<int>(answer.Int(row, 7));
  attempt.code = Text(answer, row, 8);
  attempt.reason = Text(answer, row, 9);
  attempt.action = Text(answer, row, 10);
  attempt.remote_id = Text(answer, row, 11);
  attempt.request = Text(answer, row, 12);
  attempt.response = Text(answer, row, 13);
  attempt.waits = ParseWaits(answer.Bytes(row, 14));
  attempt.connect = Duration(answer.Int(row, 15));
  attempt.first_byte = Duration(answer.Int(row, 16));
  return attempt;
}

}  // namespace hookswitch::pg
