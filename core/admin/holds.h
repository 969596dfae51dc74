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

/// What keeps deliveries that wait from being sent, as the lanes are at one moment.
class Holds {
 public:
  /// `router` is asked about sinks of `lanes` that have refused places, and outlives this.
  Holds(std::span<const LaneStatus> lanes, Router& router);

  struct Hold {
    std::string_view by;  ///< settle, paused, misconfigured, unavailable, removed
    std::string because;
  };
  /// Empty: nothing holds it, or it has ended.
  std::optional<Hold> Of(const DeliverySummary& delivery) const;

  /// Has the journal list all that may be in one of the filter's states; Fits says which of them are.
  DeliveryFilter Widened(DeliveryFilter filter) const;
  static bool Fits(std::span<const DeliveryState> states, const DeliverySummary& delivery,
                   const std::optional<Hold>& hold);

 private:
  struct Lane {
    std::string_view state;
    std::string because;
  };
  Router& router_;
  std::map<std::string, Lane, std::less<>> standing_;  ///< lanes that stand still until somebody does something
  std::vector<std::string> with_places_;               ///< sinks that go on, but for places that were refused
};

}  // namespace hookswitch
