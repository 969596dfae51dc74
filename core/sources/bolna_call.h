#pragma once
#include <string>
#include <vector>

#include "core/event/call_event.h"
#include "core/sources/payload.h"

namespace hookswitch::bolna {

/// Fills in everything but the call's identity (source, ids, agent, status, which are set already) from an execution
/// object. Never fails: what is missing or of an odd type stays absent. `currency` is that of the account.
void ReadCall(CallEvent& event, const json::object& execution, const std::string& currency,
              payload::Document& document);

/// The top-level members that Bolna's documents and real payloads do not have, sorted by key: put there by a pre-call
/// webhook, or news. They go into `meta`.
std::vector<const json::key_value_pair*> UnknownMembers(const json::object& execution);

}  // namespace hookswitch::bolna
