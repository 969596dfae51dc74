#include "core/journal/retention.h"

#include <cstring>
#include <limits>

#include "core/base/log.h"
#include "core/journal/delivery_runs.h"
#include "core/journal/rows.h"

namespace hookswitch {
namespace {

constexpr std::chrono::seconds kRecheckEvery{60};
constexpr std::int64_t kUnknownTime = std::numeric_limits<std::int64_t>::min();  // unknown until the row is read

}  // namespace

Status Retention::Prepare() {
  if (connection_ == store_.connection()) return Ok();
  sql_ = {};
  const std::pair<Statement*, std::string_view> statements[] = {
      {&sql_.events,
       "SELECT seq, received_ms, dedup, call_key, first_delivery, deliveries, config FROM event "
       "WHERE seq >= ? AND seq < ? ORDER BY seq"},
      {&sql_.delivery, "SELECT sink, last_attempt, fallback, event FROM delivery WHERE seq = ?"},
      {&sql_.attempt, "SELECT previous FROM attempt WHERE seq = ?"},
      {&sql_.replays, "SELECT first_delivery, deliveries FROM replay WHERE event = ?"},
      {&sql_.remove_attempt, "DELETE FROM attempt WHERE seq = ?"},
      {&sql_.remove_delivery, "DELETE FROM delivery WHERE seq = ?"},
      {&sql_.remove_memory, "DELETE FROM memory WHERE sink = ? AND call_key = ? AND event <= ?"},
      {&sql_.remove_raw, "DELETE FROM raw WHERE seq = ?"},
      {&sql_.remove_event, "DELETE FROM event WHERE seq = ?"},
      {&sql_.remove_replays, "DELETE FROM replay WHERE event = ?"},
      {&sql_.remove_revisions, "DELETE FROM revision WHERE event = ?"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = store_.Prepare(text);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  connection_ = store_.connection();
  return Ok();
}

Result<bool> Retention::Step(std::uint64_t bytes, int chunk) {
  HSW_TRY(Prepare());
  TimeRuns& runs = store_.runs();
  const std::int64_t cutoff_ms =
      age_.count() == 0 ? kUnknownTime : Ms(clock_.Wall()) - static_cast<std::int64_t>(age_.count());
  const bool by_size = size_ != 0 && bytes > size_;
  const auto due = [&] { return by_size ? runs.First() : runs.OldestUntil(cutoff_ms); };
  if (recheck_at_ && clock_.Mono() >= *recheck_at_) {
    recheck_at_.reset();
    runs.Restart();
  }
  const auto rest = due();
  if (!rest) return false;
  std::string reason;
  for (const int count : {chunk, 1}) {
    const auto skipped = RemoveSome(*rest, cutoff_ms, by_size, count);
    if (skipped) {
      if (*skipped && !recheck_at_) recheck_at_ = clock_.Mono() + kRecheckEvery;
      return due().has_value();
    }
    if (skipped.error().code != ErrorCode::kInvalid) return skipped.error();
    reason = skipped.error().message;
  }
  // A destroyed page also blocks deletes from its neighbours: leave them, log it once, and go on behind them.
  if (!std::exchange(damage_logged_, true)) {
    log::Error("journal_rows_damaged", {{"file", store_.path()}, {"event", rest->next}, {"reason", reason}});
  }
  store_.CountBadRow();
  runs.Advance(*rest, rest->next + 1, kUnknownTime, false);
  return true;
}

Result<bool> Retention::RemoveSome(const TimeRuns::Rest& rest, std::int64_t cutoff_ms, bool by_size, int chunk) {
  std::vector<Event> old;
  EventSeq next = rest.next;
  std::int64_t next_ms = TimeRuns::kNever;
  sql_.events.Bind(rest.next, rest.end);
  for (;;) {
    const auto row = sql_.events.Next();
    if (!row) {
      if (old.empty() || row.error().code != ErrorCode::kInvalid) return row.error();
      next_ms = kUnknownTime;
      break;
    }
    if (!*row) break;
    Event event{sql_.events.Int(0), sql_.events.Int(1), {}, sql_.events.Int(3), sql_.events.Int(4),
                sql_.events.Int(5), sql_.events.Int(6)};
    if ((!by_size && event.received_ms > cutoff_ms) || static_cast<int>(old.size()) == chunk) {
      next = event.seq;
      next_ms = event.received_ms;
      break;
    }
    if (const std::string_view digest = sql_.events.Bytes(2); digest.size() == event.digest.size()) {
      std::memcpy(event.digest.data(), digest.data(), digest.size());
    }
    next = event.seq + 1;
    old.push_back(event);
  }
  sql_.events.Reset();
  std::size_t removed = 0;
  if (!old.empty()) {
    const auto done = RemoveAll(old);
    if (!done) return done.error();
    removed = *done;
  }
  const bool skipped = removed != old.size();
  store_.runs().Advance(rest, next, next_ms, skipped);
  return skipped;
}

Result<std::size_t> Retention::RemoveAll(const std::vector<Event>& old) {
  std::vector<Store::RemovedEvent> removed;
  const auto remove = [&]() -> Status {
    for (const Event& event : old) {
      const auto deliveries = DeliveriesToRemove(event);
      if (!deliveries) return deliveries.error();
      if (!*deliveries) continue;
      // Begin only now: events that stay cost no commit.
      if (removed.empty()) HSW_TRY(store_.Begin());
      removed.push_back({event.seq, event.digest, event.config});
      HSW_TRY(Remove(event, **deliveries));
    }
    return removed.empty() ? Ok() : store_.CommitRemoval(removed);
  };
  if (Status done = remove(); !done) {
    store_.Rollback();
    return done.error();
  }
  if (!removed.empty()) HSW_TRY(store_.RemoveUnusedConfigs());
  return removed.size();
}

Result<std::optional<Retention::Deliveries>> Retention::DeliveriesToRemove(const Event& event) {
  std::vector<DeliveryRun> runs = {{event.first_delivery, event.deliveries}};
  sql_.replays.Bind(event.seq);
  for (;;) {
    const auto row = sql_.replays.Next();
    // If the replay table is damaged its deliveries stay behind: the journal must still be able to free space.
    if (!row && row.error().code != ErrorCode::kInvalid) return row.error();
    if (!row || !*row) break;
    runs.push_back({sql_.replays.Int(0), sql_.replays.Int(1)});
  }
  Deliveries deliveries;
  bool has_pending = false;
  HSW_TRY(WalkRuns(runs, [&](DeliverySeq seq) -> Result<std::optional<DeliverySeq>> {
    std::optional<DeliverySeq> none;
    has_pending = has_pending || store_.IsPending(seq);
    // Nothing is removed: the rest need not be read.
    if (has_pending) return none;
    const auto row = sql_.delivery.Bind(seq).Next();
    if (!row) return row.error();
    if (!*row) return none;
    const DeliverySeq fallback = sql_.delivery.Int(2);
    const bool is_its = sql_.delivery.Int(3) == event.seq;
    if (is_its) deliveries.rows.push_back({seq, std::string(sql_.delivery.Bytes(0)), sql_.delivery.Int(1)});
    sql_.delivery.Reset();
    return std::optional(is_its ? fallback : 0);
  }));
  if (has_pending) return std::optional<Deliveries>();
  deliveries.has_replays = runs.size() > 1;
  return std::optional(std::move(deliveries));
}

Status Retention::Remove(const Event& event, const Deliveries& deliveries) {
  if (deliveries.has_replays) HSW_TRY(sql_.remove_replays.Bind(event.seq).Run());
  const bool has_memory = event.call_key != 0 && store_.has_memory();
  for (const auto& delivery : deliveries.rows) {
    for (std::int64_t seq = delivery.last_attempt; seq != 0;) {
      sql_.attempt.Bind(seq);
      const auto row = sql_.attempt.Next();
      if (!row) return row.error();
      if (!*row) break;
      const std::int64_t previous = sql_.attempt.Int(0);
      sql_.attempt.Reset();
      HSW_TRY(sql_.remove_attempt.Bind(seq).Run());
      seq = previous < seq ? previous : 0;
    }
    if (has_memory) HSW_TRY(sql_.remove_memory.Bind(delivery.sink, event.call_key, event.seq).Run());
    HSW_TRY(sql_.remove_delivery.Bind(delivery.seq).Run());
  }
  if (has_memory) HSW_TRY(sql_.remove_memory.Bind(kNoSink, event.call_key, event.seq).Run());
  HSW_TRY(sql_.remove_revisions.Bind(event.seq).Run());
  HSW_TRY(sql_.remove_raw.Bind(event.seq).Run());
  return sql_.remove_event.Bind(event.seq).Run();
}

}  // namespace hookswitch
