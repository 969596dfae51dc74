#include "core/admin/history_api.h"

#include "core/admin/actions.h"
#include "core/admin/answer_pages.h"
#include "core/admin/answers.h"
#include "core/admin/explain.h"
#include "core/admin/guard.h"
#include "core/admin/history_json.h"
#include "core/admin/query.h"
#include "core/admin/withheld.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr std::string_view kOtherBulkRuns = "another replay or purge by filter runs: try again when it has ended";

Error UnknownName(std::string what) {
  return {ErrorCode::kNotFound, std::move(what)};
}

json::array IdsOf(std::span<const DeliverySeq> deliveries) {
  json::array ids;
  for (const DeliverySeq delivery : deliveries) ids.emplace_back(DeliveryId(delivery));
  return ids;
}

// The times that bound what a dry run counted: who sends them with the request itself changes nothing that came since.
template <class Filter>
void AddBounds(json::object& shown, const Filter& filter, WallTime now) {
  shown["since"] = OrNull(filter.since);
  shown["until"] = ToRfc3339(filter.until.value_or(now));
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

HistoryApi::HistoryApi(History& history, Journal& journal, const Clock& clock, Router& router, const Indexer* indexer)
    : history_(history),
      journal_(journal),
      clock_(clock),
      router_(router),
      changes_(history, journal, clock, router),
      explain_(history, journal, clock, router),
      lists_(history, journal, clock, router, indexer),
      rules_(router, history, indexer, clock) {}

template <class Show>
Answer HistoryApi::Masked(const ServedRequest& request, Show show) {
  const auto mask = ParseMask(request.query);
  if (!mask) return BadRequest(mask.error());
  return show(*mask || router_.CurrentConfig()->bodies != config::Bodies::kFull);
}

void HistoryApi::AddTo(AdminRoutes& routes) {
  using Takes = AdminRoute::Takes;
  using Routed = const RoutedRequest&;
  routes.Add({"GET", "/api/v1/events", Access::kRead, Takes::kQuery,
              [this](Routed routed) { return lists_.List(routed.request, routed.caller); }});
  routes.Add({"GET", "/api/v1/suggest", Access::kRead, Takes::kQuery,
              [this](Routed routed) { return lists_.ShowSuggestions(routed.request, routed.caller); }});
  routes.Add({"GET", "/api/v1/calls/{+call_id}", Access::kRead, Takes::kQuery,
              [this](Routed routed) { return lists_.ShowCall(routed.request, routed.values[0]); }});
  routes.Add({"GET", "/api/v1/events/{id}", Access::kRead, Takes::kQuery, [this](Routed routed) {
                return Masked(routed.request, [&](bool withhold) { return ShowEvent(routed.values[0], withhold); });
              }});
  routes.Add({"POST", "/api/v1/events/{id}/unmask", Access::kChange, Takes::kNothing,
              [this](Routed routed) { return Unmask(routed.values[0], true); }});
  routes.Add({"POST", "/api/v1/deliveries/{id}/unmask", Access::kChange, Takes::kNothing,
              [this](Routed routed) { return Unmask(routed.values[0], false); }});
  routes.Add({"POST", "/api/v1/events/{id}/replay", Access::kChange, Takes::kNothing,
              [this](Routed routed) { return ReplayEvent(routed.values[0]); }});
  routes.Add({"POST", "/api/v1/events/replay", Access::kChange, Takes::kBody,
              [this](Routed routed) { return ReplayEvents(routed.request.body); }});
  routes.Add({"GET", "/api/v1/deliveries", Access::kRead, Takes::kQuery,
              [this](Routed routed) { return ListDeliveries(routed.request); }});
  routes.Add({"POST", "/api/v1/deliveries/replay", Access::kChange, Takes::kBody,
              [this](Routed routed) { return Bulk(routed.request.body, false); }});
  routes.Add({"POST", "/api/v1/deliveries/purge", Access::kChange, Takes::kBody,
              [this](Routed routed) { return Bulk(routed.request.body, true); }});
  routes.Add({"GET", "/api/v1/deliveries/{id}", Access::kRead, Takes::kQuery, [this](Routed routed) {
                return Masked(routed.request, [&](bool withhold) { return ShowDelivery(routed.values[0], withhold); });
              }});
  routes.Add({"POST", "/api/v1/deliveries/{id}/replay", Access::kChange, Takes::kNothing,
              [this](Routed routed) { return ReplayDelivery(routed.values[0]); }});
  routes.Add({"GET", "/api/v1/deliveries/{id}/message", Access::kRead, Takes::kQuery, [this](Routed routed) {
                return Masked(routed.request, [&](bool withhold) { return ShowMessage(routed.values[0], withhold); });
              }});
  routes.Add({"POST", "/api/v1/explain", Access::kRead, Takes::kAnything,
              [this](Routed routed) { return explain_.Explain(routed.request); }});
  rules_.AddTo(routes);
  routes.Add({"GET", "/api/v1/refused", Access::kRead, Takes::kQuery,
              [this](Routed routed) { return ListRefused(routed.request); }});
  routes.Add({"GET", "/api/v1/actions", Access::kRead, Takes::kQuery,
              [this](Routed routed) { return ListActions(routed.request, routed.caller); }});
}

Answer HistoryApi::Unmask(std::string_view id, bool event) {
  if (auto refused = RefuseUnmask(router_.CurrentConfig()->bodies)) return *refused;
  if (event) return ShowEvent(id, false);
  const auto delivery = FindDelivery(id);
  if (!delivery) return Failed(delivery.error());
  auto shown = Shown(*delivery);
  if (!shown) return Failed(shown.error());
  auto message = explain_.MessageOf(*delivery);
  if (!message) return Failed(message.error());
  (*shown)["message"] = std::move(*message);
  AddMasked(*shown, false);
  return JsonAnswer(200, *shown);
}

KnownNames HistoryApi::CurrentNames() const {
  return KnownNames(router_.CurrentConfig(), router_.Lanes());
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

Answer HistoryApi::ListActions(const ServedRequest& request, const Caller& caller) {
  const auto page = ParsePageQuery(request.query);
  if (!page) return BadRequest(page.error());
  const bool withhold = !MaySeeContent(router_.CurrentConfig()->bodies, caller.May(Caller::Right::kChange));
  return AnswerPages(
      "actions", *page, clock_, {},
      [&](std::int64_t before, std::size_t limit) { return history_.ListActions(before, limit); },
      [&](const OperatorAction& action) {
        json::object shown = ToObject(action);
        if (withhold) WithholdSearch(shown);
        return shown;
      });
}

Result<EventSummary> HistoryApi::FindEvent(std::string_view id) {
  return hookswitch::FindEvent(history_, id);
}

Result<json::array> HistoryApi::AttemptsOf(DeliverySeq delivery) {
  auto attempts = history_.AttemptsOf(delivery);
  if (!attempts) return std::move(attempts).error();
  json::array shown;
  for (const auto& attempt : *attempts) shown.push_back(ToObject(attempt));
  return shown;
}

Answer HistoryApi::ShowEvent(std::string_view id, bool withhold) {
  const auto event = FindEvent(id);
  if (!event) return Failed(event.error());
  const auto deliveries = history_.DeliveriesOf(event->seq);
  if (!deliveries) return Failed(deliveries.error());
  const auto stored = journal_.Load(event->seq);
  if (!stored && stored.error().code == ErrorCode::kUnavailable) return Failed(stored.error());
  TwoReadings readings;
  if (stored) {
    readings.then = router_.ReadAsAccepted(*stored);
    readings.now = router_.Read(*stored);
  } else {
    readings.then.reading.why_not = readings.now.why_not = stored.error().message;
  }

  json::object shown = ToObject(*event);
  shown["raw"] = nullptr;
  shown["headers"] = json::array();
  if (stored) AddBody(shown, stored->headers, stored->body);
  const auto revisions = history_.RevisionsOf(event->seq);
  if (!revisions) return Failed(revisions.error());
  json::array before;
  for (const Revision& revision : *revisions) before.push_back(ToObject(revision));
  shown["revisions"] = std::move(before);
  readings.then_at = revisions->empty() ? event->received_at : revisions->back().until;
  readings.now_at = clock_.Wall();
  AddReadings(shown, readings);
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
  AddMasked(shown, withhold);
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
    return Refused(422, "no_rule", "no current rule matches this event; GET /api/v1/events/" + event->id + " says why");
  }
  const auto added = changes_.ReplayEvent(event->seq, reading.explanation.routes);
  if (!added) return Failed(added.error());
  return JsonAnswer(200, json::object{{"ok", true}, {"id", event->id}, {"deliveries", IdsOf(*added)}});
}

Answer HistoryApi::ReplayEvents(std::string_view body) {
  const WallTime now = clock_.Wall();
  const auto request = ParseEventBulkRequest(body, now);
  if (!request) return BadRequest(request.error());
  const DeliveryChanges::BulkTurn turn(changes_);
  if (!turn) return Busy(kOtherBulkRuns);
  const auto found = lists_.FindAll(request->filter, request->search);
  if (const auto* refused = std::get_if<Answer>(&found)) return *refused;
  const auto& matches = std::get<std::vector<EventSeq>>(found);
  const EventReplayResult result = changes_.ReplayEvents(turn, matches, request->dry_run);
  json::object by_sink;
  for (const auto& [sink, count] : result.by_sink) by_sink.emplace(sink, count);
  json::object shown{{"ok", result.end.has_value()},  {"dry_run", request->dry_run},
                     {"matched", matches.size()},     {"changed", result.changed},
                     {"no_rule", result.no_rule},     {"not_a_call", result.not_a_call},
                     {"by_sink", std::move(by_sink)}, {"deliveries", IdsOf(result.first)}};
  if (request->dry_run) AddBounds(shown, request->filter, now);
  if (result.end) return JsonAnswer(200, shown);
  return Failed(result.end.error(), std::move(shown));
}

Result<DeliverySummary> HistoryApi::FindDelivery(std::string_view id) {
  const auto seq = DeliverySeqOf(id);
  if (!seq) return Error{ErrorCode::kNotFound, "no delivery has the id " + ToUtf8(id)};
  return history_.FindDelivery(*seq);
}

Answer HistoryApi::ShowMessage(std::string_view id, bool withhold) {
  const auto delivery = FindDelivery(id);
  if (!delivery) return Failed(delivery.error());
  return explain_.ShowMessage(*delivery, withhold);
}

Result<json::object> HistoryApi::Shown(const DeliverySummary& delivery) {
  auto attempts = AttemptsOf(delivery.seq);
  if (!attempts) return std::move(attempts).error();
  json::object shown = ToObject(delivery, CurrentHolds().Of(delivery));
  shown["attempts"] = std::move(*attempts);
  return shown;
}

Answer HistoryApi::ShowDelivery(std::string_view id, bool withhold) {
  const auto delivery = FindDelivery(id);
  if (!delivery) return Failed(delivery.error());
  auto shown = Shown(*delivery);
  if (!shown) return Failed(shown.error());
  AddMasked(*shown, withhold);
  return JsonAnswer(200, *shown);
}

Answer HistoryApi::ReplayDelivery(std::string_view id) {
  const auto delivery = FindDelivery(id);
  if (!delivery) return Failed(delivery.error());
  const auto revived = changes_.Replay(delivery->seq);
  if (!revived) return Failed(revived.error());
  if (!*revived) return Refused(409, "not_ended", "it has not ended: it waits or is being sent");
  return JsonAnswer(200, json::object{{"ok", true}, {"id", DeliveryId(delivery->seq)}});
}

Answer HistoryApi::Bulk(std::string_view body, bool purge) {
  const WallTime now = clock_.Wall();
  auto request = ParseBulkRequest(body, now);
  if (!request) return BadRequest(request.error());
  if (Status states = CheckStates(request->filter.states, purge); !states) return BadRequest(states.error());
  const DeliveryChanges::BulkTurn turn(changes_);
  if (!turn) return Busy(kOtherBulkRuns);
  const KnownNames names = CurrentNames();
  names.Resolve(request->filter.agent);
  const Holds holds = CurrentHolds();
  const BulkResult result = purge ? changes_.Purge(turn, *request, holds) : changes_.Replay(turn, *request, holds);
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
  if (request->dry_run) AddBounds(shown, request->filter, now);
  if (result.end) return JsonAnswer(200, shown);
  return Failed(result.end.error(), std::move(shown));
}

}  // namespace hookswitch
