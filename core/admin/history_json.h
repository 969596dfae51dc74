#pragma once
#include <optional>

#include "core/admin/event_reading.h"
#include "core/admin/holds.h"
#include "core/base/json.h"
#include "core/journal/history.h"

/// History as JSON of the admin API. Absent values are null.
namespace hookswitch {

/// {"id","received_at","source","call_id","agent","status","note","deliveries"}
json::object ToObject(const EventSummary& event);

/// {"id","event","call_id","agent","status","sink","rule","template","state","held_by","because","accepted_at",
/// "replayed_at","due","attempts","is_fallback","is_replay","fallback","code","reason"}. With `hold` the state is
/// "held".
json::object ToObject(const DeliverySummary& delivery, const std::optional<Holds::Hold>& hold);

/// {"number","trigger","started_at","latency_ms","outcome","may_have_been_delivered","http_status","code","reason",
/// "action","remote_id","request","response"}
json::object ToObject(const StoredAttempt& attempt);

/// {"generation","as_of","rules":[{"name","matched","why"}],"deliveries":[{"sink","rule"}]}: how the current rules
/// route an event; they may differ from those at its acceptance. null if it is not a call.
json::value RoutingOf(const EventReading& reading, WallTime now);

/// {"at","source","peer","path","http_status","error","detail"}
json::object ToObject(const RefusedRequest& refused);

/// Adds "raw", the body if it is UTF-8, else null and "raw_base64"; and "headers":[{"name","value"}], the stored ones.
void AddBody(json::object& shown, std::string_view headers, std::string_view body);

/// {"number","until"} and the body as of AddBody: an event before it was revised.
json::object ToObject(const Revision& revision);

}  // namespace hookswitch
