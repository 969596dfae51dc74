#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/admin/delivery_changes.h"
#include "core/admin/event_lists.h"
#include "core/admin/explain_api.h"
#include "core/admin/guard.h"
#include "core/admin/holds.h"
#include "core/admin/known_names.h"
#include "core/admin/router.h"
#include "core/admin/routes.h"
#include "core/admin/rules_api.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/ingress/http_server.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Serves /api/v1/events…, /api/v1/calls/…, /api/v1/suggest, /api/v1/deliveries…, /api/v1/refused, /api/v1/actions and
/// /api/v1/explain (OPERATING.md, "Admin API"). [thread: any] Blocks.
class HistoryApi {
 public:
  /// `indexer`: nullptr: searches read the journal. The references outlive it.
  HistoryApi(History& history, Journal& journal, const Clock& clock, Router& router, const Indexer* indexer = nullptr);

  /// Adds its operations; `routes` must not outlive it.
  void AddTo(AdminRoutes& routes);

  History& history() { return history_; }
  Journal& journal() { return journal_; }

 private:
  /// Runs `show` with whether the content of calls is withheld (withheld.h).
  template <class Show>
  Answer Masked(const ServedRequest& request, Show show);
  Answer ShowEvent(std::string_view id, bool withhold);
  Answer ReplayEvent(std::string_view id);
  Answer ReplayEvents(std::string_view body);
  Answer ListDeliveries(const ServedRequest& request);
  Answer ShowDelivery(std::string_view id, bool withhold);
  Answer ShowMessage(std::string_view id, bool withhold);
  /// The event, or the delivery and its message, with nothing withheld.
  Answer Unmask(std::string_view id, bool event);
  Answer ReplayDelivery(std::string_view id);
  Answer Bulk(std::string_view body, bool purge);
  Answer ListRefused(const ServedRequest& request);
  Answer ListActions(const ServedRequest& request, const Caller& caller);

  /// The stored event with this public id. Errors: kNotFound and those of History.
  Result<EventSummary> FindEvent(std::string_view id);
  Result<DeliverySummary> FindDelivery(std::string_view id);
  /// With its attempts.
  Result<json::object> Shown(const DeliverySummary& delivery);
  Result<json::array> AttemptsOf(DeliverySeq delivery);
  KnownNames CurrentNames() const;
  Holds CurrentHolds() const { return Holds(router_.Lanes(), router_); }

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  DeliveryChanges changes_;
  ExplainApi explain_;
  EventLists lists_;
  RulesApi rules_;
};

}  // namespace hookswitch
