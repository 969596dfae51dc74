#include "core/admin/event_reading.h"

#include "core/base/text.h"
#include "core/sources/stored_request.h"

namespace hookswitch {

EventReading ReadEvent(const StoredEvent& stored, const SourceMap& sources, std::shared_ptr<const RouteTable> routes) {
  EventReading reading;
  if (stored.source == kOwnSource) {
    reading.why_not = "hookswitch wrote it itself, to tell of a sink in trouble";
    return reading;
  }
  const auto source = sources.find(stored.source);
  if (source == sources.end() || !source->second) {
    reading.why_not = "the config has no source \"" + stored.source + "\"";
    return reading;
  }
  auto read = ReadAgain(*source->second, {stored.id, stored.headers, stored.body, stored.received_at}, &reading.paths);
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    reading.why_not = "the source no longer reads it: " + refusal->error + ": " + refusal->detail;
    return reading;
  }
  if (const auto* other = std::get_if<NotACall>(&read)) {
    reading.why_not = other->why;
    return reading;
  }
  auto call = std::make_shared<const CallEvent>(std::move(std::get<CallEvent>(read)));
  if (routes) reading.explanation = routes->Explain(*call);
  reading.call = std::move(call);
  reading.routes = std::move(routes);
  return reading;
}

Result<EventSummary> FindEvent(History& history, std::string_view id) {
  const Error missing{ErrorCode::kNotFound, "no event has the id " + ToUtf8(id) + "; retention may have removed it"};
  const auto seq = EventSeqOf(id);
  if (!seq) return missing;
  auto event = history.FindEvent(*seq);
  if (event && !EqualsIgnoreCase(event->id, id)) return missing;
  if (!event && event.error().code == ErrorCode::kNotFound) return missing;
  return event;
}

}  // namespace hookswitch
