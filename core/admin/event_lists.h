#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/admin/event_search.h"
#include "core/admin/guard.h"
#include "core/admin/holds.h"
#include "core/admin/known_names.h"
#include "core/admin/query.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/ingress/http_server.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Serves the lists of events: GET /api/v1/events, /api/v1/calls/{call_id} and /api/v1/suggest (OPERATING.md,
/// "Search"). [thread: any] Blocks.
class EventLists {
 public:
  /// `indexer`: nullptr: searches read the journal. The references outlive it.
  EventLists(History& history, Journal& journal, const Clock& clock, Router& router, const Indexer* indexer)
      : history_(history),
        journal_(journal),
        clock_(clock),
        router_(router),
        search_(history, journal, clock, router, indexer) {}

  Answer List(const ServedRequest& request, const Caller& caller);
  Answer ShowCall(const ServedRequest& request, std::string_view call_id);
  Answer ShowSuggestions(const ServedRequest& request, const Caller& caller);
  /// For a caller who may change: the numbers of all events that fit both, oldest first, or what to answer if that
  /// cannot be told. Blocks for as long as it takes.
  std::variant<std::vector<EventSeq>, Answer> FindAll(EventFilter filter, const std::string& search);

 private:
  Answer Search(const EventQuery& query, const KnownNames& names, const Caller& caller);
  std::optional<Answer> RefuseContent(const SearchFilter& filter, bool may_unmask) const;
  /// As objects of a list, with details if `details`. Errors: kUnavailable; what has been removed meanwhile is left
  /// out.
  Result<json::array> Rows(std::span<const EventSummary> events, bool details, const Holds& holds);
  Result<Page<json::object>> RowPage(Result<Page<EventSummary>> page, bool details, const Holds& holds);
  json::object IndexNow() const;
  KnownNames CurrentNames() const;
  Holds CurrentHolds() const { return Holds(router_.Lanes(), router_); }

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  EventSearch search_;
};

}  // namespace hookswitch
