#include "core/journal/retention.h"

#include <cstring>
#include <limits>

#include "core/base/log.h"

namespace hookswitch {
namespace {
constexpr std::chrono::seconds kPassAgain{60};
}

struct Retention::Statements {
  Statement events, delivery, attempt, replays;
  Statement remove_attempt, remove_delivery, remove_memory, remove_raw, remove_event, remove_replays;

  Status Prepare(Database& db) {
    const std::pair<Statement*, std::string_view> statements[] = {
        {&events,
         "SELECT seq, received_ms, dedup, call_key, first_delivery, deliveries FROM event WHERE seq >= ? ORDER BY seq"},
        {&delivery, "SELECT sink, last_attempt, fallback, event FROM delivery WHERE seq = ?"},
        {&attempt, "SELECT previous FROM attempt WHERE seq = ?"},
        {&replays, "SELECT first_delivery, deliveries FROM replay WHERE event = ?"},
        {&remove_attempt, "DELETE FROM attempt WHERE seq = ?"},
        {&remove_delivery, "DELETE FROM delivery WHERE seq = ?"},
        {&remove_memory, "DELETE FROM memory WHERE sink = ? AND call_key = ? AND event <= ?"},
        {&remove_raw, "DELETE FROM raw WHERE seq = ?"},
        {&remove_event, "DELETE FROM event WHERE seq = ?"},
        {&remove_replays, "DELETE FROM replay WHERE event = ?"},
    };
    for (const auto& [statement, text] : statements) {
      auto prepared = db.Prepare(text);
      if (!prepared) return prepared.error();
      *statement = std::move(*prepared);
    }
    return Ok();
  }
};

Result<bool> Retention::Step(Store& store, const Clock& clock, std::uint64_t bytes, int chunk) {
  const std::int64_t now_ms = clock.Wall().time_since_epoch().count();
  const std::int64_t cutoff_ms =
      age_.count() == 0 ? std::numeric_limits<std::int64_t>::min() : now_ms - static_cast<std::int64_t>(age_.count());
  const bool by_size = size_ != 0 && bytes > size_;
  if (skipped_ && clock.Mono() - pass_began_ >= kPassAgain) {
    next_ = 0;
    skipped_ = false;
    oldest_ms_ = std::numeric_limits<std::int64_t>::min();
  }
  if (next_ == 0) pass_began_ = clock.Mono();
  if (!by_size && oldest_ms_ > cutoff_ms) return false;
  if (!by_size && age_.count() == 0) return false;

  Statements sql;
  HSW_TRY(sql.Prepare(store.db_));
  std::string reason;
  for (const int count : {chunk, 1}) {
    auto more = RemoveSome(store, sql, cutoff_ms, by_size, count);
    if (more || more.error().code != ErrorCode::kInvalid) return more;
    reason = std::move(more).error().message;
  }
  // A destroyed page keeps its neighbours from being emptied too: they stay, one line tells, and the rest goes on.
  if (!std::exchange(damage_told_, true)) {
    log::Error("journal_rows_damaged", {{"file", store.path_}, {"event", next_}, {"reason", reason}});
  }
  ++store.bad_rows_;
  ++next_;
  return true;
}

Result<bool> Retention::RemoveSome(Store& store, Statements& sql, std::int64_t cutoff_ms, bool by_size, int chunk) {
  std::vector<Event> old;
  EventSeq next = next_;
  bool more = false;
  std::int64_t oldest_ms = oldest_ms_;
  sql.events.Bind(next_);
  for (;;) {
    const auto row = sql.events.Next();
    if (!row) {
      if (old.empty() || row.error().code != ErrorCode::kInvalid) return row.error();
      more = true;
      break;
    }
    if (!*row) break;
    Event event{sql.events.Int(0), sql.events.Int(1), {}, sql.events.Int(3), sql.events.Int(4), sql.events.Int(5)};
    oldest_ms = event.received_ms;
    if (!by_size && event.received_ms > cutoff_ms) break;
    if (static_cast<int>(old.size()) == chunk) {
      more = true;
      break;
    }
    if (const std::string_view digest = sql.events.Bytes(2); digest.size() == event.digest.size()) {
      std::memcpy(event.digest.data(), digest.data(), digest.size());
    }
    next = event.seq + 1;
    old.push_back(event);
  }
  sql.events.Reset();
  if (!old.empty()) {
    if (Status begun = store.Begin(); !begun) return begun.error();
    const EventSeq events_before = store.events_;
    std::vector<const Event*> removed;
    Status done = Ok();
    for (const Event& event : old) {
      auto gone = Remove(store, sql, event);
      if (!gone) {
        done = gone.error();
        break;
      }
      if (*gone) removed.push_back(&event);
    }
    store.events_ = events_before - removed.size();
    // Numbers are never used again, even when the last row is gone.
    if (done) done = store.sql_.set_meta.Bind(std::string_view("next_event"), store.next_event_).Run();
    if (done) done = store.sql_.set_meta.Bind(std::string_view("next_delivery"), store.next_delivery_).Run();
    if (done) done = store.Commit();
    if (!done) {
      store.Rollback();
      return done.error();
    }
    for (const Event* event : removed) store.dedup_.Erase(event->digest, event->seq);
    skipped_ = skipped_ || removed.size() != old.size();
  }
  next_ = next;
  oldest_ms_ = oldest_ms;
  return more;
}

Result<bool> Retention::Remove(Store& store, Statements& sql, const Event& event) {
  struct Delivery {
    DeliverySeq seq;
    std::string sink;
    std::int64_t last_attempt;
  };
  std::vector<std::pair<DeliverySeq, std::int64_t>> runs = {{event.first_delivery, event.deliveries}};
  sql.replays.Bind(event.seq);
  for (;;) {
    const auto row = sql.replays.Next();
    // If the table of replays is damaged those stay behind: the journal must be able to free itself all the same.
    if (!row && row.error().code != ErrorCode::kInvalid) return row.error();
    if (!row || !*row) break;
    runs.emplace_back(sql.replays.Int(0), sql.replays.Int(1));
  }
  std::vector<Delivery> deliveries;
  for (const auto& [first, count] : runs) {
    for (DeliverySeq place = first; place - first < count; ++place) {
      bool is_there = false;
      for (DeliverySeq seq = place; seq != 0;) {
        if (store.pending_.Contains(seq)) return false;
        sql.delivery.Bind(seq);
        const auto row = sql.delivery.Next();
        if (!row) return row.error();
        if (!*row) break;
        is_there = true;
        const DeliverySeq fallback = sql.delivery.Int(2);
        const bool is_its = sql.delivery.Int(3) == event.seq;
        if (is_its) deliveries.push_back({seq, std::string(sql.delivery.Bytes(0)), sql.delivery.Int(1)});
        sql.delivery.Reset();
        // A fallback is of the same event and always stored later; anything else is damage.
        seq = is_its && fallback > seq ? fallback : 0;
      }
      // They are removed together, so what follows a gap is damage.
      if (!is_there) break;
    }
  }
  if (runs.size() > 1) HSW_TRY(sql.remove_replays.Bind(event.seq).Run());
  for (const Delivery& delivery : deliveries) {
    for (std::int64_t seq = delivery.last_attempt; seq != 0;) {
      sql.attempt.Bind(seq);
      const auto row = sql.attempt.Next();
      if (!row) return row.error();
      if (!*row) break;
      const std::int64_t previous = sql.attempt.Int(0);
      sql.attempt.Reset();
      HSW_TRY(sql.remove_attempt.Bind(seq).Run());
      seq = previous < seq ? previous : 0;
    }
    if (event.call_key != 0) HSW_TRY(sql.remove_memory.Bind(delivery.sink, event.call_key, event.seq).Run());
    HSW_TRY(sql.remove_delivery.Bind(delivery.seq).Run());
  }
  HSW_TRY(sql.remove_raw.Bind(event.seq).Run());
  HSW_TRY(sql.remove_event.Bind(event.seq).Run());
  return true;
}

}  // namespace hookswitch
