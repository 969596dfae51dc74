#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/config/config.h"

namespace hookswitch::config {

/// Where the loader gets bytes from, so that tests need no disk and no environment.
struct Environment {
  /// The file's bytes, or empty with `error` set ("No such file or directory").
  std::function<std::optional<std::string>(const std::string& path, std::string& error)> read_file;
  /// Files that match a glob, sorted by bytes; relative paths are already joined to the including file's folder.
  std::function<std::vector<std::string>(const std::string& glob)> list_files;
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// True if a file of secrets is open to every user of the machine; may be empty.
  std::function<bool(const std::string& path)> others_can_read;
  /// Reads anew what `variable` answers from, once for a config and all that is made of it; Load begins with it. What
  /// is wrong goes to `problems`. May be empty.
  std::function<void(Problems& problems)> refresh;
  /// Which of the variables that were asked for since `refresh` came from the process's own environment, which stays as
  /// it was at the start; sorted. May be empty.
  std::function<std::vector<std::string>()> from_process;
  /// A secret that is not there is no error: for what sends nothing.
  bool secrets_optional = false;

  /// The machine's. With `env_file`, a path, the variables in that file (see ParseEnvFile) count before those of the
  /// process; one that was in it and is no longer is not set, whatever the process has. A "-" before the path means
  /// that the file need not be there. Its copies share what was read; for one thread at a time.
  static Environment System(const std::string& env_file = "");
};

/// What could be made of a config that has errors: for looking for more of them, never for running.
struct Draft {
  /// What an error concerns has its default or is left out; `Sink::plugin` is "" and `Sink::config` no map where they
  /// are not known.
  Config config;
  bool plugin_paths_known = true;  ///< false: an error in `plugins` may be why a plugin is not found
  /// Sections ("rules") that are not read whole: a name that is not found there is no problem.
  std::set<std::string, std::less<>> in_doubt;
};

struct Loaded {
  std::optional<Config> config;  ///< absent if there are errors
  std::optional<Draft> draft;    ///< instead of `config`; absent too if nothing more can be looked for
  Problems problems;             ///< errors and warnings
  bool unreadable = false;       ///< the main file could not be read at all (exit code 2)

  /// The config, or else the draft's: for finding folders, not for running. nullptr if there is neither.
  const Config* Readable() const { return config ? &*config : draft ? &draft->config : nullptr; }
};

/// Reads the main file and what it includes, checks everything that needs no plugin, and reports every problem at once.
/// With errors there is a draft instead of a config, so that higher floors can add what they find.
/// Secrets are resolved here (environment and files are read anew each time). Never throws; safe from any thread.
Loaded Load(const std::string& path, const Environment& environment);

/// The JSON Schema (draft-07) of the config file. `sinks.*.config` is left open: plugins add theirs.
std::string_view SchemaText();

/// Checks `value` against a JSON Schema in the subset of plugins/README.md; every problem goes to `problems` with the
/// place of the offending key or value. `at` names the value in messages: "rules[].when", "sinks.ops.config". A problem
/// never quotes a value whose schema says "x-secret". `where_if_missing` marks a required key that is not there.
/// `schema` must be a JSON object.
void CheckAgainstSchema(const Node& value, std::string_view schema, std::string_view at, Mark where_if_missing,
                        Problems& problems);

/// A plugin's `config:` as it is passed to the plugin: a JSON object with the schema's defaults filled in, types as the
/// schema says, groups of statuses as WithStatuses has them and {env:}/{file:} secrets resolved. `secrets` collects
/// every secret value, for masking. Problems (a missing variable, an unreadable file) go to `problems`. `value` must be
/// free of errors that CheckAgainstSchema finds (see WithoutFaults), except that required keys may be absent.
///
/// With Environment::secrets_optional the first of the schema's "examples" stands in for a secret that is not there; if
/// there is none it stays away, and `lacks_secrets` is set: the plugin cannot be asked about such a config.
std::string ResolvePluginConfig(const Node& value, std::string_view schema, const Environment& environment,
                                Problems& problems, std::vector<std::string>& secrets, bool* lacks_secrets = nullptr);

/// What is wrong with a schema's "x-hookswitch-ref" (rule, agent, tag, status or schedule, on a text), to follow "the
/// schema"; "" if nothing.
std::string RefFault(const json::value& schema);

/// What a config calls things that others may name.
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

/// Checks the names of rules, agents, tags and schedules in a sink's config, where `schema`, its plugin's, marks them
/// with "x-hookswitch-ref", as those in rules are checked. Names of rules, agents and tags may be globs. Of statuses
/// CheckAgainstSchema knows all.
void CheckReferences(const Sink& sink, std::string_view schema, const Names& names, Problems& problems);

/// A plugin's config with the members in place of a group of statuses, where `schema` says that statuses are named: in
/// a list each once; as keys of a map each with the group's value, unless it has one of its own or an earlier group's.
/// Places are those of the group.
Node WithStatuses(const Node& value, std::string_view schema);

/// `map` without the entries that an error in `problems` points into.
Node WithoutFaults(const Node& map, const Problems& problems);

/// The place of the value a JSON pointer names inside `root`, or of the nearest ancestor that exists.
Mark Locate(const Node& root, std::string_view json_pointer);

}  // namespace hookswitch::config
