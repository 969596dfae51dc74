#include <algorithm>

#include "core/journal/delivery_runs.h"
#include "core/journal/rows.h"
#include "core/journal/store.h"

// Store's changes of what is stored already: those of History, and revisions.
namespace hookswitch {

Result<std::optional<Store::StoredDelivery>> Store::FindDelivery(DeliverySeq delivery, std::set<DeliverySeq>& damaged) {
  std::optional<StoredDelivery> none;
  if (damaged.contains(delivery)) return none;
  const auto row = sql_.delivery_of.Bind(delivery).Next();
  if (!row) {
    if (row.error().code != ErrorCode::kInvalid) return row.error();
    damaged.insert(delivery);
    return none;
  }
  if (!*row) return none;
  const auto state = StateOf(sql_.delivery_of.Int(2));
  std::string sink(sql_.delivery_of.Bytes(1));
  sql_.delivery_of.Reset();
  if (!state) return none;
  return std::optional(StoredDelivery{delivery, std::move(sink), *state});
}

Result<PendingDelivery> Store::ReadPending(DeliverySeq delivery) {
  const auto row = sql_.one_pending.Bind(delivery).Next();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kInvalid, "delivery " + DeliveryId(delivery) + " cannot be read again"};
  PendingDelivery pending = PendingOf(sql_.one_pending);
  sql_.one_pending.Reset();
  return pending;
}

Status Store::UpdateRow(Statement& update, DeliverySeq delivery, std::set<DeliverySeq>& damaged) {
  Status done = update.Run();
  if (!done && done.error().code == ErrorCode::kInvalid) damaged.insert(delivery);
  return done;
}

Status Store::Revive(std::span<const DeliverySeq> deliveries, WallTime now, std::vector<PendingDelivery>& revived,
                     std::set<DeliverySeq>& damaged) {
  for (const DeliverySeq delivery : deliveries) {
    const auto stored = FindDelivery(delivery, damaged);
    if (!stored) return stored.error();
    if (!*stored || IsOpen((*stored)->state)) continue;
    HSW_TRY(UpdateRow(sql_.revive.Bind(delivery, Ms(now)), delivery, damaged));
    pending_.Set(delivery, (*stored)->sink, true);
    auto pending = ReadPending(delivery);
    if (!pending) return pending.error();
    revived.push_back(std::move(*pending));
  }
  return Ok();
}

Status Store::AddDeliveries(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now,
                            std::vector<PendingDelivery>& added) {
  return AddToStoredEvent(event, deliveries, now, kReplay | kNotTriedSince, added);
}

/// Adds deliveries to a stored event, linked by the replay table; `flags` are added to their own.
Status Store::AddToStoredEvent(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now,
                               std::int64_t flags, std::vector<PendingDelivery>& added) {
  const auto row = sql_.call_of.Bind(event).Next();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::kNotFound, "event " + std::to_string(event) + " is not in the journal (any more)"};
  const auto call_key = static_cast<std::uint64_t>(sql_.call_of.Int(0));
  sql_.call_of.Reset();
  if (deliveries.empty()) return Ok();
  HSW_TRY(sql_.replay.Bind(event, next_delivery_, static_cast<std::int64_t>(deliveries.size())).Run());
  for (const NewDelivery& delivery : deliveries) {
    const DeliverySeq seq = next_delivery_;
    HSW_TRY(AddDelivery(event, call_key, now, delivery, FlagsOf(delivery) | flags));
    auto pending = ReadPending(seq);
    if (!pending) return pending.error();
    added.push_back(std::move(*pending));
  }
  return Ok();
}

