#pragma once
#include "core/base/json.h"
#include "core/event/call_event.h"

namespace hookswitch::test {

/// An event from any part of the normalized event's JSON (README), plus `source_title`; `source` defaults to "bolna".
/// Throws std::runtime_error for a key or a value that the normalized event does not have, so that a misspelt case
/// fails.
CallEvent EventFromJson(const json::value& value);

}  // namespace hookswitch::test
