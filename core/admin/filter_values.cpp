#include "core/admin/filter_values.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

std::string QuotedValue(std::string_view text) {
  return '"' + ToUtf8(text) + '"';
}

}  // namespace

Result<DeliveryState> ParseDeliveryState(std::string_view text) {
  const std::string name = ToLower(text);
  const auto* state = std::ranges::find(kDeliveryStates, name, [](DeliveryState one) { return ToString(one); });
  if (state != std::end(kDeliveryStates)) return *state;
  std::vector<std::string> known;
  for (const DeliveryState one : kDeliveryStates) known.emplace_back(ToString(one));
  return Error{ErrorCode::kInvalid, QuotedValue(text) + " is not a state of a delivery; " + DidYouMean(name, known)};
}

Result<StatusSet> ParseStatuses(std::string_view text) {
  const std::string name = ToLower(text);
  if (const auto status = ParseStatus(name)) return Bit(*status);
  if (const auto group = ParseStatusGroup(name)) return *group;
  const std::vector<std::string> known(StatusNames().begin(), StatusNames().end());
  return Error{ErrorCode::kNotFound,
               QuotedValue(text) + " is neither a status of a call nor a group; " + DidYouMean(name, known)};
}

Result<WallTime> ParseTimeOrAge(std::string_view text, WallTime now) {
  constexpr std::size_t kDate = 10;  // 2026-03-04
  if (const auto time = ParseTime(text)) return *time;
  if (text.size() == kDate) {
    if (const auto midnight = ParseTime(std::string(text) + "T00:00:00Z")) return *midnight;
  }
  if (const auto back = ParseDuration(text)) return now - *back;
  return Error{ErrorCode::kInvalid,
               QuotedValue(text) +
                   " is neither a date such as 2026-03-04, nor a time such as 2026-03-04T09:02:03Z, nor a duration "
                   "back from now such as 2h"};
}

}  // namespace hookswitch
