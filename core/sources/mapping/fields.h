#pragma once
#include <string>
#include <string_view>

#include "core/config/mapping.h"
#include "core/event/call_event.h"
#include "core/sources/mapping/reading.h"

namespace hookswitch::mapping {

/// The text that `rules` give, at most `max_bytes`; "" for none. Notes its path as that of `field`, which may be "".
std::string ReadWord(Reading& reading, const config::ValueRules& rules, std::string_view field,
                     std::size_t max_bytes = payload::kMaxWordBytes);

/// Fills the status of `event`, and its raw word.
void ReadStatus(Reading& reading, const config::ValueRules& rules, CallEvent& event);

/// Fills every field of `event` that is one value, but for its ids, the status and the stage. `currency`: of a cost
/// that has none.
void ReadFields(Reading& reading, const config::Mapping& mapping, const std::string& currency, CallEvent& event);

}  // namespace hookswitch::mapping
