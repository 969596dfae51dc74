#include "core/event/wait.h"

#include <algorithm>
#include <charconv>

#include "core/base/check.h"

namespace hookswitch {

std::string_view ToString(WaitKind kind) {
  switch (kind) {
    case WaitKind::kSettle: return "settle";
    case WaitKind::kRetry: return "retry";
    case WaitKind::kPaused: return "paused";
    case WaitKind::kTrouble: return "trouble";
    case WaitKind::kThrottle: return "throttle";
    case WaitKind::kOrder: return "order";
    case WaitKind::kSlot: return "slot";
    case WaitKind::kPace: return "pace";
  }
  Unreachable();
}

std::string ToText(const Waits& waits) {
  std::string text;
  for (const Wait& wait : waits) {
    if (!text.empty()) text += ',';
    text.append(ToString(wait.kind)).append(1, ' ').append(std::to_string(wait.time.count()));
  }
  return text;
}

Waits ParseWaits(std::string_view text) {
  Waits waits;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const std::string_view word = item.substr(0, item.find(' '));
    const char* end = item.data() + item.size();
    std::int64_t ms = 0;
    const auto number = std::from_chars(std::min(word.data() + word.size() + 1, end), end, ms);
    if (number.ec != std::errc() || number.ptr != end || ms < 0) continue;
    for (std::size_t kind = 0; kind < kWaitKinds; ++kind) {
      if (word != ToString(static_cast<WaitKind>(kind))) continue;
      waits.push_back({static_cast<WaitKind>(kind), std::chrono::milliseconds(ms)});
    }
  }
  return waits;
}

}  // namespace hookswitch
