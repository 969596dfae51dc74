#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/config/config.h"

namespace hookswitch::config {

/// The loader's access to files and variables, so that tests need neither disk nor environment.
struct Environment {
  /// The file's bytes, or empty with `error` set ("No such file or directory").
  std::function<std::optional<std::string>(const std::string& path, std::string& error)> read_file;
  /// Files that match a glob, sorted by bytes; relative paths are already joined to the including file's folder.
  std::function<std::vector<std::string>(const std::string& glob)> list_files;
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// True if every user of the machine can read a file of secrets; may be empty.
  std::function<bool(const std::string& path)> others_can_read;
  /// Rereads the source of `variable`. Load calls it first, so that a config and all that is built from it see the same
  /// values. Problems go to `problems`. May be empty.
  std::function<void(Problems& problems)> refresh;
  /// Names of the variables requested since `refresh` that came from the process's own environment, which does not
  /// change after the start; sorted. May be empty.
  std::function<std::vector<std::string>()> from_process;
  /// A missing secret is no error: for commands that send nothing.
  bool secrets_optional = false;

  /// The machine's. Variables in the file `env_file` (see ParseEnvFile) take precedence over those of the process; one
  /// that was in the file before, but no longer is, counts as not set. A "-" before the path makes the file optional.
  /// Copies share what was read; for one thread at a time.
  static Environment System(const std::string& env_file = "");
};

/// The readable parts of a config that has errors: to look for more of them, never to run.
struct Draft {
  /// Parts with errors have their defaults or are left out; where they are unknown, `Sink::plugin` is "" and
  /// `Sink::config` not a map.
  Config config;
  bool plugin_paths_known = true;  ///< false: an error in `plugins` may be why a plugin is not found
  /// Sections ("rules") that may be incomplete: a name missing from them is not reported.
  std::set<std::string, std::less<>> in_doubt;
};

struct Loaded {
  std::optional<Config> config;  ///< absent if there are errors
  std::optional<Draft> draft;    ///< instead of `config`; absent too if nothing more can be looked for
  Problems problems;             ///< errors and warnings
  bool unreadable = false;       ///< the main file could not be read at all (exit code 2)

  /// The config, else the draft's: to find folders, not to run. nullptr if there is neither.
  const Config* Readable() const { return config ? &*config : draft ? &draft->config : nullptr; }
};

/// Reads the main file and its includes, checks everything that needs no plugin, and reports all problems at once. With
/// errors there is a draft instead of a config, so that higher layers can add their own findings. Resolves secrets;
/// environment and files are read again each time. Never throws; thread-safe if `environment` is.
Loaded Load(const std::string& path, const Environment& environment);

/// The JSON Schema (draft-07) of the config file. `sinks.*.config` is left open: plugins add theirs.
std::string_view SchemaText();

/// Checks `value` against a JSON Schema (the subset in plugins/README.md); problems have the place of the offending key
/// or value. `at` names the value in messages: "rules[].when", "sinks.ops.config". A problem never quotes a value whose
/// schema says "x-secret". `where_if_missing`: the place of a missing required key. `schema` must be a JSON object.
void CheckAgainstSchema(const Node& value, std::string_view schema, std::string_view at, Mark where_if_missing,
                        Problems& problems);

/// Converts a plugin's `config:` to the JSON object that is passed to the plugin: defaults filled in, types as the
/// schema says, status groups expanded (WithStatuses), {env:}/{file:} secrets resolved. Adds every secret value to
/// `secrets`, for masking, and problems (a missing variable, an unreadable file) to `problems`. `value` must be free of
/// errors that CheckAgainstSchema finds (see WithoutFaults), except missing required keys.
///
/// With Environment::secrets_optional the first of the schema's "examples" stands in for a missing secret; without
/// examples the secret is left out and `lacks_secrets` set: such a config must not be passed to the plugin.
std::string ResolvePluginConfig(const Node& value, std::string_view schema, const Environment& environment,
                                Problems& problems, std::vector<std::string>& secrets, bool* lacks_secrets = nullptr);

/// What is wrong with a schema's "x-hookswitch-ref" (rule, agent, tag, status or schedule, on a text), to follow "the
/// schema"; "" if nothing.
std::string RefFault(const json::value& schema);

/// The names in a config that others may refer to.
struct Names {
  struct Named {
    std::string name;
    Mark where;  ///< no file: in several places
  };
  std::vector<Named> rules, tags, schedules;  ///< sorted by name
  std::vector<std::string> agents;            ///< ids and names, sorted
  /// As in Draft.
  std::set<std::string, std::less<>> in_doubt;
};
Names NamesOf(const Config& config);

/// Checks the names of rules, agents, tags and schedules in a sink's config, where its plugin's `schema` marks them
/// with "x-hookswitch-ref", as those in rules are checked. Names of rules, agents and tags may be globs.
/// CheckAgainstSchema checks statuses.
void CheckReferences(const Sink& sink, std::string_view schema, const Names& names, Problems& problems);

/// Expands status groups in a plugin's config, where `schema` says that statuses are named: in a list each status once;
/// as keys of a map each with the group's value, unless it has its own or an earlier group's. Places are those of the
/// group.
Node WithStatuses(const Node& value, std::string_view schema);

/// `map` without the entries that an error in `problems` points into.
Node WithoutFaults(const Node& map, const Problems& problems);

/// The place of the value that `json_pointer` names in `root`, or of its nearest ancestor that exists.
Mark Locate(const Node& root, std::string_view json_pointer);

}  // namespace hookswitch::config
