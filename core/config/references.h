#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"

/// References: names that one part of a config defines and another uses.
namespace hookswitch::config {

/// Checks the names that must exist or be unique, cycles of fallbacks, unused definitions. `in_doubt`: sections
/// ("sinks") that may be incomplete because of an error; a name missing from them is not reported.
void CheckReferences(const Config& config, const std::set<std::string, std::less<>>& in_doubt, Problems& problems);

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

}  // namespace hookswitch::config
