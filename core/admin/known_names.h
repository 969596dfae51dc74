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

/// "sink: there is no sink "opps"; did you mean "ops"?; there is ops, crm"; "" if `name` is empty or one of `known`.
std::string WhatIsUnknown(std::string_view kind, const std::string& name, const std::vector<std::string>& known);

/// The names in the config and the lanes at one moment, to explain history queries without result. The journal may hold
/// older names, so an unknown name is an error only if it found nothing.
class KnownNames {
 public:
  KnownNames(std::shared_ptr<const config::Config> config, std::span<const LaneStatus> lanes);

  /// Makes the filter match agents as rules do: by id, by name or by a glob over either, whichever was stored.
  void Resolve(AgentFilter& agent) const;

  /// The first unknown name in `filter`, with suggestions; "" if all are known.
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
