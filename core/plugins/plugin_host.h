#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/loader.h"
#include "core/config/problem.h"
#include "core/plugins/sink.h"

namespace hookswitch {

/// What a plugin file says of itself. Found in a child process, so that a library that crashes while it is loaded
/// cannot take the router with it.
struct PluginInfo {
  std::filesystem::path file;
  std::string hash;  ///< SHA-256 of the file, hex
  std::string id, version, summary, config_schema;
  int abi_major = 0, abi_minor = 0;
  Sink::Kind kind = Sink::Kind::kHttp;
};

/// A loaded library. Never unloaded (dlclose does not unload C++ modules); shared by the instances made from it.
class Plugin;

/// Finds, inspects, loads and instantiates sink plugins. Control thread only; the Sinks it makes have their own rules.
class PluginHost {
 public:
  /// `paths` are searched in order for `<name>.so`. `private_dir` receives the private copies that are opened (made,
  /// 0700). `inspector` is the program run as `inspector plugin-inspect-child <file>` (hookswitch itself, see
  /// InspectChildMain).
  PluginHost(std::vector<std::filesystem::path> paths, std::filesystem::path private_dir,
             std::filesystem::path inspector);
  ~PluginHost();

  /// The file for a plugin name, or kNotFound naming the folders searched and the plugins that are there.
  Result<std::filesystem::path> Find(const std::string& name) const;
  /// All files found, first path first; a name found twice counts once.
  std::vector<std::filesystem::path> List() const;

  /// Reads a plugin's description in a child process. Refused (kUnsupported, kInvalid; the text names the file, what is
  /// wrong and what to do): others may write it or its folder, no entry symbol, missing symbols, another ABI major,
  /// crashes or hangs while loading, a schema that is not JSON. Results are kept by file hash.
  Result<PluginInfo> Inspect(const std::filesystem::path& file);

  /// Loads a private copy of an inspected file; the same hash is loaded once.
  Result<std::shared_ptr<Plugin>> Load(const PluginInfo& info);

  /// Checks `sink.config`, a map, with the plugin's schema and its own check; problems carry places in the config file.
  /// The plugin's own check sees the config without what is wrong by the schema, if that still fits the schema.
  void Check(Plugin& plugin, const config::Sink& sink, const std::string& timezone,
             const config::Environment& environment, config::Problems& problems);

  /// Makes an instance. Call after Check found no error. Errors: kInvalid (the plugin refused; its reason).
  Result<std::shared_ptr<Sink>> Create(std::shared_ptr<Plugin> plugin, const config::Sink& sink,
                                       const std::string& timezone, const config::Environment& environment);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The child's side of Inspect: loads `file`, prints the description as JSON on stdout. Returns the exit code.
int InspectChildMain(const std::string& file);

}  // namespace hookswitch
