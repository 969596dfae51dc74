#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/admin/admin_api.h"
#include "core/app/generation.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/http_client.h"

namespace hookswitch {

struct AppOptions {
  std::string config_path;
  config::Environment environment;
  std::filesystem::path program;  ///< this program's own file; its plugins are searched relative to it
  /// Another router has taken over the journal (PostgreSQL), or (`by` is empty) its news were missed, which is logged:
  /// this process must end. Called on a thread of the journal.
  std::function<void(const std::string& by)> on_journal_lost{};
  /// Another router asks that this one reloads its config. Called on a thread of the journal; must not block.
  std::function<void()> on_reload_asked{};
  /// It is this router's turn to deliver, but the backlog cannot be loaded: this process must end.
  std::function<void(const Error& error)> on_take_over_failed{};
};

/// The running router: builds all its parts, reloads and drains them. Its caller handles signals.
class App {
 public:
  /// [thread: control] Starts everything; blocks until the backlog is loaded and both listeners accept. On failure
  /// stops what was started: config problems are in `build` (sorted), other failures in the error (address in use,
  /// journal locked, …). `clock` outlives the App.
  static Result<std::unique_ptr<App>> Start(const AppOptions& options, const Clock& clock, BuildResult& build);
  ~App();

  /// [thread: any] Builds a new generation and swaps it in, or changes nothing and reports why. Blocks; one runs at a
  /// time. `by`: who asked, "SIGHUP"; a reload that was applied is recorded as an action.
  ReloadReport Reload(const std::string& by);

  /// [thread: watchdog] Names a part whose thread has made no pass since the last call, or returns "". Requests a pass
  /// from each; does not wait for it. Wait at least half a second after the start and between two calls.
  std::string_view StalledPart();

  /// [thread: control] Stops accepting, finishes what is in flight within server.drain_timeout, leaves the rest in the
  /// journal and closes it. Blocks. Call once.
  void Drain();

  // [thread: any]
  std::string IngressAddress() const;
  std::string AdminAddress() const;

 private:
  struct Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The folders to search for plugins: `configured` (plugins.paths), or the one beside the program
/// (../lib/hookswitch/sinks) if that is empty.
std::vector<std::filesystem::path> PluginPaths(const std::vector<std::string>& configured,
                                               const std::filesystem::path& program);

/// The client that sends what HTTP sinks render.
std::unique_ptr<HttpClient> MakeSinkClient();

}  // namespace hookswitch
