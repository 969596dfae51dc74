#pragma once
#include <chrono>
#include <optional>

#include "core/base/clock.h"
#include "core/event/outcome.h"

namespace hookswitch {

/// The pause requested by a response's headers; empty if there is no valid one.
std::optional<std::chrono::milliseconds> RetryAfterOf(const HttpResponse& response, WallTime now);

/// Adds the pause `asked` by the response to a retry without one, and corrects an implausibly long one.
void HonourRetryAfter(Outcome& outcome, std::optional<std::chrono::milliseconds> asked);

}  // namespace hookswitch
