#pragma once
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// The metrics of the router as a whole: its version, its config, its journal, its log.
class RouterMetrics {
 public:
  /// `journal` outlives the last scrape of `metrics`.
  RouterMetrics(Metrics& metrics, Journal& journal, WallTime started_at);

  // One reload at a time.
  void ReloadBegins() { reloads_.Add(); }
  void ReloadFailed();
  void Reloaded(std::uint64_t generation, WallTime at);

 private:
  Gauge successful_, applied_at_, generation_;
  Counter reloads_, failed_;
};

}  // namespace hookswitch
