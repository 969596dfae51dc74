#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/admin/delivery_changes.h"
#include "core/admin/holds.h"
#include "core/admin/known_names.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/ingress/http_server.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Serves /api/v1/events…, /api/v1/deliveries… and /api/v1/refused (OPERATING.md, "Admin API"). [thread: any] Blocks.
class HistoryApi {
 public:
  /// The references outlive it.
  HistoryApi(History& history, Journal& journal, const Clock& clock, Router& router);

  /// True for the paths that Handle serves.
  static bool Owns(std::string_view path);
  Answer Handle(const ServedRequest& request);

 private:
  Answer ListEvents(const ServedRequest& request);
  Answer ShowEvent(std::string_view id);
  Answer ReplayEvent(std::string_view id);
  Answer ListDeliveries(const ServedRequest& request);
  Answer ShowDelivery(std::string_view id);
  Answer ReplayDelivery(std::string_view id);
  Answer Bulk(std::string_view body, bool purge);
  Answer ListRefused(const ServedRequest& request);

  /// The stored event with this public id. Errors: kNotFound and those of History.
  Result<EventSummary> FindEvent(std::string_view id);
  Result<json::array> AttemptsOf(DeliverySeq delivery);
  KnownNames CurrentNames() const;
  Holds CurrentHolds() const { return Holds(router_.Lanes(), router_); }

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  DeliveryChanges changes_;
};

}  // namespace hookswitch
