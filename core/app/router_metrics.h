#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/config/config.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// The metrics of the router as a whole: its version, its config, its health, its journal, its log.
class RouterMetrics {
 public:
  /// `journal` outlives the last scrape of `metrics`; `config` is the one it was opened by.
  RouterMetrics(Metrics& metrics, Journal& journal, const config::Journal& config, WallTime started_at);

  /// Shows the parts that can make the router unready, and the search index. Both are called by each scrape.
  void Show(std::function<std::vector<Part>()> parts, std::function<IndexStatus()> search);

  // One reload at a time.
  void ReloadBegins() { reloads_.Add(); }
  void ReloadFailed();
  /// `need_restart`: how many keys of the new config wait for a restart.
  void Reloaded(std::uint64_t generation, WallTime at, std::size_t need_restart);

 private:
  Metrics& metrics_;
  Gauge successful_, applied_at_, generation_, need_restart_;
  Counter reloads_, failed_;
};

}  // namespace hookswitch
