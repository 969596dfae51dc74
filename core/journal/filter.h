#pragma once
#include "core/journal/history.h"

namespace hookswitch {

/// Whether `event` matches `filter`, except `filter.text`, which needs the body.
bool Matches(const EventFilter& filter, const EventSummary& event);

/// Whether `delivery` matches the delivery's own fields of `filter`.
bool Matches(const DeliveryFilter& filter, const DeliverySummary& delivery);
/// Whether the event's fields of `filter` match. `event`: the delivery's; nullptr if unreadable.
bool MatchesEvent(const DeliveryFilter& filter, const EventSummary* event);

/// Copies the event's fields into `delivery`.
void Describe(DeliverySummary& delivery, const EventSummary& event);
/// Copies code and reason of `last`, if that attempt failed.
void Explain(DeliverySummary& delivery, const StoredAttempt& last);
/// Shows a pending delivery of one of `held_sinks` as kHeld.
void CountAsHeld(DeliverySummary& delivery, const std::vector<std::string>& held_sinks);

}  // namespace hookswitch
