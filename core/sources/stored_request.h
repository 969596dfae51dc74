#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/event/call_event.h"
#include "core/sources/source.h"

namespace hookswitch {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Headers as stored with a body: "name: value" and a line break each.
std::string HeaderLines(std::span<const std::pair<std::string, std::string>> headers);
Headers ParseHeaderLines(std::string_view lines);

/// A request as the journal stores it. Borrowed.
struct StoredRequest {
  std::string_view id;  ///< of the event
  std::string_view headers, body;
  WallTime received_at{};
};

/// Normalizes a stored request again, with the id and the time that it was stored with.
std::variant<CallEvent, NotACall, Refusal> ReadAgain(const Source& source, const StoredRequest& request);

}  // namespace hookswitch
