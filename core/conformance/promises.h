#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/plugins/plugin.h"

/// What every sink plugin promises its host (plugins/README.md, "Conformance checks"), and whether one keeps it.
namespace hookswitch::conformance {

/// A loaded plugin and a config that it takes.
struct Subject {
  std::shared_ptr<Plugin> plugin;
  std::string config;  ///< JSON: validated, defaults filled in, secrets resolved
  std::vector<std::string> secrets;
};

struct Verdict {
  std::string promise;  ///< "renders the same for the same"
  bool kept = false;
  std::string detail;  ///< what is wrong; of a kept one what was measured, if anything
};

/// Checks each promise that applies to the plugin's kind, each in a child process of its own, and reports it at once.
/// An HTTP sink sends nothing; a call sink really delivers, to where its config says. Only for a process with one
/// thread. True if all are kept.
bool CheckPromises(const Subject& subject, const std::function<void(const Verdict&)>& report);

}  // namespace hookswitch::conformance
