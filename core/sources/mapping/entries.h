#pragma once
#include <vector>

#include "core/config/mapping.h"
#include "core/sources/mapping/reading.h"
#include "core/sources/section.h"

namespace hookswitch::mapping {

/// Puts into `filler` what all of `rules` give; the first to name a key wins.
void ReadEntries(Reading& reading, const std::vector<config::EntriesRule>& rules, payload::MapFiller& filler);

}  // namespace hookswitch::mapping
