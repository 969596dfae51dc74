#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/config/problem.h"

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
  /// A platform may have another mapping than its page: for configs that were kept (kept_text.h).
  bool is_kept = false;

  /// The machine's. Variables in the file `env_file` (see ParseEnvFile) take precedence over those of the process; one
  /// that was in the file before, but no longer is, counts as not set. A "-" before the path makes the file optional.
  /// Copies share what was read; for one thread at a time.
  static Environment System(const std::string& env_file = "");
};

}  // namespace hookswitch::config
