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
  hsw_sink sink{};                    ///< the plugin's table; what lies past its own size is zero
  std::shared_ptr<CrashMarks> marks;  ///< where calls into it are marked; may be nullptr
  plugins::ControlCalls control;      ///< makes the calls of check, create, advise and destroy
};

namespace plugins {

/// Opens `library` (never closed) and reads its table. `file` is the name used in errors.
/// Errors: kInvalid (cannot be opened, no entry symbol, a table with holes), kUnsupported (another ABI version).
Result<hsw_sink> OpenLibrary(const std::filesystem::path& library, const std::filesystem::path& file);

/// What the table says of the plugin.
PluginInfo Describe(const hsw_sink& sink, const std::filesystem::path& file);

/// What runs `inspector plugin-inspect-child FILE`, with a library as descriptor 3.
struct Inspector {
  std::filesystem::path program;
  std::vector<std::string> environment{};  ///< all that the child has of it: "NAME=value"
};

/// Reads the child's answer; kills it after `patience`. See PluginHost::Inspect for errors.
Result<PluginInfo> InspectInChild(const Inspector& inspector, const LibraryFile& library,
                                  std::chrono::milliseconds patience = kControlLimit);

/// What a plugin said when it was tried with a config.
struct Trial {
  struct Problem {
    std::string pointer, text;  ///< as the plugin gave them: secrets are not masked
  };
  std::vector<Problem> problems;       ///< of its check
  std::optional<std::string> refusal;  ///< why it makes no instance; only if there are no problems
};
/// Like InspectInChild, and has the library check `config`, and, with `create`, make an instance of it and destroy that
/// if there are no problems. Errors: kInvalid (it crashes, hangs, exits or throws: where, and how), kUnavailable.
Result<Trial> TryInChild(const Inspector& inspector, const LibraryFile& library, const PluginConfig& config,
                         bool create, std::chrono::milliseconds patience = kControlLimit);

}  // namespace plugins
}  // namespace hookswitch
