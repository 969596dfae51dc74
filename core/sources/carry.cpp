#include "core/sources/carry.h"

#include <optional>
#include <string>
#include <utility>

#include "core/base/json.h"
#include "core/event/event_from_json.h"
#include "core/sources/payload.h"

namespace hookswitch {
namespace {

template <class T>
bool Lacks(const std::optional<T>& value) {
  return !value.has_value();
}
bool Lacks(const auto& container) {
  return container.empty();
}

/// Copies to `to`, and to `copies`, what `to` lacks and `from` has; calls `note` with the name of each such field.
void FillGaps(CallEvent& to, const CallEvent& from, CallEvent& copies, auto note) {
  const auto fill = [&](std::string_view name, auto member) {
    if (!Lacks(to.*member) || Lacks(from.*member)) return;
    to.*member = copies.*member = from.*member;
    note(name);
  };
  if (to.agent_id.empty() && to.agent_name.empty()) {
    fill("agent.id", &CallEvent::agent_id);
    fill("agent.name", &CallEvent::agent_name);
    if (to.agent_tags.empty()) to.agent_tags = copies.agent_tags = from.agent_tags;
  } else if (to.agent_id == from.agent_id) {
    fill("agent.name", &CallEvent::agent_name);
  }
  fill("direction", &CallEvent::direction);
  fill("from", &CallEvent::from);
  fill("to", &CallEvent::to);
  fill("started_at", &CallEvent::started_at);
  fill("ended_at", &CallEvent::ended_at);
  fill("duration", &CallEvent::duration);
  fill("transcript", &CallEvent::transcript);
  fill("summary", &CallEvent::summary);
  fill("cost", &CallEvent::cost);
  fill("recording_url", &CallEvent::recording_url);
  fill("hangup.by", &CallEvent::hangup_by);
  fill("hangup.reason", &CallEvent::hangup_reason);
  fill("hangup.code", &CallEvent::hangup_code);
  fill("voicemail", &CallEvent::voicemail);
  fill("sentiment", &CallEvent::sentiment);
  fill("success", &CallEvent::success);
  const auto fill_map = [&](std::string_view name, auto member) {
    for (const auto& [key, value] : from.*member) {
      if ((to.*member).size() >= payload::kMaxEntries || !(to.*member).emplace(key, value).second) continue;
      (copies.*member).emplace(key, value);
      note(std::string(name) + '.' + key);
    }
  };
  fill_map("data", &CallEvent::data);
  fill_map("meta", &CallEvent::meta);
}

CallEvent EventOf(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return {};
  auto read = EventFromJson(value);
  return read ? std::move(*read) : CallEvent();
}

/// What `event` says, without what is never carried.
std::string TextOf(const CallEvent& event) {
  json::object all = ToObject(event), kept;
  for (const std::string_view key : {"source", "received_at", "status", "stage"}) all.erase(key);
  if (event.agent_id.empty() && event.agent_name.empty()) all.erase("agent");
  for (const auto& [key, value] : all) {
    const bool is_empty = value.is_null() || (value.is_object() && value.get_object().empty());
    if (!is_empty) kept.emplace(key, value);
  }
  return kept.empty() ? std::string() : ToText(kept);
}

}  // namespace

std::string SaidSoFar(const CallEvent& event, std::string_view before) {
  CallEvent all = event, copies;
  FillGaps(all, EventOf(before), copies, [](std::string_view) {});
  all.id.clear();
  all.call_id.clear();
  all.raw_status.clear();
  all.error.clear();
  std::string said = TextOf(all);
  if (said.size() <= kMaxCarriedBytes) return said;
  // The transcript is what grows with a call.
  all.transcript.clear();
  said = TextOf(all);
  return said.size() <= kMaxCarriedBytes ? said : std::string(before);
}

std::string CarryInto(CallEvent& event, std::string_view before) {
  CallEvent carried;
  FillGaps(event, EventOf(before), carried, [](std::string_view) {});
  return TextOf(carried);
}

void AddCarried(CallEvent& event, std::string_view carried, FieldPaths* paths) {
  CallEvent copies;
  FillGaps(event, EventOf(carried), copies, [&](std::string_view name) {
    if (paths) paths->Set(name, "carried");
  });
}

}  // namespace hookswitch
