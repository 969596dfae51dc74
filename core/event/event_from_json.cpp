#include "core/event/event_from_json.h"

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>

#include "core/base/time_text.h"

namespace hookswitch {
namespace {

using Setter = std::function<void(const json::value&)>;
using Setters = std::map<std::string, Setter, std::less<>>;

// Thrown, because setters are called from deep inside; caught in EventFromJson.
[[noreturn]] void Fail(std::string_view what, std::string_view name) {
  throw std::runtime_error(std::string(what) + ": " + std::string(name));
}

void Apply(const json::value& value, const Setters& setters) {
  for (const auto& [key, member] : value.as_object()) {
    const auto it = setters.find(std::string_view(key));
    if (it == setters.end()) Fail("not a key of the normalized event", key);
    if (!member.is_null()) it->second(member);
  }
}

Setter Text(std::string& to) {
  return [&to](const json::value& v) { to = std::string_view(v.as_string()); };
}
template <class T>
Setter Time(T& to) {
  return [&to](const json::value& v) {
    const auto time = ParseTime(v.as_string());
    if (!time) Fail("not a time", v.as_string());
    to = *time;
  };
}
DataValue ValueFrom(const json::value& value) {
  using Kind = DataValue::Kind;
  if (value.is_string()) return std::string(std::string_view(value.as_string()));
  return {ToText(value), value.is_bool() ? Kind::kBoolean : value.is_number() ? Kind::kNumber : Kind::kText};
}

Setter Map(TextMap& to) {
  return [&to](const json::value& v) {
    for (const auto& [key, member] : v.as_object()) {
      to[key] = ValueFrom(member).text;
    }
  };
}

Turn TurnFrom(const json::value& value) {
  Turn turn;
  Apply(value, {{"role",
                 [&](const json::value& v) {
                   for (const Role role : {Role::kAgent, Role::kUser, Role::kSystem, Role::kTool}) {
                     if (ToString(role) == std::string_view(v.as_string())) return void(turn.role = role);
                   }
                   Fail("not a role", v.as_string());
                 }},
                {"text", Text(turn.text)}});
  return turn;
}

CallEvent Read(const json::value& value) {
  CallEvent e;
  e.source = "bolna";
  std::optional<Stage> stage;
  Apply(value,
        {{"id", Text(e.id)},
         {"source", Text(e.source)},
         {"source_title", Text(e.source_title)},
         {"call_id", Text(e.call_id)},
         {"received_at", Time(e.received_at)},
         {"agent",
          [&](const json::value& v) {
            Apply(v,
                  {{"id", Text(e.agent_id)}, {"name", Text(e.agent_name)}, {"tags", [&](const json::value& tags) {
                                                                              for (const auto& tag : tags.as_array())
                                                                                e.agent_tags.emplace_back(
                                                                                    std::string_view(tag.as_string()));
                                                                            }}});
          }},
         {"status",
          [&](const json::value& v) {
            const auto status = ParseStatus(v.as_string());
            if (!status) Fail("not a status", v.as_string());
            e.status = *status;
          }},
         {"raw_status", Text(e.raw_status)},
         {"stage",
          [&](const json::value& v) {
            stage = ParseStage(v.as_string());
            if (!stage) Fail("not a stage", v.as_string());
          }},
         {"direction",
          [&](const json::value& v) {
            for (const Direction direction : {Direction::kInbound, Direction::kOutbound, Direction::kWeb}) {
              if (ToString(direction) == std::string_view(v.as_string())) return void(e.direction = direction);
            }
            Fail("not a direction", v.as_string());
          }},
         {"from", Text(e.from)},
         {"to", Text(e.to)},
         {"started_at", Time(e.started_at)},
         {"ended_at", Time(e.ended_at)},
         {"duration", [&](const json::value& v) { e.duration = v.to_number<double>(); }},
         {"transcript",
          [&](const json::value& v) {
            for (const auto& turn : v.as_array()) e.transcript.push_back(TurnFrom(turn));
          }},
         {"summary", Text(e.summary)},
         {"cost",
          [&](const json::value& v) {
            e.cost.emplace();
            Apply(v, {{"amount", [&](const json::value& amount) { e.cost->amount = amount.to_number<double>(); }},
                      {"currency", Text(e.cost->currency)}});
          }},
         {"recording_url", Text(e.recording_url)},
         {"hangup",
          [&](const json::value& v) {
            Apply(v, {{"by", Text(e.hangup_by)},
                      {"reason", Text(e.hangup_reason)},
                      {"code", [&](const json::value& code) { e.hangup_code = code.to_number<std::int64_t>(); }}});
          }},
         {"voicemail", [&](const json::value& v) { e.voicemail = v.as_bool(); }},
         {"error", Text(e.error)},
         {"sentiment", Text(e.sentiment)},
         {"success", [&](const json::value& v) { e.success = v.as_bool(); }},
         {"data",
          [&](const json::value& v) {
            for (const auto& [key, member] : v.as_object()) e.data[key] = ValueFrom(member);
          }},
         {"meta", Map(e.meta)}});
  e.stage = stage.value_or(StageOf(e.status));
  return e;
}

}  // namespace

Result<CallEvent> EventFromJson(const json::value& value) {
  try {
    return Read(value);
  } catch (const std::exception& failed) {  // Fail, and Boost.JSON's for a value of another type
    return Error{ErrorCode::kInvalid, failed.what()};
  }
}

}  // namespace hookswitch
