#include "core/ingress/prepared_event.h"

#include <utility>
#include <variant>

#include "core/base/ids.h"
#include "core/sources/carry.h"
#include "core/sources/stored_request.h"

namespace hookswitch {
namespace {

Digest KeyOf(std::string_view source, std::string_view key) {
  thread_local std::string text;
  text.assign(source);
  text += '\n';
  text += key;
  return DigestOf(text);
}

std::uint64_t CallKeyOf(std::string_view source, std::string_view call_id) {
  const Digest digest = KeyOf(source, call_id);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest[i];
  return key == 0 ? 1 : key;  // 0 means no call
}

void AddRoutes(PreparedEvent& what, const IngressSnapshot& snapshot) {
  const CallEvent& event = *what.event;
  if (snapshot.routes) snapshot.routes->Match(event, what.routes);
  for (const Route& route : what.routes) {
    what.deliveries.push_back({.sink = route.sink,
                               .rule = route.rule,
                               .template_name = route.template_name,
                               .hold = route.hold,
                               .newest_only = route.newest_only,
                               .updates = snapshot.updating_sinks.contains(route.sink),
                               .ends_call = event.stage == Stage::kFinal});
  }
  what.stored.deliveries = what.deliveries;
  what.stored.ends_call = event.stage == Stage::kFinal;
}

}  // namespace

std::string CallsSoFar::SaidBefore(std::uint64_t call_key) {
  {
    MutexLock lock(mu_);
    if (const auto found = uncommitted_.find(call_key); found != uncommitted_.end()) return found->second.said;
  }
  // Nothing of the call is on its way, so the journal has all of it.
  auto kept = journal_.LoadMemory(kNoSink, call_key);
  return kept ? std::move(*kept) : std::string();
}

void CallsSoFar::Apply(PreparedEvent& what) {
  NewEvent& stored = what.stored;
  if (stored.call_key == 0) return;
  const std::string before = SaidBefore(stored.call_key);
  if (what.event->stage == Stage::kFinal) {
    const std::string carried = CarryInto(*what.event, before);
    if (carried.empty()) return;
    what.headers_with_carried = stored.headers;
    what.headers_with_carried += HeaderLines(Headers{{std::string(kCarriedName), carried}});
    stored.headers = what.headers_with_carried;
    return;
  }
  std::string said = SaidSoFar(*what.event, before);
  if (said == before) return;
  what.carry = std::move(said);
  stored.carry = what.carry;
  MutexLock lock(mu_);
  Uncommitted& call = uncommitted_[stored.call_key];
  call.said = what.carry;
  ++call.events;
}

void CallsSoFar::Done(const PreparedEvent& what) {
  if (what.carry.empty()) return;
  MutexLock lock(mu_);
  const auto found = uncommitted_.find(what.stored.call_key);
  if (found != uncommitted_.end() && --found->second.events == 0) uncommitted_.erase(found);
}

void PrepareEvent(PreparedEvent& what, const RawRequest& raw, std::string_view headers, Normalized normalized,
                  const IngressSnapshot::Endpoint& endpoint, const IngressSnapshot& snapshot, CallsSoFar& calls) {
  NewEvent& stored = what.stored;
  stored.source = endpoint.config.name;
  stored.headers = headers;
  stored.body = raw.body;
  stored.dedup = KeyOf(endpoint.config.name, normalized.dedup_key);
  stored.received_at = raw.received_at;
  stored.config = snapshot.config.get();
  if (auto* other = std::get_if<NotACall>(&normalized.what)) {
    what.note = std::move(other->why);
    stored.note = what.note;
    return;
  }
  stored.content = normalized.content;
  what.note = std::move(normalized.note);
  stored.note = what.note;
  what.event = std::make_shared<CallEvent>(std::move(std::get<CallEvent>(normalized.what)));
  const CallEvent& event = *what.event;
  if (!event.call_id.empty()) stored.call_key = CallKeyOf(endpoint.config.name, event.call_id);
  if (endpoint.source->CarriesOver()) calls.Apply(what);
  AddRoutes(what, snapshot);
  stored.call_id = event.call_id;
  stored.agent = event.AgentLabel();
  stored.status = ToString(event.status);
}

}  // namespace hookswitch
