#include "core/message/default_message.h"

#include <cmath>

#include "core/base/check.h"
#include "core/base/http_syntax.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch::message {
namespace {

std::string OrDash(std::string text) {
  if (text.empty()) text = "-";
  return text;
}

std::string AgentText(const CallEvent& event) {
  if (event.agent_name.empty() || event.agent_id.empty() || event.agent_name == event.agent_id)
    return event.AgentLabel();
  return event.agent_name + " (" + event.agent_id + ")";
}

std::string_view RoleText(Role role) {
  switch (role) {
    case Role::kAgent: return "Agent";
    case Role::kUser: return "User";
    case Role::kSystem: return "System";
    case Role::kTool: return "Tool";
  }
  Unreachable();
}

std::string ReasonText(const CallEvent& event) {
  std::string reason = event.error;
  if (!event.hangup_reason.empty() && event.hangup_reason != event.error) {
    if (!reason.empty()) reason += "; ";
    reason += event.hangup_reason;
  }
  if (event.hangup_by.empty()) return reason;
  return reason.empty() ? "hung up by " + event.hangup_by : reason + " (hung up by " + event.hangup_by + ")";
}

}  // namespace

std::string StatusText(const CallEvent& event) {
  std::string text(ToString(event.status));
  if (event.status == CallStatus::kUnknown && !event.raw_status.empty() && event.raw_status != text) {
    text += " (" + event.raw_status + ")";
  }
  return text;
}

std::string DurationText(const CallEvent& event) {
  constexpr double kLongest = 1e9;  // seconds; longer values are invalid and would overflow milliseconds
  if (!event.duration || !(*event.duration >= 0 && *event.duration <= kLongest)) return {};
  return HumanDuration(std::chrono::milliseconds(std::llround(*event.duration * 1000)));
}

std::string DefaultTitle(const CallEvent& event) {
  const std::string& source = event.source_title.empty() ? event.source : event.source_title;
  const bool ended = (EndedStatuses() & Bit(event.status)) != 0;
  std::string title;
  title.reserve(source.size() + 40);
  title.append(source).append(source.empty() ? "Call" : " call");
  return title.append(ended ? " ended: " : ": ").append(StatusText(event));
}

std::vector<Message::Field> DefaultFields(const CallEvent& event) {
  std::vector<Message::Field> fields;
  fields.reserve(4);  // an initializer list would copy each string again
  fields.push_back({"Call ID", OrDash(event.call_id)});
  fields.push_back({"Agent ID", OrDash(AgentText(event))});
  fields.push_back({"Duration", OrDash(DurationText(event))});
  fields.push_back({"Status", StatusText(event)});
  return fields;
}

std::string DefaultText(const CallEvent& event) {
  std::string text;
  const auto add = [&text](const std::string& line) {
    if (!text.empty()) text += '\n';
    text += line;
  };
  if (UnsuccessfulStatuses() & Bit(event.status)) {
    if (const std::string reason = ReasonText(event); !reason.empty()) add("Reason: " + reason);
  }
  if (event.voicemail && *event.voicemail) add("Answered by voicemail.");
  if (!event.summary.empty()) add("Summary: " + event.summary);
  return text;
}

std::string TranscriptText(const CallEvent& event) {
  constexpr std::size_t kAround = 9;  // "System", ": " and a line's end
  std::size_t size = 0;
  for (const Turn& turn : event.transcript) size += turn.text.size() + kAround;
  std::string text;
  text.reserve(size);
  for (const Turn& turn : event.transcript) {
    if (!text.empty()) text += '\n';
    text.append(RoleText(turn.role)).append(": ").append(turn.text);
  }
  return text;
}

std::vector<Message::Link> Links(const CallEvent& event) {
  const std::string& url = event.recording_url;
  if (!HasWebScheme(url) || url.find("://") + 3 == url.size()) return {};
  if (HasSpaceOrControl(url)) return {};
  std::vector<Message::Link> links;
  links.push_back({"Listen to recording", url});
  return links;
}

Severity SeverityOf(CallStatus status) {
  switch (status) {
    case CallStatus::kCompleted: return Severity::kSuccess;
    case CallStatus::kFailed:
    case CallStatus::kError:
    case CallStatus::kBalanceLow: return Severity::kError;
    case CallStatus::kBusy:
    case CallStatus::kNoAnswer:
    case CallStatus::kCanceled:
    case CallStatus::kStopped: return Severity::kWarning;
    case CallStatus::kScheduled:
    case CallStatus::kQueued:
    case CallStatus::kRescheduled:
    case CallStatus::kInitiated:
    case CallStatus::kRinging:
    case CallStatus::kInProgress:
    case CallStatus::kCallDisconnected:
    case CallStatus::kUnknown: return Severity::kInfo;
  }
  Unreachable();
}

WallTime TimeOf(const CallEvent& event) {
  if (event.ended_at) return *event.ended_at;
  return event.started_at ? *event.started_at : event.received_at;
}

}  // namespace hookswitch::message
