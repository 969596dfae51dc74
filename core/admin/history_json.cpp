#include "core/admin/history_json.h"

#include <openssl/evp.h>

#include "core/admin/answers.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

bool IsHeld(LaneStatus::State state) {
  using State = LaneStatus::State;
  return state == State::kPaused || state == State::kMisconfigured || state == State::kUnavailable ||
         state == State::kRemoved;
}

std::string ToBase64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

}  // namespace

HeldSinks HeldSinksOf(std::span<const LaneStatus> lanes) {
  HeldSinks held;
  for (const LaneStatus& lane : lanes) {
    if (!IsHeld(lane.state)) continue;
    std::string why = "the sink is " + std::string(ToString(lane.state));
    if (!lane.because.empty()) why += ": " + lane.because;
    held.emplace(lane.sink, std::move(why));
  }
  return held;
}

std::vector<std::string> NamesOf(const HeldSinks& held) {
  std::vector<std::string> names;
  for (const auto& [name, why] : held) names.push_back(name);
  return names;
}

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

json::object ToObject(const DeliverySummary& delivery, const HeldSinks& held) {
  DeliveryState state = delivery.state;
  const bool waits = state == DeliveryState::kPending || state == DeliveryState::kHeld;
  json::value due = nullptr;
  if (waits && delivery.due != WallTime{}) due = ToRfc3339(delivery.due);
  json::value because = nullptr;
  const auto sink = waits ? held.find(delivery.sink) : held.end();
  if (sink != held.end()) {
    state = DeliveryState::kHeld;
    because = sink->second;
  } else if (state == DeliveryState::kHeld) {
    because = "until its call has ended for good, or it is due";
  }
  return {{"id", DeliveryId(delivery.seq)},
          {"event", OrNull(delivery.event_id)},
          {"call_id", OrNull(delivery.call_id)},
          {"agent", OrNull(delivery.agent)},
          {"status", OrNull(delivery.status)},
          {"sink", delivery.sink},
          {"rule", delivery.rule},
          {"template", OrNull(delivery.template_name)},
          {"state", ToString(state)},
          {"because", std::move(because)},
          {"accepted_at", ToRfc3339(delivery.accepted_at)},
          {"due", std::move(due)},
          {"attempts", delivery.attempts},
          {"is_fallback", delivery.is_fallback},
          {"is_replay", delivery.is_replay},
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

json::value RoutingOf(const EventReading& reading, WallTime now) {
  if (!reading.call) return nullptr;
  json::array rules;
  for (const auto& verdict : reading.explanation.rules) {
    rules.push_back(json::object{
        {"name", verdict.rule}, {"matched", verdict.result == RuleVerdict::Result::kMatched}, {"why", verdict.why}});
  }
  json::array deliveries;
  for (const Route& route : reading.explanation.routes) {
    deliveries.push_back(json::object{{"sink", route.sink}, {"rule", route.rule}});
  }
  return json::object{{"generation", reading.generation},
                      {"as_of", ToRfc3339(now)},
                      {"rules", std::move(rules)},
                      {"deliveries", std::move(deliveries)}};
}

void AddBody(json::object& shown, const StoredEvent& stored) {
  const bool is_text = IsUtf8(stored.body);
  shown["raw"] = is_text ? json::value(stored.body) : json::value(nullptr);
  if (!is_text) shown["raw_base64"] = ToBase64(stored.body);
  json::array headers;
  for (const auto& [name, value] : ParseHeaders(stored.headers)) {
    headers.push_back(json::object{{"name", name}, {"value", value}});
  }
  shown["headers"] = std::move(headers);
}

}  // namespace hookswitch
