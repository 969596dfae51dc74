#pragma once
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

/// Parses URL queries and request bodies into the filters of History. Errors say which parameter is wrong: kInvalid,
/// also for an unknown parameter; kNotFound for an unknown call status. What values mean: filter_values.h.
namespace hookswitch {

struct PageQuery {
  std::size_t limit = 50;
  std::int64_t before = 0;  ///< the cursor; 0: from the newest
};

/// limit, cursor.
Result<PageQuery> ParsePageQuery(std::string_view query);

struct EventQuery {
  EventFilter filter;
  PageQuery page;
  std::string search{};  ///< as ParseSearch reads it
  bool details = false;
};
/// agent, status, call_id, source, q, since, until, search, details, limit, cursor. Empty values are ignored.
Result<EventQuery> ParseEventQuery(std::string_view query, WallTime now);

struct DeliveryQuery {
  DeliveryFilter filter;
  PageQuery page;
};
/// state (several, comma-separated), sink, rule, agent, status, call_id, source, event, since, until, limit, cursor.
Result<DeliveryQuery> ParseDeliveryQuery(std::string_view query, WallTime now);

struct CallQuery {
  std::string source;               ///< "": any
  PageQuery page = {.limit = 200};  ///< `before`: the cursor, which goes on to later events
};
/// source, limit, cursor.
Result<CallQuery> ParseCallQuery(std::string_view query);

/// What the search box asks for suggestions.
struct SuggestQuery {
  std::string search;
  std::size_t at = 0;  ///< in code points: where the cursor stands; by default at the end
};
/// search, at.
Result<SuggestQuery> ParseSuggestQuery(std::string_view query);

struct RefusedQuery {
  std::string source;  ///< "": any
  PageQuery page;
};
/// source, limit, cursor.
Result<RefusedQuery> ParseRefusedQuery(std::string_view query);

struct StreamQuery {
  std::string kinds;   ///< as given; "": all
  std::string cursor;  ///< as given; "": none
};
/// kinds, cursor.
Result<StreamQuery> ParseStreamQuery(std::string_view query);

/// The deliveries to replay or purge.
struct BulkRequest {
  DeliveryFilter filter;  ///< `states` is never empty; kDead by default
  bool dry_run = false;
};
/// A JSON object with the keys of ParseDeliveryQuery except limit and cursor, and with `dry_run` and `all`. Needs a
/// filter besides `state`, or `all` true: nobody replays everything by accident.
Result<BulkRequest> ParseBulkRequest(std::string_view body, WallTime now);

/// The events to replay.
struct EventBulkRequest {
  EventFilter filter;
  std::string search{};  ///< as ParseSearch reads it
  bool dry_run = false;
};
/// A JSON object with the keys of ParseEventQuery except details, limit and cursor, and with `dry_run` and `all`, as
/// ParseBulkRequest.
Result<EventBulkRequest> ParseEventBulkRequest(std::string_view body, WallTime now);

/// A pause: empty, or a JSON object with `until` (RFC 3339, or a duration from `now`; within ten years) and `because`
/// (or `reason`).
Result<Pause> ParsePause(std::string_view body, WallTime now);

/// A body that is a JSON object. Error: kInvalid.
Result<json::object> ParseObject(std::string_view body);

/// Ok if the body is empty or {}.
Status ExpectNoBody(std::string_view body);
/// Ok if the query is empty.
Status ExpectNoQuery(std::string_view query);

}  // namespace hookswitch
