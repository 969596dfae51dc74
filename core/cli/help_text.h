#pragma once

namespace CLI {
class App;
}

namespace hookswitch::cli {

/// Adds to `program`, which has all its commands, what --help and the manual say below the options.
///
/// Paragraphs have empty lines between them. A line that ends in ":" is a heading; below it, "  NAME  text" explains a
/// name.
void AddHelpText(CLI::App& program);

}  // namespace hookswitch::cli
