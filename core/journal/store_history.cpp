#include "core/journal/rows.h"
#include "core/journal/store.h"

// The write half of History.
namespace hookswitch {

Result<std::optional<Store::StoredDelivery>> Store::DeliveryIn(DeliverySeq delivery, std::set<DeliverySeq>& damaged) {
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
    const auto stored = DeliveryIn(delivery, damaged);
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
  return AddLater(event, deliveries, now, kReplay | kNotTriedSince, added);
}

/// Adds deliveries to a stored event, linked by the replay table; `flags` are added to their own.
Status Store::AddLater(EventSeq event, std::span<const NewDelivery> deliveries, WallTime now, std::int64_t flags,
                       std::vector<PendingDelivery>& added) {
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
    const auto stored = DeliveryIn(delivery, damaged);
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

}  // namespace hookswitch
