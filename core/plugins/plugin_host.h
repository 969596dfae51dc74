#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/config/environment.h"
#include "core/config/problem.h"
#include "core/plugins/crash_marks.h"
#include "core/plugins/sink.h"

namespace hookswitch::plugins {
class PluginConfig;
}

namespace hookswitch {

/// A plugin's description. Read in a child process, so that a library that crashes on load does not crash the router.
struct PluginInfo {
  std::filesystem::path file;
  std::string hash;  ///< SHA-256 of the file, hex
  std::string id, version, summary, config_schema;
  int abi_major = 0, abi_minor = 0;
  Sink::Kind kind = Sink::Kind::kHttp;
};

/// A sink's `config:` as its plugin sees it: validated by the plugin's schema, defaults filled in, secrets resolved.
struct ResolvedConfig {
  std::shared_ptr<const plugins::PluginConfig> plugin_config;  ///< not nullptr
  std::vector<std::string> secrets;
  Digest identity{};                           ///< digest of the plugin file and everything an instance is created from
  std::shared_ptr<const Transport> transport;  ///< nullptr: the default
  config::Node checked;                        ///< the config without the parts that violate the schema
  bool lacks_secrets = false;                  ///< see config::ResolvePluginConfig
  bool fits = true;  ///< `checked` fits the schema and no secret is missing: the plugin can check it
};

/// A loaded library. Never unloaded (dlclose does not unload C++ modules); shared by its instances.
class Plugin;

/// The running program, even if its file was replaced by another, possibly incompatible version.
inline constexpr const char* kThisProgram = "/proc/self/exe";

/// Finds, inspects, tries, loads and instantiates sink plugins. Plugin calls that do not return within a few seconds
/// are abandoned with an error. [thread: control; the Sinks it creates have their own rules]
class PluginHost {
 public:
  /// Searches `paths` in order for `<name>.so`. `inspector` is the program run as `inspector plugin-inspect-child
  /// <file>` (kThisProgram; see InspectChildMain). `marks`: for crash detection; may be nullptr.
  PluginHost(std::vector<std::filesystem::path> paths, std::filesystem::path inspector,
             std::shared_ptr<CrashMarks> marks = nullptr);
  ~PluginHost();

  /// Sets the environment of the children of Inspect and Try: "NAME=value". Empty by default.
  void LendEnvironment(std::vector<std::string> variables);

  /// Replaces the folders to search.
  void SearchIn(std::vector<std::filesystem::path> paths);

  /// The file for a plugin name. Errors: kNotFound, naming the folders searched and the plugins in them.
  Result<std::filesystem::path> Find(const std::string& name) const;
  /// All plugin files in search order; of equal names only the first.
  std::vector<std::filesystem::path> List() const;

  /// Reads a plugin's description in a child process. Errors (kUnsupported, kInvalid; the text names the file, the
  /// problem and what to do): other users may write the file or a folder above it, no entry symbol, missing symbols,
  /// another ABI major, crashes or hangs on load, schema is not JSON. Caches results and file contents by hash.
  Result<PluginInfo> Inspect(const std::filesystem::path& file);

  /// Validates `sink.config`, a map, against the plugin's schema, and `sink.transport` against its kind; problems carry
  /// positions in the config file. `problems`, here and below: this sink's only; empty before.
  static ResolvedConfig Resolve(const PluginInfo& info, const config::Sink& sink, const std::string& timezone,
                                const config::Environment& environment, config::Problems& problems);

  /// Runs the plugin's own check in a child process on the parts that fit the schema and, if there are no problems,
  /// creates and destroys an instance: crashes, exits and hangs stay in the child. Adds the plugin's findings to
  /// `problems`. Errors: kInvalid (it misbehaves: in which function and how; or it refuses to create an instance: its
  /// reason), kUnavailable (no child can be run). `info` must come from Inspect.
  Status Try(const PluginInfo& info, const config::Sink& sink, const ResolvedConfig& config,
             config::Problems& problems);

  /// Why this sink must not be created, or "": loading its plugin or creating the instance crashed the process before,
  /// although the child succeeded, and has not succeeded since.
  std::string EndedTheProcess(const PluginInfo& info, const ResolvedConfig& config) const;

  /// Loads an inspected file; loads each hash once.
  Result<std::shared_ptr<Plugin>> Load(const PluginInfo& info);

  /// Creates an instance. Call after Try found no problems. Errors: kInvalid (the plugin refused; its reason),
  /// kUnavailable (its create does not return).
  static Result<std::shared_ptr<Sink>> Create(std::shared_ptr<Plugin> plugin, const ResolvedConfig& config);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The child's side of Inspect and Try: loads the library from descriptor 3, prints its description as JSON on stdout,
/// and executes the request from stdin. `file` is the name used in errors. Does not return.
[[noreturn]] void InspectChildMain(const std::string& file);

}  // namespace hookswitch
