#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/lane_status.h"

namespace hookswitch {

/// Which sinks have changed since they were last shown. A changed state is shown at once; numbers alone once a second,
/// less often where there are many sinks. Not thread-safe.
class LiveSinks {
 public:
  /// Takes `lanes` as shown.
  void Begin(std::span<const LaneStatus> lanes);
  /// Those of `lanes` to be shown at `now`; a sink that is gone once more, as removed.
  std::vector<LaneStatus> Changed(std::span<const LaneStatus> lanes, MonoTime now);

 private:
  struct Shown {
    LaneStatus status;
    std::uint64_t counted = 0;  ///< HourCounts::Total
    MonoTime at{};
    bool is_listed = false;
  };
  std::map<std::string, Shown, std::less<>> shown_;
};

}  // namespace hookswitch
