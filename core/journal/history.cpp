#include "core/journal/history.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch {
namespace {

bool Is(const std::string& wanted, const std::string& found) {
  return wanted.empty() || wanted == found;
}

template <class Filter>
bool IsWithin(const Filter& filter, WallTime at) {
  return (!filter.since || at >= *filter.since) && (!filter.until || at < *filter.until);
}

template <class List, class Value>
bool Has(const List& list, const Value& value) {
  return std::ranges::find(list, value) != list.end();
}

bool IsOf(const AgentFilter& agent, const std::string& label) {
  if (agent.glob.empty()) return true;
  return !label.empty() && (GlobMatch(agent.glob, label) || Has(agent.labels, label));
}

bool HasStatus(StatusSet wanted, std::string_view found) {
  if (wanted == 0) return true;
  const auto status = ParseStatus(found);
  return status && (wanted & Bit(*status)) != 0;
}

}  // namespace

bool Matches(const EventFilter& filter, const EventSummary& event) {
  return IsWithin(filter, event.received_at) && Is(filter.source, event.source) && Is(filter.call_id, event.call_id) &&
         IsOf(filter.agent, event.agent) && HasStatus(filter.statuses, event.status);
}

bool Matches(const DeliveryFilter& filter, const DeliverySummary& delivery) {
  return (filter.states.empty() || Has(filter.states, delivery.state)) && Is(filter.sink, delivery.sink) &&
         Is(filter.rule, delivery.rule) && IsWithin(filter, delivery.accepted_at) &&
         (filter.event == 0 || filter.event == delivery.event);
}

bool MatchesEvent(const DeliveryFilter& filter, const EventSummary* event) {
  const EventSummary unknown;
  const EventSummary& known = event != nullptr ? *event : unknown;
  return IsOf(filter.agent, known.agent) && HasStatus(filter.statuses, known.status) &&
         Is(filter.call_id, known.call_id) && Is(filter.source, known.source);
}

void Describe(DeliverySummary& delivery, const EventSummary& event) {
  delivery.event_id = event.id;
  delivery.call_id = event.call_id;
  delivery.agent = event.agent;
  delivery.status = event.status;
}

void Explain(DeliverySummary& delivery, const StoredAttempt& last) {
  delivery.latency = last.latency;
  if (!delivery.code.empty() || !delivery.reason.empty()) return;
  if (last.kind == Outcome::Kind::kDelivered || last.kind == Outcome::Kind::kNext) return;
  delivery.code = last.code;
  delivery.reason = last.reason;
}

void CountAsHeld(DeliverySummary& delivery, const std::vector<std::string>& held_sinks) {
  if (delivery.state == DeliveryState::kPending && Has(held_sinks, delivery.sink)) {
    delivery.state = DeliveryState::kHeld;
  }
}

}  // namespace hookswitch
