#pragma once
#include <vector>

#include "core/base/json.h"
#include "core/event/call_event.h"

namespace hookswitch::bolna {

/// Reads a transcript: a text of "role: words" lines, or a list of {role, content}. A line without a known role
/// continues the turn before it. Text before the first role and list items with an unknown role become `system`. Turns
/// without words are left out. `value` may be nullptr.
std::vector<Turn> ReadTranscript(const json::value* value);

}  // namespace hookswitch::bolna
