#include "core/message/default_message.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch::message {
namespace {

std::string OrDash(std::string text) {
  return text.empty() ? "-" : text;
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
  constexpr double kLongest = 1e9;  // seconds; more is nonsense that would not fit in milliseconds either
  if (!event.duration || !(*event.duration >= 0 && *event.duration <= kLongest)) return {};
  return HumanDuration(std::chrono::milliseconds(std::llround(*event.duration * 1000)));
}

std::string DefaultTitle(const CallEvent& event) {
  const std::string& source = event.source_title.empty() ? event.source : event.source_title;
  const bool ended = (EndedStatuses() & Bit(event.status)) != 0;
  std::string title = source.empty() ? "Call" : source + " call";
  return title + (ended ? " ended: " : ": ") + StatusText(event);
}

std::vector<Message::Field> DefaultFields(const CallEvent& event) {
  return {{"Call ID", OrDash(event.call_id)},
          {"Agent ID", OrDash(AgentText(event))},
          {"Duration", OrDash(DurationText(event))},
          {"Status", StatusText(event)}};
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
  std::string text;
  for (const Turn& turn : event.transcript) {
    if (!text.empty()) text += '\n';
    text += RoleText(turn.role);
    text += ": " + turn.text;
  }
  return text;
}

std::vector<Message::Link> Links(const CallEvent& event) {
  const std::string& url = event.recording_url;
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string::npos || scheme_end + 3 == url.size()) return {};
  const std::string scheme = ToLower(std::string_view(url).substr(0, scheme_end));
  const bool odd =
      std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  if (odd || (scheme != "http" && scheme != "https")) return {};
  return {{"Listen to recording", url}};
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
