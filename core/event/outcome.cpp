#include "core/event/outcome.h"

#include "core/base/check.h"

namespace hookswitch {

std::string_view ToString(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::kDelivered: return "delivered";
    case Outcome::Kind::kRetry: return "retry";
    case Outcome::Kind::kRejected: return "rejected";
    case Outcome::Kind::kMisconfigured: return "misconfigured";
    case Outcome::Kind::kNext: return "next";
  }
  Unreachable();
}

}  // namespace hookswitch
