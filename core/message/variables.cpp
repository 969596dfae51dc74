#include "core/message/variables.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/message/default_message.h"

namespace hookswitch::message {
namespace {

std::string TimeText(const std::optional<WallTime>& time) {
  return time ? ToRfc3339(*time) : std::string();
}

std::string CostText(const CallEvent& event) {
  if (!event.cost) return {};
  constexpr double kCent = 0.01;
  const double amount = event.cost->amount;
  // Prices per call may be far below a cent, which "0.00" would hide.
  const char* format = amount != 0 && std::abs(amount) < kCent ? "%.4f" : "%.2f";
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), format, amount);
  return std::string(text.data()) + (event.cost->currency.empty() ? "" : " " + event.cost->currency);
}

std::string FlagText(const std::optional<bool>& flag) {
  return flag ? (*flag ? "true" : "false") : std::string();
}

std::string TagsText(const CallEvent& event) {
  return Joined(event.agent_tags);
}

struct Variable {
  std::string_view name;
  std::string (*value)(const CallEvent&);
};
constexpr std::array kVariables = {
    Variable{"agent", [](const CallEvent& e) { return e.AgentLabel(); }},
    Variable{"agent_id", [](const CallEvent& e) { return e.agent_id; }},
    Variable{"agent_name", [](const CallEvent& e) { return e.agent_name; }},
    Variable{"call_id", [](const CallEvent& e) { return e.call_id; }},
    Variable{"cost", CostText},
    Variable{"direction",
             [](const CallEvent& e) { return e.direction ? std::string(ToString(*e.direction)) : std::string(); }},
    Variable{"duration", DurationText},
    Variable{"duration_seconds",
             [](const CallEvent& e) { return e.duration ? ToText(json::value(*e.duration)) : std::string(); }},
    Variable{"ended_at", [](const CallEvent& e) { return TimeText(e.ended_at); }},
    Variable{"error", [](const CallEvent& e) { return e.error; }},
    Variable{"event_id", [](const CallEvent& e) { return e.id; }},
    Variable{"from", [](const CallEvent& e) { return e.from; }},
    Variable{"hangup_by", [](const CallEvent& e) { return e.hangup_by; }},
    Variable{"hangup_reason", [](const CallEvent& e) { return e.hangup_reason; }},
    Variable{"raw_status", [](const CallEvent& e) { return e.raw_status; }},
    Variable{"recording_url", [](const CallEvent& e) { return e.recording_url; }},
    Variable{"sentiment", [](const CallEvent& e) { return e.sentiment; }},
    Variable{"source", [](const CallEvent& e) { return e.source; }},
    Variable{"source_title", [](const CallEvent& e) { return e.source_title.empty() ? e.source : e.source_title; }},
    Variable{"stage", [](const CallEvent& e) { return std::string(ToString(e.stage)); }},
    Variable{"started_at", [](const CallEvent& e) { return TimeText(e.started_at); }},
    Variable{"status", [](const CallEvent& e) { return std::string(ToString(e.status)); }},
    Variable{"success", [](const CallEvent& e) { return FlagText(e.success); }},
    Variable{"summary", [](const CallEvent& e) { return e.summary; }},
    Variable{"tags", TagsText},
    Variable{"to", [](const CallEvent& e) { return e.to; }},
    Variable{"transcript", TranscriptText},
    Variable{"voicemail", [](const CallEvent& e) { return FlagText(e.voicemail); }},
};

constexpr std::string_view kData = "data.", kMeta = "meta.";

const std::string& TextOf(const std::string& text) {
  return text;
}
const std::string& TextOf(const DataValue& value) {
  return value.text;
}
std::string Entry(const auto& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? std::string() : TextOf(it->second);
}

const Variable* Find(std::string_view name) {
  const auto it = std::find_if(kVariables.begin(), kVariables.end(), [&](const Variable& v) { return v.name == name; });
  return it == kVariables.end() ? nullptr : &*it;
}

}  // namespace

bool IsVariable(std::string_view name) {
  if (name.starts_with(kData)) return name.size() > kData.size();
  if (name.starts_with(kMeta)) return name.size() > kMeta.size();
  return Find(name) != nullptr;
}

std::vector<std::string> VariableNames() {
  std::vector<std::string> names;
  for (const Variable& variable : kVariables) names.emplace_back(variable.name);
  return names;
}

std::string ValueOf(const CallEvent& event, std::string_view name) {
  if (name.starts_with(kData)) return Entry(event.data, name.substr(kData.size()));
  if (name.starts_with(kMeta)) return Entry(event.meta, name.substr(kMeta.size()));
  const Variable* variable = Find(name);
  return variable ? variable->value(event) : std::string();
}

}  // namespace hookswitch::message
