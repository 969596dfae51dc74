#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "core/base/sync.h"
#include "core/plugins/plugin_host.h"
#include "hookswitch/sink.h"

namespace hookswitch {

class Plugin {
 public:
  PluginInfo info;
  hsw_sink sink{};  ///< the plugin's table; what lies past its own size is zero
  Mutex control;    ///< held around check, create and destroy: the ABI promises one [control] thread at a time
};

namespace plugins {

/// Opens `library` (never closed) and reads its table. `file` is the name used in errors.
/// Errors: kInvalid (cannot be opened, no entry symbol, a table with holes), kUnsupported (another ABI version).
Result<hsw_sink> OpenLibrary(const std::filesystem::path& library, const std::filesystem::path& file);

/// What the table says of the plugin.
PluginInfo Describe(const hsw_sink& sink, const std::filesystem::path& file);

/// Runs `inspector plugin-inspect-child file` and reads its answer; kills it after `patience`. See PluginHost::Inspect
/// for errors.
Result<PluginInfo> InspectInChild(const std::filesystem::path& inspector, const std::filesystem::path& file,
                                  std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace plugins
}  // namespace hookswitch
