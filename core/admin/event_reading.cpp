#include "core/admin/event_reading.h"

#include "core/base/text.h"

namespace hookswitch {

std::vector<std::pair<std::string, std::string>> ParseHeaders(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    }
  }
  return headers;
}

EventReading ReadAgain(const StoredEvent& stored, const SourceMap& sources, std::shared_ptr<const RouteTable> routes) {
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
  const auto headers = ParseHeaders(stored.headers);
  auto read = source->second->Normalize({stored.body, headers, stored.received_at});
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    reading.why_not = "the source no longer reads it: " + refusal->error + ": " + refusal->detail;
    return reading;
  }
  auto& what = std::get<Normalized>(read).what;
  if (const auto* other = std::get_if<NotACall>(&what)) {
    reading.why_not = other->why;
    return reading;
  }
  auto call = std::make_shared<CallEvent>(std::move(std::get<CallEvent>(what)));
  call->id = stored.id;
  call->received_at = stored.received_at;
  if (routes) reading.explanation = routes->Explain(*call);
  reading.call = std::move(call);
  reading.routes = std::move(routes);
  return reading;
}

}  // namespace hookswitch
