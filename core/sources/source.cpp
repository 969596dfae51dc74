#include "core/sources/source.h"

#include <array>

#include "core/sources/bolna_source.h"

namespace hookswitch {
namespace {
constexpr std::array<std::string_view, 1> kTypes = {"bolna"};
}  // namespace

std::shared_ptr<const Source> MakeSource(const config::Source& config, std::shared_ptr<const AgentMap> agents) {
  if (config.type == "bolna") return std::make_shared<BolnaSource>(config, std::move(agents));
  return nullptr;
}

std::span<const std::string_view> SourceTypes() {
  return kTypes;
}

}  // namespace hookswitch
