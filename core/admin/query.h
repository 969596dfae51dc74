#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

/// Parses URL queries and request bodies into the filters of History. Errors say which parameter is wrong: kInvalid,
/// also for an unknown parameter; kNotFound for an unknown call status. Times are RFC 3339, or a duration back from
/// `now` ("2h").
namespace hookswitch {

struct PageQuery {
  std::size_t limit = 50;
  std::int64_t before = 0;  ///< the cursor; 0: from the newest
};

struct EventQuery {
  EventFilter filter;
  PageQuery page;
};
/// agent, status, call_id, source, q, since, until, limit, cursor. Empty values are ignored.
Result<EventQuery> ParseEventQuery(std::string_view query, WallTime now);

struct DeliveryQuery {
  DeliveryFilter filter;
  PageQuery page;
};
/// state (several, comma-separated), sink, rule, agent, status, call_id, source, event, since, until, limit, cursor.
Result<DeliveryQuery> ParseDeliveryQuery(std::string_view query, WallTime now);

struct RefusedQuery {
  std::string source;  ///< "": any
  PageQuery page;
};
/// source, limit, cursor.
Result<RefusedQuery> ParseRefusedQuery(std::string_view query);

/// The deliveries to replay or purge.
struct BulkRequest {
  DeliveryFilter filter;  ///< `states` is never empty; kDead by default
  bool dry_run = false;
};
/// A JSON object with the keys of ParseDeliveryQuery except limit and cursor, and with `dry_run` and `all`. Needs a
/// filter besides `state`, or `all` true: nobody replays everything by accident.
Result<BulkRequest> ParseBulkRequest(std::string_view body, WallTime now);

/// A pause: empty, or a JSON object with `until` (RFC 3339, or a duration from `now`; within ten years) and `because`
/// (or `reason`).
Result<Pause> ParsePause(std::string_view body, WallTime now);

/// Ok if the body is empty or {}.
Status ExpectNoBody(std::string_view body);
/// Ok if the query is empty.
Status ExpectNoQuery(std::string_view query);

}  // namespace hookswitch
