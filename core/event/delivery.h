#pragma once
#include <cstdint>
#include <string>

#include "core/base/ids.h"

namespace hookswitch {

/// What a delivery is, from its acceptance to its end. Embedded wherever one is stored, waits in a lane, is attempted
/// or listed: a field that all of these need belongs here.
struct DeliveryCore {
  DeliverySeq seq = 0;
  EventSeq event = 0;
  std::uint64_t call_key = 0;  ///< orders deliveries of one call (NewEvent::call_key); 0: no order
  std::uint32_t attempts = 0;  ///< finished so far
  std::uint32_t step = 0;      ///< the next one, of a delivery in several steps
  bool is_fallback = false;    ///< made by another sink's fallback; does not fall back again
  bool is_replay = false;      ///< replayed by the operator, and not attempted since; never superseded
  bool is_held = false;        ///< waits until it is due for the delivery that ends its call
  bool newest_only = false;    ///< superseded by a later one of its call (rules[].per_call: latest)
  bool ends_call = false;      ///< the call's real end: supersedes a held delivery of the call
};

/// Where a delivery goes, and which rule sent it there.
struct DeliveryRoute {
  std::string sink{}, rule{}, template_name{};
};

}  // namespace hookswitch
