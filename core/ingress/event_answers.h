#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/ingress/http_server.h"
#include "core/journal/journal.h"

/// The responses to requests that were accepted (config/OPERATING.md). Every function: [thread: any].
namespace hookswitch {

/// For one event, of which `deliveries` were stored if it was new.
Answer EventAnswer(const Accepted& accepted, std::size_t deliveries);
/// For a request that is not stored, and must not be refused: nothing comes of it.
Answer SkippedAnswer();
/// For several events in one request: the id of each, in order; "" for what made none.
Answer EventsAnswer(std::span<const std::string_view> ids, std::size_t deliveries);
/// 429 or 503, with Retry-After.
Answer RetryLater(int status, std::string_view error, std::string_view detail, int seconds);

}  // namespace hookswitch
