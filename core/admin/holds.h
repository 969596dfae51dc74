#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/admin/router.h"
#include "core/delivery/lane_status.h"
#include "core/journal/history.h"

namespace hookswitch {

/// Why waiting deliveries are not being sent, from a snapshot of the lanes.
class Holds {
 public:
  /// `router` is queried for sinks of `lanes` with refused places, and outlives this.
  Holds(std::span<const LaneStatus> lanes, Router& router);

  struct Hold {
    std::string_view by;  ///< settle, paused, misconfigured, unavailable, removed
    std::string reason;
  };
  /// What holds a delivery; empty if nothing does, or it has ended.
  std::optional<Hold> Of(const DeliverySummary& delivery) const;

  /// Widens `filter` so that the journal lists every delivery that may be in one of its states; Fits selects those that
  /// are.
  DeliveryFilter Widened(DeliveryFilter filter) const;
  static bool Fits(std::span<const DeliveryState> states, const DeliverySummary& delivery,
                   const std::optional<Hold>& hold);

 private:
  struct Lane {
    std::string_view state;
    std::string reason;
  };
  Router& router_;
  std::map<std::string, Lane, std::less<>> blocked_;  ///< lanes that start nothing (IsBlocked)
  std::vector<std::string> with_places_;              ///< other sinks with refused places
};

}  // namespace hookswitch
