#include "core/journal/retention.h"

#include <cstring>
#include <limits>

#include "core/base/log.h"
#include "core/journal/rows.h"

namespace hookswitch {
namespace {

constexpr std::chrono::seconds kPassAgain{60};
constexpr std::int64_t kUnknownTime = std::numeric_limits<std::int64_t>::min();  // unknown until the row is read

}  // namespace

Result<bool> Retention::Step(Store& store, const Clock& clock, std::uint64_t bytes, int chunk) {
  TimeRuns& runs = store.runs_;
  const std::int64_t cutoff_ms =
      age_.count() == 0 ? kUnknownTime : Ms(clock.Wall()) - static_cast<std::int64_t>(age_.count());
  const bool by_size = size_ != 0 && bytes > size_;
  const auto due = [&] { return by_size ? runs.First() : runs.OldestUntil(cutoff_ms); };
  if (look_again_ && clock.Mono() >= *look_again_) {
    look_again_.reset();
    runs.Restart();
  }
  const auto rest = due();
  if (!rest) return false;
  std::string reason;
  for (const int count : {chunk, 1}) {
    const auto skipped = RemoveSome(store, *rest, cutoff_ms, by_size, count);
    if (skipped) {
      if (*skipped && !look_again_) look_again_ = clock.Mono() + kPassAgain;
      return due().has_value();
    }
    if (skipped.error().code != ErrorCode::kInvalid) return skipped.error();
    reason = skipped.error().message;
  }
  // A destroyed page also blocks deletes from its neighbours: leave them, log it once, and go on behind them.
  if (!std::exchange(damage_told_, true)) {
    log::Error("journal_rows_damaged", {{"file", store.path_}, {"event", rest->next}, {"reason", reason}});
  }
  ++store.bad_rows_;
  runs.Advance(*rest, rest->next + 1, kUnknownTime, false);
  return true;
}

Result<bool> Retention::RemoveSome(Store& store, const TimeRuns::Rest& rest, std::int64_t cutoff_ms, bool by_size,
                                   int chunk) {
  std::vector<Event> old;
  Store::Statements& sql = store.sql_;
  EventSeq next = rest.next;
  std::int64_t next_ms = TimeRuns::kNever;
  sql.old_events.Bind(rest.next, rest.end);
  for (;;) {
    const auto row = sql.old_events.Next();
    if (!row) {
      if (old.empty() || row.error().code != ErrorCode::kInvalid) return row.error();
      next_ms = kUnknownTime;
      break;
    }
    if (!*row) break;
    Event event{sql.old_events.Int(0), sql.old_events.Int(1), {},
                sql.old_events.Int(3), sql.old_events.Int(4), sql.old_events.Int(5)};
    if ((!by_size && event.received_ms > cutoff_ms) || static_cast<int>(old.size()) == chunk) {
      next = event.seq;
      next_ms = event.received_ms;
      break;
    }
    if (const std::string_view digest = sql.old_events.Bytes(2); digest.size() == event.digest.size()) {
      std::memcpy(event.digest.data(), digest.data(), digest.size());
    }
    next = event.seq + 1;
    old.push_back(event);
  }
  sql.old_events.Reset();
  std::size_t removed = 0;
  if (!old.empty()) {
    const auto done = RemoveAll(store, old);
    if (!done) return done.error();
    removed = *done;
  }
  const bool skipped = removed != old.size();
  store.runs_.Advance(rest, next, next_ms, skipped);
  return skipped;
}

Result<std::size_t> Retention::RemoveAll(Store& store, const std::vector<Event>& old) {
  const EventSeq events_before = store.events_;
  std::vector<const Event*> removed;
  const auto remove = [&]() -> Status {
    for (const Event& event : old) {
      const auto deliveries = DeliveriesToRemove(store, event);
      if (!deliveries) return deliveries.error();
      if (!*deliveries) continue;
      // Begin only now: events that stay cost no commit.
      if (removed.empty()) HSW_TRY(store.Begin());
      removed.push_back(&event);
      HSW_TRY(Remove(store, event, **deliveries));
    }
    if (removed.empty()) return Ok();
    store.events_ = events_before - removed.size();
    // Numbers are never reused, even after the last row is deleted.
    HSW_TRY(store.sql_.set_meta.Bind(std::string_view("next_event"), store.next_event_).Run());
    HSW_TRY(store.sql_.set_meta.Bind(std::string_view("next_delivery"), store.next_delivery_).Run());
    return store.Commit();
  };
  if (Status done = remove(); !done) {
    store.Rollback();
    return done.error();
  }
  for (const Event* event : removed) store.dedup_.Erase(event->digest, event->seq);
  return removed.size();
}

Result<std::optional<Retention::Deliveries>> Retention::DeliveriesToRemove(Store& store, const Event& event) {
  Store::Statements& sql = store.sql_;
  std::vector<std::pair<DeliverySeq, std::int64_t>> runs = {{event.first_delivery, event.deliveries}};
  sql.old_replays.Bind(event.seq);
  for (;;) {
    const auto row = sql.old_replays.Next();
    // If the replay table is damaged its deliveries stay behind: the journal must still be able to free space.
    if (!row && row.error().code != ErrorCode::kInvalid) return row.error();
    if (!row || !*row) break;
    runs.emplace_back(sql.old_replays.Int(0), sql.old_replays.Int(1));
  }
  Deliveries deliveries;
  for (const auto& [first, count] : runs) {
    for (DeliverySeq place = first; place - first < count; ++place) {
      bool is_there = false;
      for (DeliverySeq seq = place; seq != 0;) {
        if (store.pending_.Contains(seq)) return std::optional<Deliveries>();
        sql.old_delivery.Bind(seq);
        const auto row = sql.old_delivery.Next();
        if (!row) return row.error();
        if (!*row) break;
        is_there = true;
        const DeliverySeq fallback = sql.old_delivery.Int(2);
        const bool is_its = sql.old_delivery.Int(3) == event.seq;
        if (is_its) deliveries.rows.push_back({seq, std::string(sql.old_delivery.Bytes(0)), sql.old_delivery.Int(1)});
        sql.old_delivery.Reset();
        // A fallback is of the same event and always stored later; anything else is damage.
        seq = is_its && fallback > seq ? fallback : 0;
      }
      // Rows of a run are removed together, so a row after a gap is damage.
      if (!is_there) break;
    }
  }
  deliveries.has_replays = runs.size() > 1;
  return std::optional(std::move(deliveries));
}

Status Retention::Remove(Store& store, const Event& event, const Deliveries& deliveries) {
  Store::Statements& sql = store.sql_;
  if (deliveries.has_replays) HSW_TRY(sql.remove_replays.Bind(event.seq).Run());
  for (const auto& delivery : deliveries.rows) {
    for (std::int64_t seq = delivery.last_attempt; seq != 0;) {
      sql.old_attempt.Bind(seq);
      const auto row = sql.old_attempt.Next();
      if (!row) return row.error();
      if (!*row) break;
      const std::int64_t previous = sql.old_attempt.Int(0);
      sql.old_attempt.Reset();
      HSW_TRY(sql.remove_attempt.Bind(seq).Run());
      seq = previous < seq ? previous : 0;
    }
    if (event.call_key != 0) HSW_TRY(sql.remove_memory.Bind(delivery.sink, event.call_key, event.seq).Run());
    HSW_TRY(sql.remove_delivery.Bind(delivery.seq).Run());
  }
  HSW_TRY(sql.remove_revisions.Bind(event.seq).Run());
  HSW_TRY(sql.remove_raw.Bind(event.seq).Run());
  return sql.remove_event.Bind(event.seq).Run();
}

}  // namespace hookswitch
