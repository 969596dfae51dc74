#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/plugins/plugin.h"

/// Conformance checks for sink plugins (plugins/README.md, "Conformance checks").
namespace hookswitch::conformance {

/// A loaded plugin and a config that it accepts.
struct Subject {
  std::shared_ptr<Plugin> plugin;
  std::string config;  ///< JSON: validated, defaults filled in, secrets resolved
  std::vector<std::string> secrets;
};

struct Verdict {
  std::string promise;  ///< "renders the same for the same"
  bool kept = false;
  std::string detail;  ///< what is wrong; if kept, what was measured, or ""
};

/// Runs every check that applies to the plugin's kind, each in its own child process, and reports each at once. An HTTP
/// sink sends nothing; a call sink really delivers, to where its config says. Only for a process with one thread. True
/// if all pass.
bool CheckPromises(const Subject& subject, const std::function<void(const Verdict&)>& report);

}  // namespace hookswitch::conformance
