#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/event/call_event.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/routing/route_table.h"
#include "core/sources/field_paths.h"
#include "core/sources/source.h"

namespace hookswitch {

/// How one config reads and routes a stored event.
struct EventReading {
  std::shared_ptr<const CallEvent> call;  ///< nullptr: not a call, or unreadable; `why_not` says why
  std::string why_not;
  FieldPaths paths;         ///< with `call`: where its fields are in the payload
  Explanation explanation;  ///< with `call`; its routes borrow from `routes`
  std::shared_ptr<const RouteTable> routes;
  std::uint64_t generation = 0;  ///< of the config
};

using SourceMap = std::map<std::string, std::shared_ptr<const Source>, std::less<>>;

/// Normalizes `stored` again with its source and explains its routing. `routes` may be nullptr: no rules.
EventReading ReadEvent(const StoredEvent& stored, const SourceMap& sources, std::shared_ptr<const RouteTable> routes);

/// The stored event with this public id. Errors: kNotFound, and those of History.
Result<EventSummary> FindEvent(History& history, std::string_view id);

}  // namespace hookswitch
