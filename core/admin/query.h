#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

/// What people ask for, from a URL's query or a body to the filters of History. Errors are kInvalid and name the
/// parameter; one that is unknown is an error too. Times are RFC 3339, or a duration back from `now` ("2h").
namespace hookswitch {

struct PageQuery {
  std::size_t limit = 50;
  std::int64_t before = 0;  ///< the cursor: 0 is the newest
};

struct EventQuery {
  EventFilter filter;
  PageQuery page;
};
/// agent, status, call_id, source, q, since, until, limit, cursor. An empty value asks nothing.
Result<EventQuery> ParseEventQuery(std::string_view query, WallTime now);

struct DeliveryQuery {
  DeliveryFilter filter;
  PageQuery page;
};
/// state (several with commas), sink, rule, agent, status, call_id, source, event, since, until, limit, cursor.
Result<DeliveryQuery> ParseDeliveryQuery(std::string_view query, WallTime now);

struct RefusedQuery {
  std::string source;  ///< "": any
  PageQuery page;
};
/// source, limit, cursor.
Result<RefusedQuery> ParseRefusedQuery(std::string_view query);

/// Which deliveries to replay or to purge.
struct BulkRequest {
  DeliveryFilter filter;  ///< with states: kDead if none is named
  bool dry_run = false;
};
/// A JSON object with the keys of ParseDeliveryQuery but limit and cursor, `dry_run` and `all`. Something beside the
/// state has to be asked for, or `all` be true: nobody replays everything by accident.
Result<BulkRequest> ParseBulkRequest(std::string_view body, WallTime now);

/// How a sink is to be paused: empty or a JSON object with `until` (RFC 3339, or a duration from `now`; within ten
/// years) and `because`, which may be called `reason`.
Result<Pause> ParsePause(std::string_view body, WallTime now);

/// Ok if the body is empty or {}.
Status ExpectNoBody(std::string_view body);
/// Ok if the query is empty.
Status ExpectNoQuery(std::string_view query);

}  // namespace hookswitch
