#pragma once
#include <optional>

#include "core/admin/event_reading.h"
#include "core/admin/holds.h"
#include "core/base/json.h"
#include "core/journal/history.h"

/// History as the admin API shows it. Absent things are null.
namespace hookswitch {

/// {"id","received_at","source","call_id","agent","status","note","deliveries"}
json::object ToObject(const EventSummary& event);

/// {"id","event","call_id","agent","status","sink","rule","template","state","held_by","because","accepted_at",
/// "replayed_at","due","attempts","is_fallback","is_replay","fallback","code","reason"}. What `hold` keeps is "held".
json::object ToObject(const DeliverySummary& delivery, const std::optional<Holds::Hold>& hold);

/// {"number","trigger","started_at","latency_ms","outcome","may_have_been_delivered","http_status","code","reason",
/// "action","remote_id","request","response"}
json::object ToObject(const StoredAttempt& attempt);

/// {"generation","as_of","rules":[{"name","matched","why"}],"deliveries":[{"sink","rule"}]}: what the current rules
/// would make of an event, which may not be what they were when it came.
json::value RoutingOf(const EventReading& reading, WallTime now);

/// {"at","source","peer","path","http_status","error","detail"}
json::object ToObject(const RefusedRequest& refused);

/// "raw": the body if it is UTF-8, else null and "raw_base64" has it; "headers":[{"name","value"}], those that are
/// kept.
void AddBody(json::object& shown, std::string_view headers, std::string_view body);

/// {"number","until"} and the body, as above: what an event was before it was revised.
json::object ToObject(const Revision& revision);

}  // namespace hookswitch
