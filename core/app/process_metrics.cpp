#include "core/app/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "core/base/sync.h"

namespace hookswitch {
namespace {

struct ShownProcess {
  explicit ShownProcess(Metrics& metrics)
      : cpu(metrics.MakeCounter("process_cpu_seconds_total", "User and system time of the process.")),
        memory(metrics.MakeGauge("process_resident_memory_bytes", "Resident memory.")),
        open_files(metrics.MakeGauge("process_open_fds", "Open file descriptors.")),
        most_files(metrics.MakeGauge("process_max_fds", "File descriptors that the process may have.")) {}

  void Update() {
    timespec used{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
      const double seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
      MutexLock lock(mu);  // or two scrapes would both add the difference
      cpu.Add(std::max(0.0, seconds - cpu.Value()));
    }
    std::ifstream statm("/proc/self/statm");
    double pages = 0, resident = 0;
    if (statm >> pages >> resident) memory.Set(resident * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    std::error_code failed;
    double files = -1;  // the folder itself is one
    for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end;
         at.increment(failed))
      ++files;
    if (!failed) open_files.Set(files);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) most_files.Set(static_cast<double>(limit.rlim_cur));
  }

  Mutex mu;
  const Counter cpu;
  const Gauge memory, open_files, most_files;
};

}  // namespace

void ShowProcess(Metrics& metrics, WallTime started_at) {
  metrics.MakeGauge("process_start_time_seconds", "When the router started.")
      .Set(std::chrono::duration<double>(started_at.time_since_epoch()).count());
  metrics.BeforeScrape([process = std::make_shared<ShownProcess>(metrics)] { process->Update(); });
}

}  // namespace hookswitch
