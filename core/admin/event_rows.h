#pragma once
#include <vector>

#include "core/admin/holds.h"
#include "core/admin/router.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// An event in a list with details, and all its deliveries, oldest first.
struct EventRow {
  json::object row;  ///< as of ToRow
  std::vector<DeliverySummary> deliveries;
};

/// Reads what a row with details needs: the event's deliveries, and its body, which its source reads again. A damaged
/// body is as none. Errors: kNotFound (removed meanwhile), kInvalid, kUnavailable. [thread: any] Blocks.
Result<EventRow> ReadRow(const EventSummary& event, const Holds& holds, History& history, Journal& journal,
                         Router& router);

}  // namespace hookswitch
