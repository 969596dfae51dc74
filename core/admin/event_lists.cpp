#include "core/admin/event_lists.h"

#include <algorithm>
#include <utility>

#include "core/admin/answer_pages.h"
#include "core/admin/event_rows.h"
#include "core/admin/history_json.h"
#include "core/admin/search_query.h"
#include "core/admin/search_suggest.h"
#include "core/admin/withheld.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

// With an index of a million events a search takes less; one that reads events goes on with the cursor.
constexpr std::chrono::milliseconds kSearchBudget{500};
// A call without an index means reading the whole journal.
constexpr std::chrono::milliseconds kCallBudget{2000};
constexpr std::size_t kEventsAtOnce = 1000;

Answer InvalidSearch(const SearchError& error) {
  return JsonAnswer(400, json::object{{"ok", false},
                                      {"error", "invalid_search"},
                                      {"detail", error.detail},
                                      {"at", error.at},
                                      {"length", error.length}});
}

}  // namespace

KnownNames EventLists::CurrentNames() const {
  return KnownNames(router_.CurrentConfig(), router_.Lanes());
}

json::object EventLists::IndexNow() const {
  const IndexStatus status = search_.StatusNow();
  return {{"complete", status.usable && status.behind == 0}, {"behind", status.behind}};
}

/// What is searched for in a call's content tells of it.
std::optional<Answer> EventLists::RefuseContent(const SearchFilter& filter, bool may_unmask) const {
  if (filter.texts.empty() && filter.fields.empty() && filter.raw.empty()) return {};
  return RefuseTextSearch(router_.CurrentConfig()->bodies, may_unmask);
}

Result<json::array> EventLists::Rows(std::span<const EventSummary> events, bool details, const Holds& holds) {
  json::array rows;
  for (const EventSummary& event : events) {
    if (!details) {
      rows.push_back(ToObject(event));
      continue;
    }
    auto row = ReadRow(event, holds, history_, journal_, router_);
    if (row) rows.push_back(std::move(row->row));
    if (!row && row.error().code == ErrorCode::kUnavailable) return std::move(row).error();
  }
  return rows;
}

Result<Page<json::object>> EventLists::RowPage(Result<Page<EventSummary>> page, bool details, const Holds& holds) {
  if (!page) return std::move(page).error();
  auto rows = Rows(page->items, details, holds);
  if (!rows) return std::move(rows).error();
  Page<json::object> shown;
  shown.next = page->next;
  for (auto& row : *rows) shown.items.push_back(std::move(row.get_object()));
  return shown;
}

Answer EventLists::List(const ServedRequest& request, const Caller& caller) {
  auto query = ParseEventQuery(request.query, clock_.Wall());
  if (!query) return BadRequest(query.error());
  const KnownNames names = CurrentNames();
  names.Resolve(query->filter.agent);
  if (!query->search.empty()) return Search(*query, names, caller);
  const Holds holds = CurrentHolds();
  SearchFilter filter;
  AddFilter(filter, query->filter);
  if (auto refused = RefuseContent(filter, caller.May(Caller::Right::kChange))) return *refused;
  // The journal itself finds a call only by reading everything.
  const bool by_index = !query->filter.call_id.empty() && search_.index();
  const MonoTime deadline = clock_.Mono() + kListBudget;
  return AnswerPages(
      "events", query->page, clock_, names.WhatIsUnknown(query->filter),
      [&](EventSeq before, std::size_t limit) {
        auto page = by_index ? search_.Find(filter, holds, before, limit, deadline)
                             : history_.ListEvents(query->filter, before, limit);
        return RowPage(std::move(page), query->details, holds);
      },
      [](const json::object& row) { return row; });
}

