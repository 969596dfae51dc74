#include "core/event/call_event.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr std::array<std::string_view, kCallStatusCount> kStatusNames = {
    "scheduled", "queued",      "rescheduled", "initiated", "ringing",  "in-progress", "call-disconnected",
    "completed", "balance-low", "busy",        "no-answer", "canceled", "failed",      "stopped",
    "error",     "unknown"};

constexpr StatusSet kUnsuccessful = Bit(CallStatus::kBalanceLow) | Bit(CallStatus::kBusy) | Bit(CallStatus::kNoAnswer) |
                                    Bit(CallStatus::kCanceled) | Bit(CallStatus::kFailed) | Bit(CallStatus::kStopped) |
                                    Bit(CallStatus::kError);
constexpr StatusSet kTerminal = kUnsuccessful | Bit(CallStatus::kCompleted);
constexpr StatusSet kEnded = (kTerminal & ~Bit(CallStatus::kBalanceLow)) | Bit(CallStatus::kCallDisconnected);
constexpr StatusSet kAny = (StatusSet{1} << kCallStatusCount) - 1;

struct Group {
  std::string_view name;
  StatusSet set;
};
constexpr std::array kGroups = {Group{"ended", kEnded}, Group{"terminal", kTerminal},
                                Group{"unsuccessful", kUnsuccessful}, Group{"any", kAny}};

json::value OrNull(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::string(text);
}
json::value OrNull(const std::optional<WallTime>& time) {
  if (!time) return nullptr;
  return json::string(ToRfc3339(*time));
}
template <class T>
json::value OrNull(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}

json::value ToValue(const std::string& text) {
  return json::string(text);
}
json::object MapToObject(const auto& map) {
  json::object object;
  for (const auto& [key, value] : map) object.emplace(key, ToValue(value));
  return object;
}

template <class T>
std::optional<T> NumberFrom(const std::string& text) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return number;
}

}  // namespace

std::string_view ToString(CallStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<CallStatus> ParseStatus(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<CallStatus>(i);
  }
  return {};
}

std::optional<StatusSet> ParseStatusGroup(std::string_view name) {
  for (const auto& group : kGroups) {
    if (group.name == name) return group.set;
  }
  return {};
}

StatusSet EndedStatuses() {
  return kEnded;
}
StatusSet TerminalStatuses() {
  return kTerminal;
}
StatusSet UnsuccessfulStatuses() {
  return kUnsuccessful;
}

std::string_view ToString(Stage stage) {
  switch (stage) {
    case Stage::kLive: return "live";
    case Stage::kEnded: return "ended";
    case Stage::kFinal: return "final";
  }
  Unreachable();
}

std::optional<Stage> ParseStage(std::string_view name) {
  for (const Stage stage : {Stage::kLive, Stage::kEnded, Stage::kFinal}) {
    if (ToString(stage) == name) return stage;
  }
  return {};
}

Stage StageOf(CallStatus status) {
  if ((TerminalStatuses() & Bit(status)) != 0) return Stage::kFinal;
  return status == CallStatus::kCallDisconnected ? Stage::kEnded : Stage::kLive;
}

std::span<const std::string> StatusNames() {
  static const auto* names = [] {
    auto* all = new std::vector<std::string>(kStatusNames.begin(), kStatusNames.end());
    for (const auto& group : kGroups) all->emplace_back(group.name);
    return all;
  }();
  return *names;
}

std::string_view ToString(Direction direction) {
  switch (direction) {
    case Direction::kInbound: return "inbound";
    case Direction::kOutbound: return "outbound";
    case Direction::kWeb: return "web";
  }
  Unreachable();
}

std::string_view ToString(Role role) {
  switch (role) {
    case Role::kAgent: return "agent";
    case Role::kUser: return "user";
    case Role::kSystem: return "system";
    case Role::kTool: return "tool";
  }
  Unreachable();
}

