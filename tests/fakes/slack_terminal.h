#pragma once
#include <string>

#include "core/base/json.h"

namespace hookswitch::fakes {

/// A Slack message as a person would see it, drawn for a terminal: title, fields in two columns, rules, code blocks.
/// `color` adds ANSI bold. Takes any JSON; what it does not know it leaves out.
std::string DrawSlackMessage(const json::value& message, bool color);

}  // namespace hookswitch::fakes
