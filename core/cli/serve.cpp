#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string_view>
#include <thread>

#include "core/app/app.h"
#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/version.h"
#include "core/cli/commands.h"

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
  sigaction(SIGXFSZ, &ignore, nullptr);  // a file at its size limit (LimitFSIZE) is a full disk, not the end
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

/// Tells systemd that the router works for as long as it does; one that hangs is then killed and started anew. A thread
/// of its own, which lives until the process ends.
void StartWatchdog(App& app) {
  std::uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) <= 0) return;
  // Twice within the limit, so that one late sign of life is forgiven.
  std::thread([&app, pause = std::chrono::microseconds(limit_us / 3)] {
    for (;;) {
      std::this_thread::sleep_for(pause);
      const std::string_view part = app.Hanging();
      if (part.empty()) {
        sd_notify(0, "WATCHDOG=1");
      } else {
        log::Error("router_hangs", {{"part", part}});
      }
    }
  }).detach();
}

/// Reloads on a thread of its own, so that main stays free for signals whatever a plugin does. Wishes that come while
/// one is being fulfilled become one more pass.
class Reloader {
 public:
  explicit Reloader(App& app) : app_(app) {
    std::thread([this] { Run(); }).detach();  // lives until the process ends
  }
  void Ask() {
    MutexLock lock(mu_);
    wanted_ = true;
    asked_.NotifyOne();
  }

 private:
  [[noreturn]] void Run() {
    for (;;) {
      {
        MutexLock lock(mu_);
        while (!wanted_) asked_.Wait(mu_);
        wanted_ = false;
      }
      sd_notify(0, "RELOADING=1");
      const bool applied = app_.Reload().applied;
      sd_notify(0, applied ? "READY=1\nSTATUS=" : "READY=1\nSTATUS=the last reload failed, see the log");
    }
  }

  App& app_;
  Mutex mu_;
  CondVar asked_;
  bool wanted_ GUARDED_BY(mu_) = false;
};

}  // namespace

int Serve(const Options& options) {
  const sigset_t signals = BlockSignals();
  RaiseDescriptorLimit();
  static const SystemClock clock;
  AppOptions app_options{options.config, config::Environment::System(options.env_file), options.program};
  BuildResult build;
  auto app = App::Start(app_options, clock, build);
  if (!app) {
    if (!build.generation) {
      Print(build.problems.All(), Format::kText);
      return build.unreadable ? kUsage : kProblems;
    }
    log::Error("start_failed", {{"reason", app.error().message}});
    log::Flush();
    return kProblems;
  }
  log::Info("ready", {{"version", kVersion},
                      {"ingress", (*app)->IngressAddress()},
                      {"admin", (*app)->AdminAddress()},
                      {"config", options.config},
                      {"pid", getpid()}});
  sd_notify(0, "READY=1");
  StartWatchdog(**app);

  Reloader reloader(**app);
  for (;;) {
    const int number = NextSignal(signals);
    if (number == SIGHUP) {
      reloader.Ask();
      continue;
    }
    log::Info("draining", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
    sd_notify(0, "STOPPING=1");
    // A second signal ends the process at once: what was accepted is on disk.
    std::thread([signals] {
      int again = NextSignal(signals);
      while (again == SIGHUP) again = NextSignal(signals);
      log::Warn("stopped_at_once", {{"reason", "a second signal came while draining"}});
      log::Flush();
      _exit(kProblems);
    }).detach();
    (*app)->Drain();
    log::Info("stopped");
    log::Flush();
    // The process ends here: what still runs holds nothing that is not on disk.
    _exit(kFine);
  }
}

}  // namespace hookswitch::cli
