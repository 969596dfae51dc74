#include "core/admin/history_json.h"

#include "core/admin/answers.h"
#include "core/admin/explain.h"
#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/stored_request.h"

namespace hookswitch {
namespace {

json::value MsOrNull(std::optional<std::chrono::milliseconds> time) {
  return time ? json::value(time->count()) : json::value(nullptr);
}

json::object OutcomeOf(const DeliverySummary& delivery, const std::optional<Holds::Hold>& hold) {
  json::object whole = ToObject(delivery, hold);
  json::object shown;
  for (const char* key :
       {"id", "sink", "rule", "state", "held_by", "because", "attempts", "latency_ms", "is_replay", "code", "reason"}) {
    shown.emplace(key, std::move(whole.at(key)));
  }
  return shown;
}

}  // namespace

json::object ToObject(const EventSummary& event) {
  return {{"id", event.id},
          {"received_at", ToRfc3339(event.received_at)},
          {"source", event.source},
          {"call_id", OrNull(event.call_id)},
          {"agent", OrNull(event.agent)},
          {"status", OrNull(event.status)},
          {"note", OrNull(event.note)},
          {"deliveries", event.deliveries}};
}

json::object ToRow(const EventSummary& event, const CallEvent* call, std::span<const DeliverySummary> deliveries,
                   const Holds& holds) {
  json::object row = ToObject(event);
  row["duration"] = call && call->duration ? json::value(*call->duration) : json::value(nullptr);
  row["direction"] = call && call->direction ? json::value(ToString(*call->direction)) : json::value(nullptr);
  row["stage"] = call ? json::value(ToString(call->stage)) : json::value(nullptr);
  row["revised"] = event.revisions != 0;
  json::array outcomes;
  outcomes.reserve(deliveries.size());
  for (const DeliverySummary& delivery : deliveries) outcomes.push_back(OutcomeOf(delivery, holds.Of(delivery)));
  row["outcomes"] = std::move(outcomes);
  return row;
}

json::object ToObject(const DeliverySummary& delivery, const std::optional<Holds::Hold>& hold) {
  json::value due = nullptr;
  if (IsOpen(delivery.state) && delivery.due != WallTime{}) due = ToRfc3339(delivery.due);
  return {{"id", DeliveryId(delivery.seq)},
          {"event", OrNull(delivery.event_id)},
          {"call_id", OrNull(delivery.call_id)},
          {"agent", OrNull(delivery.agent)},
          {"status", OrNull(delivery.status)},
          {"sink", delivery.sink},
          {"rule", delivery.rule},
          {"template", OrNull(delivery.template_name)},
          {"state", ToString(hold ? DeliveryState::kHeld : delivery.state)},
          {"held_by", hold ? OrNull(hold->by) : json::value(nullptr)},
          {"because", hold ? OrNull(hold->reason) : json::value(nullptr)},
          {"accepted_at", ToRfc3339(delivery.accepted_at)},
          {"replayed_at", OrNull(delivery.replayed_at)},
          {"due", std::move(due)},
          {"attempts", delivery.attempts},
          {"latency_ms", MsOrNull(delivery.latency)},
          {"is_fallback", delivery.is_fallback},
          {"is_replay", delivery.was_replayed},
          {"fallback", delivery.fallback == 0 ? json::value(nullptr) : json::value(DeliveryId(delivery.fallback))},
          {"code", OrNull(delivery.code)},
          {"reason", OrNull(delivery.reason)}};
}

json::object ToObject(const StoredAttempt& attempt) {
  json::array waits;
  for (const Wait& wait : attempt.waits) {
    waits.push_back(json::object{{"for", ToString(wait.kind)}, {"ms", wait.time.count()}});
  }
  return {{"number", attempt.number},
          {"trigger", ToString(attempt.trigger)},
          {"started_at", ToRfc3339(attempt.started_at)},
          {"waits", std::move(waits)},
          {"latency_ms", attempt.latency.count()},
          {"connect_ms", MsOrNull(attempt.connect)},
          {"first_byte_ms", MsOrNull(attempt.first_byte)},
          {"outcome", ToString(attempt.kind)},
          {"may_have_been_delivered", attempt.may_have_been_delivered},
          {"http_status", attempt.http_status == 0 ? json::value(nullptr) : json::value(attempt.http_status)},
          {"code", OrNull(attempt.code)},
          {"reason", OrNull(attempt.reason)},
          {"action", OrNull(attempt.action)},
          {"remote_id", OrNull(attempt.remote_id)},
          {"request", OrNull(attempt.request)},
          {"response", OrNull(attempt.response)}};
}

json::object ToObject(const RefusedRequest& refused) {
  return {{"number", refused.number},     {"at", ToRfc3339(refused.at)},     {"source", OrNull(refused.source)},
          {"peer", OrNull(refused.peer)}, {"path", OrNull(refused.path)},    {"http_status", refused.http_status},
          {"error", refused.error},       {"detail", OrNull(refused.detail)}};
}

namespace {

json::value RoutingOf(const EventReading& reading, std::string_view by, json::value config, WallTime at) {
  if (!reading.call) return nullptr;
  json::object routing{{by, std::move(config)}, {"as_of", ToRfc3339(at)}};
  AddExplanation(routing, reading.explanation);
  return routing;
}

}  // namespace

void AddReadings(json::object& shown, const TwoReadings& readings) {
  const EventReading& then = readings.then.reading;
  const EventReading& now = readings.now;
  json::value config = nullptr, hash = nullptr;
  if (const auto& known = readings.then.config) {
    hash = Hex(known->hash);
    config = {{"hash", hash}, {"since", ToRfc3339(known->since)}, {"is_current", known->is_current}};
  }
  shown["config"] = std::move(config);
  const EventReading& read = now.call ? now : then;
  std::string because = now.why_not;
  if (!now.call && then.call) because += "; this is how the config at its acceptance reads it";
  shown["normalized"] = read.call ? json::value(ToObject(*read.call)) : nullptr;
  shown["fields"] = read.call ? json::value(FieldsOf(*read.call, read.paths)) : nullptr;
  shown["normalized_because"] = OrNull(because);
  shown["routing"] = RoutingOf(then, "config", std::move(hash), readings.then_at);
  shown["routing_because"] = OrNull(then.why_not);
  shown["routing_now"] = RoutingOf(now, "generation", now.generation, readings.now_at);
}

void AddBody(json::object& shown, std::string_view headers, std::string_view body) {
  const bool is_text = IsUtf8(body);
  shown["raw"] = is_text ? json::value(body) : json::value(nullptr);
  if (!is_text) shown["raw_base64"] = Base64(body);
  json::array list;
  for (const auto& [name, value] : ParseHeaderLines(headers)) {
    // The query and what was carried over are no headers, and may be content, which some readers do not get.
    if (IsHeader(name)) list.push_back(json::object{{"name", name}, {"value", value}});
  }
  shown["headers"] = std::move(list);
}

json::object ToObject(const Revision& revision) {
  json::object shown{{"number", revision.number}, {"until", ToRfc3339(revision.until)}};
  AddBody(shown, revision.headers, revision.body);
  return shown;
}

}  // namespace hookswitch
