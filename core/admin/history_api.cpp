#include "core/admin/history_api.h"

#include <algorithm>

#include "core/admin/answers.h"
#include "core/admin/history_json.h"
#include "core/admin/query.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

constexpr std::string_view kEvents = "/api/v1/events";
constexpr std::string_view kDeliveries = "/api/v1/deliveries";
constexpr std::string_view kRefused = "/api/v1/refused";
// A rare match may be far back: the response then has what was found in this time, and a cursor.
constexpr std::chrono::milliseconds kListBudget{200};

bool IsAt(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

Error UnknownName(std::string what) {
  return {ErrorCode::kNotFound, std::move(what)};
}

// {name: […], "cursor": …}: pages of `list` until `limit` is reached or the time is up. `unknown`: names a filter value
// that does not exist, or ""; added to an empty page, and answered 400 if the whole list is empty.
template <class List, class Show>
Answer AnswerPages(const char* name, const PageQuery& page, const Clock& clock, std::string unknown, const List& list,
                   const Show& show) {
  const MonoTime end = clock.Mono() + kListBudget;
  json::array items;
  std::int64_t before = page.before;
  do {
    auto part = list(before, page.limit - items.size());
    if (!part) return Failed(part.error());
    for (const auto& item : part->items) items.push_back(show(item));
    before = part->next;
  } while (before != 0 && items.size() < page.limit && clock.Mono() < end);
  json::value cursor = nullptr;
  if (before != 0) cursor = std::to_string(before);
  const bool is_unknown = items.empty() && !unknown.empty();
  if (is_unknown && before == 0 && page.before == 0) return BadRequest(UnknownName(std::move(unknown)));
  json::object shown{{name, std::move(items)}, {"cursor", std::move(cursor)}};
  if (is_unknown) shown["unknown"] = std::move(unknown);
  return JsonAnswer(200, shown);
}

json::array IdsOf(std::span<const DeliverySeq> deliveries) {
  json::array ids;
  for (const DeliverySeq delivery : deliveries) ids.emplace_back(DeliveryId(delivery));
  return ids;
}

// Ok if all `states` can be replayed, or purged; an error for the first that cannot.
Status CheckStates(std::span<const DeliveryState> states, bool purge) {
  for (const DeliveryState state : states) {
    const std::string name(ToString(state));
    switch (state) {
      case DeliveryState::kPending:
      case DeliveryState::kHeld:
        if (!purge) return Error{ErrorCode::kInvalid, "state: what is " + name + " has not ended; it needs no replay"};
        break;
      case DeliveryState::kDelivered:
        if (purge) return Error{ErrorCode::kInvalid, "state: what was delivered is never purged; retention removes it"};
        break;
      case DeliveryState::kCanceled:
        if (purge) return Error{ErrorCode::kInvalid, "state: what is canceled need not be purged"};
        break;
      case DeliveryState::kFellBack:
        if (purge) return Error{ErrorCode::kInvalid, "state: what fell back is its fallback's now; purge that"};
        break;
      case DeliveryState::kDead: break;
    }
  }
  return Ok();
}

}  // namespace

HistoryApi::HistoryApi(History& history, Journal& journal, const Clock& clock, Router& router)
    : history_(history), journal_(journal), clock_(clock), router_(router), changes_(history, journal, clock, router) {}

bool HistoryApi::Owns(std::string_view path) {
  return IsAt(path, kEvents) || IsAt(path, kDeliveries) || path == kRefused;
}

Answer HistoryApi::Handle(const ServedRequest& request) {
  if (request.path == kRefused) return ListRefused(request);
  const bool events = IsAt(request.path, kEvents);
  std::string_view rest = request.path.substr(events ? kEvents.size() : kDeliveries.size());
  if (!rest.empty()) rest.remove_prefix(1);
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string_view id = rest.substr(0, slash);
  const std::string_view verb = rest.substr(std::min(slash + 1, rest.size()));
  const bool bulk = !events && slash == rest.size() && (id == "replay" || id == "purge");
  if ((slash != rest.size() && verb != "replay") || (request.path.ends_with('/'))) {
    return Refused(
        404, "not_found",
        "there is no such page; below " + std::string(events ? kEvents : kDeliveries) + "/{id} there is only /replay");
  }
  const bool post = bulk || verb == "replay";
  if (auto refused = WrongMethod(request, post ? "POST" : "GET")) return *refused;
  if (Status body = ExpectNoBody(request.body); !bulk && !body) return BadRequest(body.error());
  if (rest.empty()) return events ? ListEvents(request) : ListDeliveries(request);
  if (Status query = ExpectNoQuery(request.query); !query) return BadRequest(query.error());
  if (bulk) return Bulk(request.body, id == "purge");
  if (!post) return events ? ShowEvent(id) : ShowDelivery(id);
  return events ? ReplayEvent(id) : ReplayDelivery(id);
}