Status Store::Cancel(std::span<const DeliverySeq> deliveries, std::string_view reason,
                     std::vector<DeliverySeq>& canceled, std::set<DeliverySeq>& damaged) {
  for (const DeliverySeq delivery : deliveries) {
    const auto stored = FindDelivery(delivery, damaged);
    if (!stored) return stored.error();
    if (!*stored || !(IsOpen((*stored)->state) || (*stored)->state == DeliveryState::kDead)) continue;
    HSW_TRY(UpdateRow(sql_.cancel.Bind(delivery, reason), delivery, damaged));
    pending_.Set(delivery, (*stored)->sink, false);
    canceled.push_back(delivery);
  }
  return Ok();
}

Status Store::SavePause(std::string_view sink, const std::optional<Pause>& pause) {
  const Pause none;
  const Pause& kept = pause ? *pause : none;
  return sql_.pause.Bind(sink, pause.has_value(), Ms(kept.until), kept.because).Run();
}

Result<std::vector<Store::StoredDelivery>> Store::DeliveriesOfEvent(EventSeq event) {
  std::vector<DeliveryRun> runs;
  sql_.runs_of.Bind(event);
  for (;;) {
    const auto row = sql_.runs_of.Next();
    if (!row) return row.error();
    if (!*row) break;
    runs.push_back({sql_.runs_of.Int(0), sql_.runs_of.Int(1)});
  }
  std::vector<StoredDelivery> all;
  HSW_TRY(WalkRuns(runs, [&](DeliverySeq seq) -> Result<std::optional<DeliverySeq>> {
    const auto row = sql_.delivery_of.Bind(seq).Next();
    if (!row) return row.error();
    if (!*row) return std::optional<DeliverySeq>();
    const bool is_its = sql_.delivery_of.Int(0) == event;
    const auto state = StateOf(sql_.delivery_of.Int(2));
    const DeliverySeq fallback = sql_.delivery_of.Int(3);
    if (is_its && state) all.push_back({seq, std::string(sql_.delivery_of.Bytes(1)), *state});
    sql_.delivery_of.Reset();
    return std::optional(is_its ? fallback : 0);
  }));
  return all;
}

Status Store::Revise(EventSeq event, const NewEvent& revised, std::uint64_t sum, Accepted::Revised& changes) {
  const auto config = NumberOf(revised.config);
  if (!config) return config.error();
  HSW_TRY(sql_.keep_revision.Bind(event, Ms(revised.received_at)).Run());
  HSW_TRY(sql_.revise_raw.Bind(event, sum, revised.headers, Statement::Blob{revised.body}).Run());
  HSW_TRY(sql_.revise_event.Bind(event, revised.agent, revised.status, revised.note, revised.content, *config).Run());
  HSW_TRY(KeepCarry(event, revised));
  configs_.Count(*config, 1);
  HSW_TRY(sql_.drop_revisions.Bind(event).Run());

  const auto all = DeliveriesOfEvent(event);
  if (!all) return all.error();
  for (const StoredDelivery& delivery : *all) {
    const auto wanted = std::ranges::find(revised.deliveries, std::string_view(delivery.sink), &NewDelivery::sink);
    if (wanted != revised.deliveries.end() && wanted->ends_call && delivery.state == DeliveryState::kHeld) {
      HSW_TRY(sql_.release.Bind(delivery.seq).Run());
    }
    if (wanted != revised.deliveries.end() || !IsOpen(delivery.state)) continue;
    HSW_TRY(sql_.cancel.Bind(delivery.seq, std::string_view("the event was revised, and no rule wants it here")).Run());
    pending_.Set(delivery.seq, delivery.sink, false);
    changes.canceled.push_back(delivery.seq);
  }
  std::vector<NewDelivery> more;
  for (const NewDelivery& route : revised.deliveries) {
    bool was_reached = false, waits = false;
    for (const StoredDelivery& delivery : *all) {
      if (delivery.sink != route.sink || delivery.state == DeliveryState::kCanceled) continue;
      was_reached = true;
      waits = waits || IsOpen(delivery.state);
    }
    if (!was_reached || (route.updates && !waits)) more.push_back(route);
  }
  return AddToStoredEvent(event, more, revised.received_at, 0, changes.added);
}

}  // namespace hookswitch
