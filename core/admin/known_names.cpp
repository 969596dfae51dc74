#include "core/admin/known_names.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/delivery/notice.h"
#include "core/event/call_event.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMostListed = 20;

template <class List>
std::vector<std::string> NamesOf(const List& list) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(one.name);
  return names;
}

}  // namespace

std::string WhatIsUnknown(std::string_view kind, const std::string& name, const std::vector<std::string>& known) {
  if (name.empty() || std::ranges::find(known, name) != known.end()) return {};
  const std::string what(kind);
  std::string text = what + ": there is no " + what + " \"" + ToUtf8(name) + '"';
  if (const std::string near = Nearest(name, known); !near.empty()) text += "; did you mean \"" + near + "\"?";
  if (known.empty()) return text + "; there is none";
  text += "; there is";
  for (std::size_t i = 0; i < std::min(known.size(), kMostListed); ++i) text += (i == 0 ? " " : ", ") + known[i];
  if (known.size() > kMostListed) text += " and " + std::to_string(known.size() - kMostListed) + " more";
  return text;
}

KnownNames::KnownNames(std::shared_ptr<const config::Config> config, std::span<const LaneStatus> lanes)
    : config_(std::move(config)) {
  for (const LaneStatus& lane : lanes) lanes_.push_back(lane.sink);
}

void KnownNames::Resolve(AgentFilter& agent) const {
  if (agent.glob.empty()) return;
  for (const auto& [id, known] : config_->agents) {
    if (!GlobMatch(agent.glob, id) && !GlobMatch(agent.glob, known.name)) continue;
    agent.labels.push_back(id);
    if (!known.name.empty()) agent.labels.push_back(known.name);
  }
}

std::string KnownNames::WhatIsUnknownSource(const std::string& source) const {
  if (source == kOwnSource) return {};
  return hookswitch::WhatIsUnknown("source", source, NamesOf(config_->sources));
}

std::string KnownNames::WhatIsUnknownSink(const std::string& sink) const {
  std::vector<std::string> known = NamesOf(config_->sinks);
  // A lane outlives its sink while it has pending deliveries.
  for (const auto& lane : lanes_) {
    if (std::ranges::find(known, lane) == known.end()) known.push_back(lane);
  }
  return hookswitch::WhatIsUnknown("sink", sink, known);
}

std::string KnownNames::WhatIsUnknownRule(const std::string& rule) const {
  if (rule == kNoticeRule || (rule == "unmatched" && !config_->unmatched.empty())) return {};
  return hookswitch::WhatIsUnknown("rule", rule, NamesOf(config_->rules));
}

std::string KnownNames::WhatIsUnknown(const EventFilter& filter) const {
  return WhatIsUnknownSource(filter.source);
}

std::string KnownNames::WhatIsUnknown(const DeliveryFilter& filter) const {
  for (std::string unknown :
       {WhatIsUnknownSink(filter.sink), WhatIsUnknownRule(filter.rule), WhatIsUnknownSource(filter.source)}) {
    if (!unknown.empty()) return unknown;
  }
  return {};
}

}  // namespace hookswitch
