#pragma once
#include <string>
#include <vector>

#include "core/event/call_event.h"
#include "core/event/message.h"

/// The message that users know, and its parts for templates to reuse.
namespace hookswitch::message {

/// "Bolna call ended: completed", "Bolna call: ringing".
std::string DefaultTitle(const CallEvent& event);
/// Call ID, Agent ID, Duration, Status.
std::vector<Message::Field> DefaultFields(const CallEvent& event);
/// Why the call failed, whether a machine answered, the summary: what there is of it.
std::string DefaultText(const CallEvent& event);
/// "Agent: …\nUser: …"
std::string TranscriptText(const CallEvent& event);
/// The recording, if its address is one that people can open.
std::vector<Message::Link> Links(const CallEvent& event);
Severity SeverityOf(CallStatus status);
/// When it happened: the end of the call, else its start, else its arrival here.
WallTime TimeOf(const CallEvent& event);

/// "completed"; a status that is not one of ours shows the platform's own word too: "unknown (parked)".
std::string StatusText(const CallEvent& event);
/// "1m 13s"; "" when unknown.
std::string DurationText(const CallEvent& event);

}  // namespace hookswitch::message
