#pragma once
#include <vector>

#include "core/config/mapping.h"
#include "core/event/call_event.h"
#include "core/sources/mapping/reading.h"

namespace hookswitch::mapping {

/// The turns that the first of `rules` gives: from a list of turns, or from a text of "role: words" lines.
std::vector<Turn> ReadTranscript(Reading& reading, const std::vector<config::TurnsRule>& rules);

}  // namespace hookswitch::mapping
