#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/admin/admin_api.h"
#include "core/app/generation.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace hookswitch {

struct AppOptions {
  std::string config_path;
  config::Environment environment;
  std::filesystem::path program;  ///< this program's own file: where its plugins are looked for
};

/// The running router: builds the graph, reloads it and drains it. Signals are its caller's business.
class App {
 public:
  /// Starts everything and returns when both listeners accept. On failure everything started is stopped again; config
  /// problems are in `problems` (sorted), other failures in the error (address in use, journal locked, …). Blocks until
  /// the backlog is loaded. `clock` outlives the App.
  static Result<std::unique_ptr<App>> Start(const AppOptions& options, const Clock& clock, BuildResult& build);
  ~App();

  /// Builds a new generation and swaps it in, or changes nothing and says why. One at a time; waits. Safe from any
  /// thread.
  ReloadReport Reload();

  /// The part that has hung since the last call, or "": asks each for a sign of life and does not wait for it. For one
  /// thread, at least half a second after the start and between two calls.
  std::string_view Hanging();

  /// Stops accepting, finishes what is in flight within server.drain_timeout, leaves the rest in the journal and closes
  /// that. Once.
  void Drain();

  std::string IngressAddress() const;
  std::string AdminAddress() const;

 private:
  struct Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Where plugins are looked for: `configured` (plugins.paths), or beside the program (../lib/hookswitch/sinks) if that
/// is empty.
std::vector<std::filesystem::path> PluginPaths(const std::vector<std::string>& configured,
                                               const std::filesystem::path& program);

}  // namespace hookswitch
