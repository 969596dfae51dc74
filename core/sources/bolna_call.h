#pragma once
#include <string>
#include <vector>

#include "core/event/call_event.h"
#include "core/sources/payload.h"
#include "core/sources/section.h"

namespace hookswitch::bolna {

/// Fills `event` from an execution object, which is not absent, except for the call's identity (source, ids, agent,
/// status), which is set already. Never fails: values that are missing or of the wrong type stay absent. `currency` is
/// that of the account.
void ReadCall(CallEvent& event, const payload::Section& execution, const std::string& currency,
              payload::Document& document);

/// The top-level members that are neither in Bolna's documentation nor in known payloads, sorted by key: added by a
/// pre-call webhook, or new. They go into `meta`. Borrowed from `execution`.
std::vector<const json::key_value_pair*> UnknownMembers(const json::object& execution);

}  // namespace hookswitch::bolna
