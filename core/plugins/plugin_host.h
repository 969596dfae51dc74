#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/config/loader.h"
#include "core/config/problem.h"
#include "core/plugins/crash_marks.h"
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

/// A sink's `config:` as its plugin sees it: checked with the plugin's schema, defaults filled in, secrets resolved.
struct ResolvedConfig {
  std::string sink, json, timezone;
  std::vector<std::string> secrets;
  Digest identity{};                           ///< of the plugin file and of all that an instance is made from
  std::shared_ptr<const Transport> transport;  ///< nullptr: as all others
  config::Node checked;                        ///< of the config, what is not wrong by the schema
  bool lacks_secrets = false;                  ///< see config::ResolvePluginConfig
  bool fits = true;  ///< what is checked fits the schema, and no secret is away: the plugin can be asked
};

/// A loaded library. Never unloaded (dlclose does not unload C++ modules); shared by the instances made from it.
class Plugin;

/// The program that runs, also after its file was replaced by another version, which may not understand this one.
inline constexpr const char* kThisProgram = "/proc/self/exe";

/// Finds, inspects, tries, loads and instantiates sink plugins. Control thread only; the Sinks it makes have their own
/// rules. No call into a plugin takes longer than a few seconds: one that does not return is given up, with an error.
class PluginHost {
 public:
  /// `paths` are searched in order for `<name>.so`. `inspector` is the program run as `inspector plugin-inspect-child
  /// <file>` (kThisProgram; see InspectChildMain). `marks`: where calls into plugins are marked; may be nullptr.
  PluginHost(std::vector<std::filesystem::path> paths, std::filesystem::path inspector,
             std::shared_ptr<CrashMarks> marks = nullptr);
  ~PluginHost();

  /// Gives the children of Inspect and Try, whose environment is empty otherwise, these: "NAME=value".
  void LendEnvironment(std::vector<std::string> variables);

  /// Replaces the folders that are searched.
  void SearchIn(std::vector<std::filesystem::path> paths);

  /// The file for a plugin name, or kNotFound naming the folders searched and the plugins that are there.
  Result<std::filesystem::path> Find(const std::string& name) const;
  /// All files found, first path first; a name found twice counts once.
  std::vector<std::filesystem::path> List() const;

  /// Reads a plugin's description in a child process. Refused (kUnsupported, kInvalid; the text names the file, what is
  /// wrong and what to do): others may write it or a folder on the way to it, no entry symbol, missing symbols, another
  /// ABI major, crashes or hangs while loading, a schema that is not JSON. Results are kept by file hash, and with them
  /// the bytes that were looked at.
  Result<PluginInfo> Inspect(const std::filesystem::path& file);

  /// Checks `sink.config`, a map, with the plugin's schema, and `sink.transport` with its kind; problems carry places
  /// in the config file. `problems` are this sink's, here and below: none before.
  static ResolvedConfig Resolve(const PluginInfo& info, const config::Sink& sink, const std::string& timezone,
                                const config::Environment& environment, config::Problems& problems);

  /// Has a child process run the plugin's own check over what fits the schema, and, if nothing is wrong, make an
  /// instance and destroy it: so that one that crashes, exits or hangs there does it where nothing is lost. What the
  /// plugin finds wrong is added to `problems`. Errors: kInvalid (it misbehaves: in which function, and how; or it
  /// makes no instance: its reason), kUnavailable (no child can be run). `info` comes from Inspect.
  Status Try(const PluginInfo& info, const config::Sink& sink, const ResolvedConfig& config,
             config::Problems& problems);

  /// Why this sink must not be made, or "": loading its plugin, or making it, ended the process before, although the
  /// child came through, and has not succeeded since.
  std::string EndedTheProcess(const PluginInfo& info, const ResolvedConfig& config) const;

  /// Loads an inspected file; the same hash is loaded once.
  Result<std::shared_ptr<Plugin>> Load(const PluginInfo& info);

  /// Makes an instance. Call after Try found nothing wrong. Errors: kInvalid (the plugin refused; its reason),
  /// kUnavailable (its create does not return).
  static Result<std::shared_ptr<Sink>> Create(std::shared_ptr<Plugin> plugin, const ResolvedConfig& config);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The child's side of Inspect and Try: loads the library that is its descriptor 3, prints the description as JSON on
/// stdout, and does what its stdin asks for. `file` is the name used in errors. Does not return.
[[noreturn]] void InspectChildMain(const std::string& file);

}  // namespace hookswitch
