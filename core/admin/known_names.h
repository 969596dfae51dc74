#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/delivery/lane_status.h"
#include "core/journal/history.h"

namespace hookswitch {

/// "sink: there is no sink "opps"; did you mean "ops"?; there is ops, crm"; "" if `name` is one of `known`.
std::string WhatIsUnknown(std::string_view kind, const std::string& name, const std::vector<std::string>& known);

/// The names that people may ask history for, as the config and the lanes of one moment have them. Names of before may
/// still be in the journal, so a name that is not known is no error until nothing was found by it.
class KnownNames {
 public:
  KnownNames(std::shared_ptr<const config::Config> config, std::span<const LaneStatus> lanes);

  /// Has the filter mean an agent as rules do: by its id, its name or a glob over either, and whichever of the two was
  /// stored.
  void Resolve(AgentFilter& agent) const;

  /// The first name in `filter` that is not known, and what there is instead. "" if all are.
  std::string WhatIsUnknown(const EventFilter& filter) const;
  std::string WhatIsUnknown(const DeliveryFilter& filter) const;
  std::string WhatIsUnknownSource(const std::string& source) const;

 private:
  std::string WhatIsUnknownSink(const std::string& sink) const;
  std::string WhatIsUnknownRule(const std::string& rule) const;

  std::shared_ptr<const config::Config> config_;
  std::vector<std::string> lanes_;
};

}  // namespace hookswitch
