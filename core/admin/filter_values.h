#pragma once
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/call_event.h"
#include "core/journal/journal.h"

/// Parses values of filters, which mean the same in a URL, in a body and in the search box. Errors quote the value;
/// they do not name the parameter.
namespace hookswitch {

/// Every state, in the order in which they are shown.
inline constexpr DeliveryState kDeliveryStates[] = {DeliveryState::kPending,   DeliveryState::kHeld,
                                                    DeliveryState::kDelivered, DeliveryState::kDead,
                                                    DeliveryState::kCanceled,  DeliveryState::kFellBack};

/// The name of a state, in any case. Error: kInvalid.
Result<DeliveryState> ParseDeliveryState(std::string_view text);
/// The name of a status of a call or of a group of them, in any case. Error: kNotFound.
Result<StatusSet> ParseStatuses(std::string_view text);
/// A date ("2026-03-04", its midnight in UTC), a time (ParseTime), or a duration back from `now` ("2h"). Error:
/// kInvalid.
Result<WallTime> ParseTimeOrAge(std::string_view text, WallTime now);

}  // namespace hookswitch
