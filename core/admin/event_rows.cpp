#include "core/admin/event_rows.h"

#include "core/admin/history_json.h"

namespace hookswitch {

Result<EventRow> ReadRow(const EventSummary& event, const Holds& holds, History& history, Journal& journal,
                         Router& router) {
  auto deliveries = history.DeliveriesOf(event.seq);
  if (!deliveries) return std::move(deliveries).error();
  const auto stored = journal.Load(event.seq);
  if (!stored && stored.error().code == ErrorCode::kUnavailable) return stored.error();
  const auto call = stored ? router.Normalize(*stored) : nullptr;
  json::object row = ToRow(event, call.get(), *deliveries, holds);
  return EventRow{std::move(row), std::move(*deliveries)};
}

}  // namespace hookswitch
