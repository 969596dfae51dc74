#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "core/event/call_event.h"

namespace hookswitch::mapping {

/// ContentSum of `event` without `fields`: names of the normalized event, "ended_at", "meta", "meta.queue". Leaves
/// `event` as it was.
std::uint64_t ContentSumWithout(CallEvent& event, std::span<const std::string> fields);

}  // namespace hookswitch::mapping
