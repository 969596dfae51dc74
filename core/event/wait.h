#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch {

/// What a delivery waited for before an attempt.
enum class WaitKind : std::uint8_t {
  kSettle,    ///< the end of its call (`settle`)
  kRetry,     ///< its retry after a failed attempt
  kPaused,    ///< the end of the operator's pause
  kTrouble,   ///< its sink, or the place behind it: failing, misconfigured, refused, unavailable or removed
  kThrottle,  ///< the end of the pause that the other side asked for
  kOrder,     ///< an earlier delivery of its call, or of the same remote thing
  kSlot,      ///< a free one: as many as the sink's `concurrency` were in flight
  kPace,      ///< its turn by the rate of the sink, or of the place behind it
};
inline constexpr std::size_t kWaitKinds = 8;

/// "settle", "retry", "paused", "trouble", "throttle", "order", "slot", "pace".
std::string_view ToString(WaitKind kind);

struct Wait {
  WaitKind kind = WaitKind::kSettle;
  std::chrono::milliseconds time{};
  bool operator==(const Wait&) const = default;
};

/// What a delivery waited for, in order of its beginning, each kind once. What is not known is left out: the sum may be
/// less than the delivery waited, never more.
using Waits = std::vector<Wait>;

/// "pace 1200,order 40", in milliseconds; "" for none.
std::string ToText(const Waits& waits);
/// The reverse. Leaves out what it does not understand, as a later version may have written it.
Waits ParseWaits(std::string_view text);

}  // namespace hookswitch
