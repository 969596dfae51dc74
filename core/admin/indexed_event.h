#pragma once
#include <vector>

#include "core/admin/event_reading.h"
#include "core/admin/router.h"
#include "core/journal/history.h"
#include "core/journal/search_index.h"
#include "core/journal/search_words.h"

/// What the search index takes of an event.
namespace hookswitch {

/// How a search knows an event: as it was read and routed at its acceptance, or as now if its config is unknown.
EventReading ReadForSearch(Router& router, const StoredEvent& stored);

/// The event by its row: without deliveries, and with the agent's name as its only text.
IndexedEvent MakeIndexed(const EventSummary& summary);
std::vector<IndexedDelivery> IndexedOf(const std::vector<DeliverySummary>& deliveries);
/// Adds how the event was read: numbers, marks of fields, and the rules that matched. Nothing if it is no call.
void AddReading(IndexedEvent& event, const EventReading& reading, WordSplitter& splitter);

}  // namespace hookswitch
