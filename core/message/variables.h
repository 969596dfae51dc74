#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/event/call_event.h"

/// Variables of an event for templates.
namespace hookswitch::message {

/// True for the names in VariableNames, and for data.<key> and meta.<key>.
bool IsVariable(std::string_view name);
std::vector<std::string> VariableNames();
/// The variable's text; "" if the event has none, or `name` is not a variable.
std::string ValueOf(const CallEvent& event, std::string_view name);

}  // namespace hookswitch::message
