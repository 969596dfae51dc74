#pragma once
#include <vector>

#include "core/config/config.h"
#include "core/config/environment.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// The top-level values of the main file and what it includes, merged. Borrows from the parsed trees.
struct Sections {
  const Node* server = nullptr;
  const Node* admin = nullptr;
  const Node* journal = nullptr;
  const Node* cluster = nullptr;
  const Node* state_dir = nullptr;
  const Node* inspector = nullptr;
  const Node* log = nullptr;
  const Node* plugins = nullptr;
  const Node* defaults = nullptr;
  const Node* unmatched = nullptr;
  std::vector<const Node::Entry*> sources, agents, sinks, schedules, templates;
  std::vector<const Node*> rules;
};

/// Converts `sections` to typed values. Ignores what the schema has rejected already; what a schema cannot express (a
/// duration out of range, an invalid address) goes to `problems`.
Config Assemble(const Sections& sections, const Environment& environment, Problems& problems);

}  // namespace hookswitch::config
