#pragma once
#include <string>
#include <vector>

#include "core/event/call_event.h"
#include "core/event/message.h"

/// The default message, and its parts for use in templates.
namespace hookswitch::message {

/// "Bolna call ended: completed", "Bolna call: ringing".
std::string DefaultTitle(const CallEvent& event);
/// Call ID, Agent ID, Duration, Status.
std::vector<Message::Field> DefaultFields(const CallEvent& event);
/// Why the call failed, whether a machine answered, the summary: those that are known.
std::string DefaultText(const CallEvent& event);
/// "Agent: …\nUser: …"
std::string TranscriptText(const CallEvent& event);
/// The recording, if its URL can be opened in a browser.
std::vector<Message::Link> Links(const CallEvent& event);
Severity SeverityOf(CallStatus status);
/// Time of the event: end of the call, else its start, else its receipt.
WallTime TimeOf(const CallEvent& event);

/// "completed"; an unknown status includes the platform's own word: "unknown (parked)".
std::string StatusText(const CallEvent& event);
/// "1m 13s"; "" if unknown.
std::string DurationText(const CallEvent& event);

}  // namespace hookswitch::message
