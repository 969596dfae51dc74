#pragma once
#include <chrono>
#include <optional>

#include "core/base/clock.h"
#include "core/event/outcome.h"

namespace hookswitch {

/// The pause that an answer asks for in its headers; empty if it asks for none that can be read.
std::optional<std::chrono::milliseconds> RetryAfterOf(const HttpResponse& response, WallTime now);

/// Sees to it that a sink's reading of an answer does not forget the pause that the answer `asked` for.
void HonourRetryAfter(Outcome& outcome, std::optional<std::chrono::milliseconds> asked);

}  // namespace hookswitch
