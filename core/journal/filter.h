#pragma once
#include "core/journal/history.h"

namespace hookswitch {

/// Whether `event` is what `filter` asks for. `text` is left to whoever has the body.
bool Matches(const EventFilter& filter, const EventSummary& event);

/// Whether `delivery` is what `filter` asks for, as far as that is about the delivery itself.
bool Matches(const DeliveryFilter& filter, const DeliverySummary& delivery);
/// The rest of it: `event` is the delivery's, nullptr if that cannot be read.
bool MatchesEvent(const DeliveryFilter& filter, const EventSummary* event);

/// Puts what is known of its event into `delivery`.
void Describe(DeliverySummary& delivery, const EventSummary& event);
/// Puts in why its last attempt failed, if it did.
void Explain(DeliverySummary& delivery, const StoredAttempt& last);
/// Has what waits for a lane that stands still count as held.
void CountAsHeld(DeliverySummary& delivery, const std::vector<std::string>& held_sinks);

}  // namespace hookswitch