KnownNames HistoryApi::CurrentNames() const {
  return KnownNames(router_.CurrentConfig(), router_.Lanes());
}

Answer HistoryApi::ListEvents(const ServedRequest& request) {
  auto query = ParseEventQuery(request.query, clock_.Wall());
  if (!query) return BadRequest(query.error());
  const KnownNames names = CurrentNames();
  names.Resolve(query->filter.agent);
  return AnswerPages(
      "events", query->page, clock_, names.WhatIsUnknown(query->filter),
      [&](EventSeq before, std::size_t limit) { return history_.ListEvents(query->filter, before, limit); },
      [](const EventSummary& event) { return ToObject(event); });
}

Answer HistoryApi::ListDeliveries(const ServedRequest& request) {
  auto query = ParseDeliveryQuery(request.query, clock_.Wall());
  if (!query) return BadRequest(query.error());
  const KnownNames names = CurrentNames();
  names.Resolve(query->filter.agent);
  const Holds holds = CurrentHolds();
  const DeliveryFilter wide = holds.Widened(query->filter);
  struct Shown {
    DeliverySummary delivery;
    std::optional<Holds::Hold> hold;
  };
  return AnswerPages(
      "deliveries", query->page, clock_, names.WhatIsUnknown(query->filter),
      [&](DeliverySeq before, std::size_t limit) -> Result<Page<Shown>> {
        auto page = history_.ListDeliveries(wide, before, limit);
        if (!page) return std::move(page).error();
        Page<Shown> shown;
        shown.next = page->next;
        for (auto& delivery : page->items) {
          auto hold = holds.Of(delivery);
          if (Holds::Fits(query->filter.states, delivery, hold)) {
            shown.items.push_back({std::move(delivery), std::move(hold)});
          }
        }
        return shown;
      },
      [](const Shown& shown) { return ToObject(shown.delivery, shown.hold); });
}

Answer HistoryApi::ListRefused(const ServedRequest& request) {
  if (auto refused = WrongMethod(request, "GET")) return *refused;
  if (Status body = ExpectNoBody(request.body); !body) return BadRequest(body.error());
  const auto query = ParseRefusedQuery(request.query);
  if (!query) return BadRequest(query.error());
  return AnswerPages(
      "refused", query->page, clock_, CurrentNames().WhatIsUnknownSource(query->source),
      [&](std::int64_t before, std::size_t limit) {
        auto page = history_.ListRefused(before, limit);
        if (page && !query->source.empty()) {
          std::erase_if(page->items, [&](const RefusedRequest& one) { return one.source != query->source; });
        }
        return page;
      },
      [](const RefusedRequest& refused) { return ToObject(refused); });
}

Result<EventSummary> HistoryApi::FindEvent(std::string_view id) {
  const Error missing{ErrorCode::kNotFound, "no event has the id " + ToUtf8(id) + "; retention may have removed it"};
  const auto seq = EventSeqOf(id);
  if (!seq) return missing;
  auto event = history_.FindEvent(*seq);
  if (event && !EqualsIgnoreCase(event->id, id)) return missing;
  if (!event && event.error().code == ErrorCode::kNotFound) return missing;
  return event;
}

Result<json::array> HistoryApi::AttemptsOf(DeliverySeq delivery) {
  auto attempts = history_.AttemptsOf(delivery);
  if (!attempts) return std::move(attempts).error();
  json::array shown;
  for (const auto& attempt : *attempts) shown.push_back(ToObject(attempt));
  return shown;
}