Answer EventLists::Search(const EventQuery& query, const KnownNames& names, const Caller& caller) {
  SearchQuery search = ParseSearch(query.search, clock_.Wall(), names);
  if (search.error) return InvalidSearch(*search.error);
  AddFilter(search.filter, query.filter);
  if (auto refused = RefuseContent(search.filter, caller.May(Caller::Right::kChange))) return *refused;
  const Holds holds = CurrentHolds();
  const MonoTime deadline = clock_.Mono() + kSearchBudget;
  const auto page = search_.Find(search.filter, holds, query.page.before, query.page.limit, deadline);
  if (!page) return Failed(page.error());
  if (page->items.empty() && page->next == 0 && query.page.before == 0) {
    if (const auto unknown = FindUnknown(search, names)) return InvalidSearch(*unknown);
    if (std::string unknown = names.WhatIsUnknown(query.filter); !unknown.empty()) {
      return BadRequest({ErrorCode::kNotFound, std::move(unknown)});
    }
  }
  auto rows = Rows(page->items, query.details, holds);
  if (!rows) return Failed(rows.error());
  json::value cursor = nullptr;
  if (page->next != 0) cursor = std::to_string(page->next);
  return JsonAnswer(200,
                    json::object{{"events", std::move(*rows)}, {"cursor", std::move(cursor)}, {"index", IndexNow()}});
}

std::variant<std::vector<EventSeq>, Answer> EventLists::FindAll(EventFilter filter, const std::string& search) {
  const KnownNames names = CurrentNames();
  names.Resolve(filter.agent);
  SearchQuery query;
  if (!search.empty()) query = ParseSearch(search, clock_.Wall(), names);
  if (query.error) return InvalidSearch(*query.error);
  AddFilter(query.filter, filter);
  if (auto refused = RefuseContent(query.filter, true)) return *refused;
  const Holds holds = CurrentHolds();
  std::vector<EventSeq> all;
  EventSeq before = 0;
  do {
    const auto page = search.empty()
                          ? history_.ListEvents(filter, before, kEventsAtOnce)
                          : search_.Find(query.filter, holds, before, kEventsAtOnce, clock_.Mono() + kSearchBudget);
    if (!page) return Failed(page.error());
    for (const EventSummary& event : page->items) all.push_back(event.seq);
    before = page->next;
  } while (before != 0);
  if (all.empty()) {
    if (const auto unknown = FindUnknown(query, names)) return InvalidSearch(*unknown);
    if (std::string unknown = names.WhatIsUnknown(filter); !unknown.empty()) {
      return BadRequest({ErrorCode::kNotFound, std::move(unknown)});
    }
  }
  std::ranges::reverse(all);
  return all;
}

Answer EventLists::ShowCall(const ServedRequest& request, std::string_view call_id) {
  const auto query = ParseCallQuery(request.query);
  if (!query) return BadRequest(query.error());
  if (call_id.empty()) return Refused(404, "not_found", "no call is named");
  const std::string id(call_id);
  const auto call =
      search_.FindCall(id, query->source, query->page.before, query->page.limit, clock_.Mono() + kCallBudget);
  if (!call) return Failed(call.error());
  if (call->count == 0) {
    if (std::string unknown = CurrentNames().WhatIsUnknownSource(query->source); !unknown.empty()) {
      return BadRequest({ErrorCode::kNotFound, std::move(unknown)});
    }
    if (call->is_whole) return Refused(404, "not_found", "no stored event is of the call " + ToUtf8(id));
    return Failed({ErrorCode::kUnavailable, "no event of the call " + ToUtf8(id) +
                                                " was found in time; the search index does not have all events yet"});
  }
  auto rows = Rows(call->events, true, CurrentHolds());
  if (!rows) return Failed(rows.error());
  json::array sources;
  for (const std::string& source : call->sources) sources.emplace_back(source);
  json::value cursor = nullptr;
  if (call->next != 0) cursor = std::to_string(call->next);
  return JsonAnswer(200, json::object{{"call_id", id},
                                      {"sources", std::move(sources)},
                                      {"agent", OrNull(call->agent)},
                                      {"first", ToRfc3339(call->first)},
                                      {"last", ToRfc3339(call->last)},
                                      {"count", call->count},
                                      {"complete", call->is_whole},
                                      {"events", std::move(*rows)},
                                      {"cursor", std::move(cursor)}});
}

Answer EventLists::ShowSuggestions(const ServedRequest& request, const Caller& caller) {
  const auto query = ParseSuggestQuery(request.query);
  if (!query) return BadRequest(query.error());
  const auto config = router_.CurrentConfig();
  const auto index = search_.index();
  const bool with_paths = MaySeeContent(config->bodies, caller.May(Caller::Right::kChange));
  return JsonAnswer(200, ToObject(Suggest(query->search, query->at, clock_.Wall(), *config, index.get(), with_paths)));
}

}  // namespace hookswitch
