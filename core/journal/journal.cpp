#include "core/journal/journal.h"

#include "core/base/check.h"

namespace hookswitch {

PendingDelivery MakePending(const NewDelivery& delivery, DeliverySeq seq, EventSeq event, std::uint64_t call_key,
                            WallTime accepted_at) {
  const bool is_held = delivery.hold.count() > 0;
  PendingDelivery pending{{.seq = seq,
                           .event = event,
                           .call_key = call_key,
                           .is_held = is_held,
                           .newest_only = delivery.newest_only,
                           .ends_call = delivery.ends_call},
                          {std::string(delivery.sink), std::string(delivery.rule), std::string(delivery.template_name)},
                          accepted_at};
  if (is_held) pending.due = accepted_at + delivery.hold;
  return pending;
}

std::vector<PendingDelivery> StoredDeliveries(const NewEvent& event, const Accepted& accepted) {
  std::vector<PendingDelivery> pending;
  pending.reserve(event.deliveries.size());
  DeliverySeq seq = accepted.first_delivery;
  for (const NewDelivery& delivery : event.deliveries) {
    pending.push_back(MakePending(delivery, seq++, accepted.event, event.call_key, event.received_at));
  }
  return pending;
}

std::string_view ToString(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending: return "pending";
    case DeliveryState::kHeld: return "held";
    case DeliveryState::kDelivered: return "delivered";
    case DeliveryState::kDead: return "dead";
    case DeliveryState::kCanceled: return "canceled";
    case DeliveryState::kFellBack: return "fell_back";
  }
  Unreachable();
}

std::string_view ToString(Trigger trigger) {
  switch (trigger) {
    case Trigger::kFirst: return "first";
    case Trigger::kAutomatic: return "automatic";
    case Trigger::kManual: return "manual";
  }
  Unreachable();
}

}  // namespace hookswitch
