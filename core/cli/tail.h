#pragma once
#include <functional>

#include "core/cli/commands.h"

namespace CLI {
class App;
}

namespace hookswitch::cli {

/// Adds `tail`, which follows what a running router does. `add_remote` adds the options of a command for a running
/// router. All references outlive the parsing.
void AddTail(CLI::App& program, const Options& options, const std::function<void(CLI::App*)>& add_remote,
             int& exit_code);

}  // namespace hookswitch::cli
