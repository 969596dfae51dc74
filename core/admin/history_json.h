#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/admin/event_reading.h"
#include "core/base/json.h"
#include "core/delivery/dispatcher.h"
#include "core/journal/history.h"

/// History as the admin API shows it. Absent things are null.
namespace hookswitch {

/// Sinks whose lanes stand still until somebody does something, and why.
using HeldSinks = std::map<std::string, std::string, std::less<>>;
HeldSinks HeldSinksOf(std::span<const LaneStatus> lanes);
std::vector<std::string> NamesOf(const HeldSinks& held);

/// {"id","received_at","source","call_id","agent","status","note","deliveries"}
json::object ToObject(const EventSummary& event);

/// {"id","event","call_id","agent","status","sink","rule","template","state","because","accepted_at","due","attempts",
/// "is_fallback","is_replay","fallback","code","reason"}. What waits for a sink in `held` is "held".
json::object ToObject(const DeliverySummary& delivery, const HeldSinks& held);

/// {"number","trigger","started_at","latency_ms","outcome","may_have_been_delivered","http_status","code","reason",
/// "action","remote_id","request","response"}
json::object ToObject(const StoredAttempt& attempt);

/// {"generation","as_of","rules":[{"name","matched","why"}],"deliveries":[{"sink","rule"}]}: what the rules of now
/// would make of an event, which may not be what they were when it came.
json::value RoutingOf(const EventReading& reading, WallTime now);

/// "raw": the body if it is UTF-8, else null and "raw_base64" has it; "headers":[{"name","value"}], those that are
/// kept.
void AddBody(json::object& shown, const StoredEvent& stored);

}  // namespace hookswitch
