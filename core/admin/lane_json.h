#pragma once
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/delivery/lane_status.h"

namespace hookswitch {

/// A sink as in GET /api/v1/sinks: {"sink","state","because","since","pending","in_flight","oldest","until",
/// "places":[{"name","because","waiting","next_try"}],"plugin","rate":{"max","per","burst"},"concurrency","fallback",
/// "last_hour":{"from","step","delivered":[60 numbers],"retried","dead"}}.
json::object ToObject(const LaneStatus& lane, WallTime now);

}  // namespace hookswitch
