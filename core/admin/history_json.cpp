#include "core/admin/history_json.h"

#include "core/admin/answers.h"
#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/stored_request.h"

namespace hookswitch {
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
          {"is_fallback", delivery.is_fallback},
          {"is_replay", delivery.was_replayed},
          {"fallback", delivery.fallback == 0 ? json::value(nullptr) : json::value(DeliveryId(delivery.fallback))},
          {"code", OrNull(delivery.code)},
          {"reason", OrNull(delivery.reason)}};
}

json::object ToObject(const StoredAttempt& attempt) {
  return {{"number", attempt.number},
          {"trigger", ToString(attempt.trigger)},
          {"started_at", ToRfc3339(attempt.started_at)},
          {"latency_ms", attempt.latency.count()},
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
  return {{"at", ToRfc3339(refused.at)},     {"source", OrNull(refused.source)},   {"peer", OrNull(refused.peer)},
          {"path", OrNull(refused.path)},    {"http_status", refused.http_status}, {"error", refused.error},
          {"detail", OrNull(refused.detail)}};
}

json::value RoutingOf(const EventReading& reading, WallTime now) {
  if (!reading.call) return nullptr;
  json::object routing{{"generation", reading.generation}, {"as_of", ToRfc3339(now)}};
  AddExplanation(routing, reading.explanation);
  return routing;
}

void AddBody(json::object& shown, std::string_view headers, std::string_view body) {
  const bool is_text = IsUtf8(body);
  shown["raw"] = is_text ? json::value(body) : json::value(nullptr);
  if (!is_text) shown["raw_base64"] = Base64(body);
  json::array list;
  for (const auto& [name, value] : ParseHeaderLines(headers))
    list.push_back(json::object{{"name", name}, {"value", value}});
  shown["headers"] = std::move(list);
}

json::object ToObject(const Revision& revision) {
  json::object shown{{"number", revision.number}, {"until", ToRfc3339(revision.until)}};
  AddBody(shown, revision.headers, revision.body);
  return shown;
}

}  // namespace hookswitch