Answer HistoryApi::ShowEvent(std::string_view id) {
  const auto event = FindEvent(id);
  if (!event) return Failed(event.error());
  const auto deliveries = history_.DeliveriesOf(event->seq);
  if (!deliveries) return Failed(deliveries.error());
  const auto stored = journal_.Load(event->seq);
  if (!stored && stored.error().code == ErrorCode::kUnavailable) return Failed(stored.error());
  EventReading reading;
  if (stored) reading = router_.Read(*stored);
  if (!stored) reading.why_not = stored.error().message;

  json::object shown = ToObject(*event);
  if (stored) AddBody(shown, stored->headers, stored->body);
  const auto revisions = history_.RevisionsOf(event->seq);
  if (!revisions) return Failed(revisions.error());
  json::array before;
  for (const Revision& revision : *revisions) before.push_back(ToObject(revision));
  shown["revisions"] = std::move(before);
  shown["normalized"] = reading.call ? json::value(ToObject(*reading.call)) : nullptr;
  shown["normalized_because"] = OrNull(reading.why_not);
  shown["routing"] = RoutingOf(reading, clock_.Wall());
  const Holds holds = CurrentHolds();
  json::array list;
  for (const auto& delivery : *deliveries) {
    auto attempts = AttemptsOf(delivery.seq);
    if (!attempts) return Failed(attempts.error());
    json::object object = ToObject(delivery, holds.Of(delivery));
    object["attempts"] = std::move(*attempts);
    list.push_back(std::move(object));
  }
  shown["deliveries"] = std::move(list);
  return JsonAnswer(200, shown);
}

Answer HistoryApi::ReplayEvent(std::string_view id) {
  const auto event = FindEvent(id);
  if (!event) return Failed(event.error());
  const auto stored = journal_.Load(event->seq);
  if (!stored) return Failed(stored.error());
  const EventReading reading = router_.Read(*stored);
  if (!reading.call) return Refused(409, "not_a_call", reading.why_not);
  if (reading.explanation.routes.empty()) {
    return Refused(422, "no_rule",
                   "no current rule matches this event; GET " + std::string(kEvents) + "/" + event->id + " says why");
  }
  const auto added = changes_.ReplayEvent(event->seq, reading.explanation.routes);
  if (!added) return Failed(added.error());
  return JsonAnswer(200, json::object{{"ok", true}, {"id", event->id}, {"deliveries", IdsOf(*added)}});
}

Answer HistoryApi::ShowDelivery(std::string_view id) {
  const auto seq = DeliverySeqOf(id);
  if (!seq) return Refused(404, "not_found", "no delivery has the id " + ToUtf8(id));
  const auto delivery = history_.FindDelivery(*seq);
  if (!delivery) return Failed(delivery.error());
  auto attempts = AttemptsOf(*seq);
  if (!attempts) return Failed(attempts.error());
  json::object shown = ToObject(*delivery, CurrentHolds().Of(*delivery));
  shown["attempts"] = std::move(*attempts);
  return JsonAnswer(200, shown);
}

Answer HistoryApi::ReplayDelivery(std::string_view id) {
  const auto seq = DeliverySeqOf(id);
  if (!seq) return Refused(404, "not_found", "no delivery has the id " + ToUtf8(id));
  const auto delivery = history_.FindDelivery(*seq);
  if (!delivery) return Failed(delivery.error());
  const auto revived = changes_.Replay(*seq);
  if (!revived) return Failed(revived.error());
  if (!*revived) return Refused(409, "not_ended", "it has not ended: it waits or is being sent");
  return JsonAnswer(200, json::object{{"ok", true}, {"id", DeliveryId(*seq)}});
}

Answer HistoryApi::Bulk(std::string_view body, bool purge) {
  auto request = ParseBulkRequest(body, clock_.Wall());
  if (!request) return BadRequest(request.error());
  if (Status states = CheckStates(request->filter.states, purge); !states) return BadRequest(states.error());
  const KnownNames names = CurrentNames();
  names.Resolve(request->filter.agent);
  const Holds holds = CurrentHolds();
  const BulkResult result = purge ? changes_.Purge(*request, holds) : changes_.Replay(*request, holds);
  if (result.busy) return Busy("another replay or purge by filter runs: try again when it has ended");
  if (result.end && result.matched == 0) {
    if (auto unknown = names.WhatIsUnknown(request->filter); !unknown.empty()) {
      return BadRequest(UnknownName(std::move(unknown)));
    }
  }
  json::object shown{{"ok", result.end.has_value()},
                     {"dry_run", request->dry_run},
                     {"matched", result.matched},
                     {"changed", result.changed},
                     {"deliveries", IdsOf(result.first)}};
  if (result.end) return JsonAnswer(200, shown);
  return Failed(result.end.error(), std::move(shown));
}

}  // namespace hookswitch
