#pragma once
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/cli/command_table.h"
#include "core/cli/commands.h"
#include "core/cli/schema_keys.h"

namespace hookswitch::cli {

/// A manual page in man(7)'s macros.
struct ManPage {
  std::string file;  ///< "hookswitch-sinks.1"
  std::string text;
};

/// hookswitch.1, and a page for each command, which has the commands below it.
std::vector<ManPage> CommandPages(const CommandRow& program);

/// The config of a sink plugin.
struct PluginKeys {
  std::string name, summary;
  std::vector<SchemaKey> keys;
};
/// hookswitch.yaml.5: every key of the config, and those of the sinks' own.
ManPage ConfigPage(const std::vector<SchemaKey>& keys, const std::vector<PluginKeys>& plugins);

/// Writes all pages to FOLDER/man1 and FOLDER/man5. Returns the exit code.
int WriteManPages(const Options& options, const CommandRow& program, const std::string& folder);

}  // namespace hookswitch::cli
