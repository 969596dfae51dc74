#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string_view>
#include <thread>

#include "core/app/app.h"
#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/version.h"
#include "core/cli/commands.h"
#include "core/plugins/fatal_end.h"

namespace hookswitch::cli {
namespace {

// Every thread inherits the blocked signals, so only sigwait in main ever takes them.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  sigaction(SIGXFSZ, &ignore, nullptr);  // then a file at its size limit (LimitFSIZE) is like a full disk
  return set;
}

int NextSignal(const sigset_t& set) {
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number;
}

// A shell's usual 1024 would let a flood of senders take the descriptors that sinks and the admin listener need.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A core would hold the sinks' tokens and what callers said.
void LimitCores(bool wanted) {
  const rlimit none{0, 0};
  if (!wanted) setrlimit(RLIMIT_CORE, &none);
}

/// Notifies systemd's watchdog as long as no thread hangs; otherwise systemd kills and restarts the router. Uses a
/// thread of its own, which lives until the process ends.
void StartWatchdog(App& app) {
  std::uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) <= 0) return;
  // At least twice within the limit, so that one late heartbeat is tolerated.
  std::thread([&app, pause = std::chrono::microseconds(limit_us / 3)] {
    for (;;) {
      std::this_thread::sleep_for(pause);
      const std::string_view part = app.StalledPart();
      if (part.empty()) {
        sd_notify(0, "WATCHDOG=1");
      } else {
        log::Error("router_hangs", {{"part", part}});
      }
    }
  }).detach();
}

/// Reloads on a thread of its own, so that main can take signals whatever a plugin does. Requests that arrive during a
/// reload cause one more.
class Reloader {
 public:
  explicit Reloader(App& app) : app_(app) {
    std::thread([this] { Run(); }).detach();  // lives until the process ends
  }
  void Request() {
    MutexLock lock(mu_);
    is_requested_ = true;
    requested_.NotifyOne();
  }

 private:
  [[noreturn]] void Run() {
    for (;;) {
      {
        MutexLock lock(mu_);
        while (!is_requested_) requested_.Wait(mu_);
        is_requested_ = false;
      }
      sd_notify(0, "RELOADING=1");
      const bool applied = app_.Reload("SIGHUP").applied;
      sd_notify(0, applied ? "READY=1\nSTATUS=" : "READY=1\nSTATUS=the last reload failed, see the log");
    }
  }

  App& app_;
  Mutex mu_;
  CondVar requested_;
  bool is_requested_ GUARDED_BY(mu_) = false;
};

/// Starts the router; called on a thread of its own, because a plugin may be slow and main waits for signals. Sets
/// `running`, which lives until the process ends, as the clock does. Ends the process if the start fails.
void StartOrEnd(const Options& options, std::atomic<App*>& running) {
  static const SystemClock clock;
  AppOptions app_options{options.config, config::Environment::System(options.env_file), options.program,
                         /*on_journal_lost=*/
                         [](const std::string& by) {
                           if (!by.empty()) log::Error("journal_taken_over", {{"by", by}});
                           log::Flush();
                           fatal_end::EndProcess(kProblems);
                         },
                         /*on_reload_asked=*/[] { ::kill(::getpid(), SIGHUP); },
                         /*on_take_over_failed=*/
                         [](const Error& error) {
                           log::Error("take_over_failed", {{"reason", error.message}});
                           log::Flush();
                           fatal_end::EndProcess(kProblems);
                         }};
  BuildResult build;
  auto app = App::Start(app_options, clock, build);
  if (app) {
    running = app->release();
    log::Info("ready", {{"version", kVersion},
                        {"ingress", running.load()->IngressAddress()},
                        {"admin", running.load()->AdminAddress()},
                        {"config", options.config},
                        {"pid", getpid()}});
    sd_notify(0, "READY=1");
    return StartWatchdog(*running);
  }
  int exit_code = kProblems;
  if (build.generation) {
    log::Error("start_failed", {{"reason", app.error().message}});
  } else {
    log::Error("start_failed", {{"reason", app.error().message}, {"problems", build.problems.All().size()}});
    log::Flush();
    // For a start by hand: problems with the lines of the config, as `check` shows them.
    if (::isatty(STDERR_FILENO) != 0) Print(build.problems.All(), Format::kText);
    if (build.unreadable) exit_code = kUsage;
  }
  log::Flush();
  fatal_end::EndProcess(exit_code);
}

[[noreturn]] void Stop(App* app, const sigset_t& signals, int number) {
  log::Info("draining", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
  sd_notify(0, "STOPPING=1");
  // A second signal ends the process at once: what was accepted is on disk.
  std::thread([signals] {
    int again = NextSignal(signals);
    while (again == SIGHUP) again = NextSignal(signals);
    log::Warn("stopped_at_once", {{"reason", "a second signal came while draining"}});
    log::Flush();
    fatal_end::EndProcess(kProblems);
  }).detach();
  if (app) app->Drain();
  log::Info("stopped");
  log::Flush();
  // The process ends here: whatever still runs has nothing that is not on disk.
  fatal_end::EndProcess(kFine);
}

}  // namespace

int Serve(const Options& options) {
  const sigset_t signals = BlockSignals();
  LimitCores(options.core_dumps);
  RaiseDescriptorLimit();
  fatal_end::Watch();
  static std::atomic<App*> app{nullptr};
  static std::atomic<Reloader*> reloader{nullptr};
  static std::atomic<bool> reload_requested{false};
  std::thread([&options] {
    StartOrEnd(options, app);
    reloader = new Reloader(*app);
    if (reload_requested.exchange(false)) reloader.load()->Request();
  }).detach();
  for (;;) {
    const int number = NextSignal(signals);
    if (number != SIGHUP) Stop(app, signals, number);
    reload_requested = true;
    Reloader* ready = reloader;
    if (ready && reload_requested.exchange(false)) ready->Request();
  }
}

}  // namespace hookswitch::cli
