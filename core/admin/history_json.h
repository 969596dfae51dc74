#pragma once
#include <optional>
#include <span>

#include "core/admin/event_reading.h"
#include "core/admin/holds.h"
#include "core/base/json.h"
#include "core/journal/history.h"

/// History as JSON of the admin API. Absent values are null.
namespace hookswitch {

/// {"id","received_at","source","call_id","agent","status","note","deliveries"}
json::object ToObject(const EventSummary& event);

/// The row of an event in a list with details: as above, and
/// {"duration","direction","stage","revised","outcomes":[{"id",
/// "sink","rule","state","held_by","because","attempts","latency_ms","is_replay","code","reason"}]}. `call`: as its
/// source reads it; nullptr if it is no call. `deliveries`: all of the event, oldest first.
json::object ToRow(const EventSummary& event, const CallEvent* call, std::span<const DeliverySummary> deliveries,
                   const Holds& holds);

/// {"id","event","call_id","agent","status","sink","rule","template","state","held_by","because","accepted_at",
/// "replayed_at","due","attempts","latency_ms","is_fallback","is_replay","fallback","code","reason"}. With `hold` the
/// state is "held".
json::object ToObject(const DeliverySummary& delivery, const std::optional<Holds::Hold>& hold);

/// {"number","trigger","started_at","waits":[{"for","ms"}],"latency_ms","connect_ms","first_byte_ms","outcome",
/// "may_have_been_delivered","http_status","code","reason","action","remote_id","request","response"}
json::object ToObject(const StoredAttempt& attempt);

/// A stored event by two configs: the one that it names, and the current one.
struct TwoReadings {
  PastReading then;
  WallTime then_at{};  ///< when it was routed
  EventReading now;
  WallTime now_at{};
};
/// Adds "config":{"hash","since","is_current"}, "normalized" by the current config, or if that does not read the event
/// by its own, "normalized_because", "routing" by the rules of its own config with "routing_because", and
/// "routing_now" by the current rules. A routing is {"config" or "generation","as_of"} and AddExplanation. null: see
/// the "…_because", which then says why.
void AddReadings(json::object& shown, const TwoReadings& readings);

/// {"at","source","peer","path","http_status","error","detail"}
json::object ToObject(const RefusedRequest& refused);

/// Adds "raw", the body if it is UTF-8, else null and "raw_base64"; and "headers":[{"name","value"}], the stored ones.
void AddBody(json::object& shown, std::string_view headers, std::string_view body);

/// {"number","until"} and the body as of AddBody: an event before it was revised.
json::object ToObject(const Revision& revision);

}  // namespace hookswitch
