#include "core/journal/journal.h"

#include "core/base/check.h"

namespace hookswitch {

std::string_view ToString(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending: return "pending";
    case DeliveryState::kHeld: return "held";
    case DeliveryState::kDelivered: return "delivered";
    case DeliveryState::kDead: return "dead";
    case DeliveryState::kCanceled: return "canceled";
    case DeliveryState::kFellBack: return "fell_back";
  }
  Unreachable();
}

std::string_view ToString(Trigger trigger) {
  switch (trigger) {
    case Trigger::kFirst: return "first";
    case Trigger::kAutomatic: return "automatic";
    case Trigger::kManual: return "manual";
  }
  Unreachable();
}

}  // namespace hookswitch
