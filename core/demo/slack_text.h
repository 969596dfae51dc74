#pragma once
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace hookswitch::demo {

/// A Slack message as a person would see it, drawn for a terminal: title, fields in two columns, rules, code blocks.
/// `place` stands in its frame. Takes any JSON; what it does not know it leaves out. Texts are as in the message: not
/// safe for a terminal by themselves.
std::string DrawSlackMessage(const json::value& message, std::string_view place);

}  // namespace hookswitch::demo
