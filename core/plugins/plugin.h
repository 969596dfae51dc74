#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/plugins/control_calls.h"
#include "core/plugins/crash_marks.h"
#include "core/plugins/library_file.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_host.h"
#include "hookswitch/sink.h"

namespace hookswitch {

class Plugin {
 public:
  PluginInfo info;
  hsw_sink sink{};                    ///< the plugin's function table; zero beyond its own size
  std::shared_ptr<CrashMarks> marks;  ///< marks calls into the plugin; may be nullptr
  plugins::ControlCalls control;      ///< runs check, create, advise and destroy
};

namespace plugins {

/// Opens `library` (never closed) and reads its function table. `file` is the name used in errors. Errors: kInvalid
/// (cannot be opened, no entry symbol, incomplete table), kUnsupported (another ABI version).
Result<hsw_sink> OpenLibrary(const std::filesystem::path& library, const std::filesystem::path& file);

/// The plugin's description from its table.
PluginInfo Describe(const hsw_sink& sink, const std::filesystem::path& file);

/// How to run `inspector plugin-inspect-child FILE`, with a library as descriptor 3.
struct Inspector {
  std::filesystem::path program;
  std::vector<std::string> environment{};  ///< the child's whole environment: "NAME=value"
};

/// Runs the child and parses its response; kills it after `patience`. Errors: see PluginHost::Inspect.
Result<PluginInfo> InspectInChild(const Inspector& inspector, const LibraryFile& library,
                                  std::chrono::milliseconds patience = kControlLimit);

/// Result of trying a plugin with a config.
struct Trial {
  struct Problem {
    std::string pointer, text;  ///< from the plugin: secrets not masked
  };
  std::vector<Problem> problems;       ///< from its check
  std::optional<std::string> refusal;  ///< why it refused to create an instance; only if there are no problems
};
/// Like InspectInChild; then the library checks `config` and, with `create` and without problems, creates and destroys
/// an instance. Errors: kInvalid (crashes, hangs, exits or throws: where and how), kUnavailable.
Result<Trial> TryInChild(const Inspector& inspector, const LibraryFile& library, const PluginConfig& config,
                         bool create, std::chrono::milliseconds patience = kControlLimit);

}  // namespace plugins
}  // namespace hookswitch