std::optional<double> NumberOf(const DataValue& value) {
  const auto number = NumberFrom<double>(value.text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

json::value ToValue(const DataValue& value) {
  switch (value.kind) {
    case DataValue::Kind::kText: break;
    case DataValue::Kind::kNumber:
      if (const auto whole = NumberFrom<std::int64_t>(value.text)) return *whole;
      if (const auto whole = NumberFrom<std::uint64_t>(value.text)) return *whole;
      if (const auto number = NumberOf(value)) return *number;
      break;
    case DataValue::Kind::kBoolean:
      if (value.text == "true") return true;
      if (value.text == "false") return false;
      break;
  }
  return json::string(value.text);
}

std::uint64_t ContentSum(const CallEvent& event, bool with_ended_at) {
  std::uint64_t sum = 0;
  const auto add = [&](std::string_view text) { sum = MixIn(sum, text); };
  const auto add_number = [&](auto number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    add({bytes, sizeof bytes});
  };
  const auto add_optional = [&](const auto& optional, auto of) {
    add(optional ? "1" : "0");
    if (optional) add_number(of(*optional));
  };
  const auto itself = [](auto value) { return value; };
  const auto milliseconds = [](WallTime time) { return time.time_since_epoch().count(); };
  for (const std::string_view text :
       {std::string_view(event.call_id), std::string_view(event.agent_id), std::string_view(event.raw_status),
        std::string_view(event.from), std::string_view(event.to), std::string_view(event.summary),
        std::string_view(event.recording_url), std::string_view(event.hangup_by), std::string_view(event.hangup_reason),
        std::string_view(event.error), ToString(event.status), event.direction ? ToString(*event.direction) : ""}) {
    add(text);
  }
  add_optional(event.started_at, milliseconds);
  if (with_ended_at) add_optional(event.ended_at, milliseconds);
  add_optional(event.duration, itself);
  add_optional(event.hangup_code, itself);
  add_optional(event.voicemail, itself);
  add_optional(event.cost, [](const Money& money) { return money.amount; });
  if (event.cost) add(event.cost->currency);
  for (const Turn& turn : event.transcript) {
    add(ToString(turn.role));
    add(turn.text);
  }
  // Kinds are left out: 85 and "85" say the same.
  add_number(event.data.size());
  for (const auto& [key, value] : event.data) {
    add(key);
    add(value.text);
  }
  add_number(event.meta.size());
  for (const auto& [key, value] : event.meta) {
    add(key);
    add(value);
  }
  // What older versions did not know counts only where it says something.
  const auto add_named = [&](std::string_view name, std::string_view text) {
    add(name);
    add(text);
  };
  if (event.stage != StageOf(event.status)) add_named("stage", ToString(event.stage));
  if (!event.sentiment.empty()) add_named("sentiment", event.sentiment);
  if (event.success) add_named("success", *event.success ? "1" : "0");
  return sum == 0 ? 1 : sum;
}

json::object ToObject(const CallEvent& event) {
  json::array tags;
  for (const auto& tag : event.agent_tags) tags.emplace_back(tag);
  json::value transcript = nullptr;
  if (!event.transcript.empty()) {
    auto& turns = transcript.emplace_array();
    for (const auto& turn : event.transcript) {
      turns.push_back(json::object{{"role", ToString(turn.role)}, {"text", turn.text}});
    }
  }
  json::value cost = nullptr;
  if (event.cost) cost = json::object{{"amount", event.cost->amount}, {"currency", event.cost->currency}};
  json::value hangup = nullptr;
  if (!event.hangup_by.empty() || !event.hangup_reason.empty() || event.hangup_code) {
    hangup = json::object{
        {"by", OrNull(event.hangup_by)}, {"reason", OrNull(event.hangup_reason)}, {"code", OrNull(event.hangup_code)}};
  }
  json::value direction = nullptr;
  if (event.direction) direction = json::string(ToString(*event.direction));
  return {{"id", OrNull(event.id)},
          {"source", event.source},
          {"call_id", OrNull(event.call_id)},
          {"received_at", ToRfc3339(event.received_at)},
          {"agent", {{"id", OrNull(event.agent_id)}, {"name", OrNull(event.agent_name)}, {"tags", std::move(tags)}}},
          {"status", ToString(event.status)},
          {"raw_status", OrNull(event.raw_status)},
          {"direction", std::move(direction)},
          {"from", OrNull(event.from)},
          {"to", OrNull(event.to)},
          {"started_at", OrNull(event.started_at)},
          {"ended_at", OrNull(event.ended_at)},
          {"duration", OrNull(event.duration)},
          {"transcript", std::move(transcript)},
          {"summary", OrNull(event.summary)},
          {"cost", std::move(cost)},
          {"recording_url", OrNull(event.recording_url)},
          {"hangup", std::move(hangup)},
          {"voicemail", OrNull(event.voicemail)},
          {"error", OrNull(event.error)},
          {"stage", ToString(event.stage)},
          {"sentiment", OrNull(event.sentiment)},
          {"success", OrNull(event.success)},
          {"data", MapToObject(event.data)},
          {"meta", MapToObject(event.meta)}};
}

std::string ToJson(const CallEvent& event) {
  return ToText(ToObject(event));
}

}  // namespace hookswitch
