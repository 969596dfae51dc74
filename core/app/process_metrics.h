#pragma once
#include "core/base/clock.h"
#include "core/base/metrics.h"

namespace hookswitch {

/// Shows this process under the names that Prometheus' own client libraries use (process_cpu_seconds_total, …).
void ShowProcess(Metrics& metrics, WallTime started_at);

}  // namespace hookswitch
