#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/sync.h"

namespace hookswitch::demo {

/// `hookswitch serve` in a process of its own, and what it logs. The router gets no Ctrl-C of this program's terminal,
/// and is killed if this program dies.
class RouterProcess {
 public:
  struct Options {
    std::filesystem::path program;         ///< hookswitch
    std::string config;                    ///< its config file
    std::vector<std::string> environment;  ///< "NAME=value": all of it
    /// [thread: reader] Called for each log line; with nullptr at the end of the process. Must not block.
    std::function<void(const json::object* line)> on_line;
  };

  /// [thread: main] The thread that calls it must live as long as the router. Error: kUnavailable (no process can be
  /// created). A router that does not come up only logs why, and ends.
  static Result<std::unique_ptr<RouterProcess>> Start(Options options);
  /// Stops it at once.
  ~RouterProcess();
  RouterProcess(const RouterProcess&) = delete;
  RouterProcess& operator=(const RouterProcess&) = delete;

  /// Has it drain, and kills it if that takes longer than `patience`. Blocks.
  void Stop(std::chrono::milliseconds patience);

 private:
  RouterProcess(pid_t pid, int log, std::function<void(const json::object*)> on_line);
  void Read(int log);

  const pid_t pid_;
  const std::function<void(const json::object*)> on_line_;
  Mutex mu_;
  CondVar changed_;
  bool has_ended_ GUARDED_BY(mu_) = false;
  std::thread reader_;
};

}  // namespace hookswitch::demo
