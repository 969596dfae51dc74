#pragma once
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/event/call_event.h"

namespace hookswitch {

/// Reads an event from any part of the normalized event's JSON (config/README.md), plus `source_title`; `source`
/// defaults to "bolna", `stage` to that of the status. Error: kInvalid, for a key or a value that the normalized event
/// does not have, so that a misspelled case fails.
Result<CallEvent> EventFromJson(const json::value& value);

}  // namespace hookswitch
