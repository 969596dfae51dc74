#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/event/call_event.h"
#include "core/sources/carry.h"
#include "core/sources/source.h"

namespace hookswitch {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What `source` reads of a request beside its body, which is stored with it: the headers that it names, the
/// Content-Type if that says that the body is a form, and the query parameters that it names, as sent, in one entry
/// kQueryName. `query`: without '?'; may also be such an entry of `headers`.
Headers KeptOf(const Source& source, std::span<const std::pair<std::string, std::string>> headers,
               std::string_view query);

/// Headers as stored with a body: "name: value" and a line break each.
std::string HeaderLines(std::span<const std::pair<std::string, std::string>> headers);
Headers ParseHeaderLines(std::string_view lines);

/// A request as the journal stores it. Borrowed.
struct StoredRequest {
  std::string_view id;  ///< of the event
  std::string_view headers, body;
  WallTime received_at{};
};

/// True if an entry of the stored headers was a header; else it is the query or what was carried over.
inline bool IsHeader(std::string_view name) {
  return name != kQueryName && name != kCarriedName;
}

/// Normalizes a request as it was stored, with what was carried over.
std::variant<Normalized, Refusal> NormalizeStored(const Source& source, const RawRequest& request);

/// Normalizes a stored request again, with the id and the time that it was stored with. `paths`: as in RawRequest.
std::variant<CallEvent, NotACall, Refusal> ReadAgain(const Source& source, const StoredRequest& request,
                                                     FieldPaths* paths = nullptr);

}  // namespace hookswitch
