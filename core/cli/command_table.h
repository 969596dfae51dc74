#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hookswitch::cli {

/// One option or positional argument, as --help has it.
struct OptionRow {
  std::vector<std::string> names;      ///< "-c", "--config"; of a positional argument its name alone
  std::string value;                   ///< what stands for its value: "FILE"; "" for a flag
  std::vector<std::string> choices;    ///< all values that it may have; empty: any
  std::string description, otherwise;  ///< `otherwise`: what it is if not given; "" if nothing is said of it
  bool required = false, positional = false;
};

/// One command, as --help has it.
struct CommandRow {
  std::vector<std::string> path;  ///< "sinks", "pause"; empty: the program
  std::string description;
  std::string more;  ///< paragraphs below the options
  std::vector<OptionRow> options;
  std::vector<CommandRow> commands;
  bool needs_command = false;  ///< does nothing without one of `commands`

  std::string name() const;  ///< "sinks pause"; "" for the program
};

/// What shell completion and manual pages are made from: the parser itself, so that neither can differ from it.
CommandRow TableOf(const CLI::App& program);

/// A script for `shell` ("bash", "zsh", "fish") that completes commands, options, their values and files.
std::string CompletionFor(const std::string& shell, const CommandRow& program);

}  // namespace hookswitch::cli
