#include "core/sources/source.h"

#include <vector>

#include "core/config/platforms.h"
#include "core/sources/bolna_source.h"
#include "core/sources/mapping/mapped_source.h"

namespace hookswitch {
namespace {

std::vector<std::string_view> AllTypes() {
  std::vector<std::string_view> types = {"bolna", "json"};
  for (const config::Platform& platform : config::Platforms()) types.emplace_back(platform.name);
  return types;
}

}  // namespace

std::shared_ptr<const Source> MakeSource(const config::Source& config, std::shared_ptr<const AgentMap> agents) {
  if (config.type == "bolna") return std::make_shared<BolnaSource>(config, std::move(agents));
  const config::Platform* platform = config::FindPlatform(config.type);
  if (!platform && config.type != "json") return nullptr;
  auto mapping = config.map ? config.map : std::make_shared<const config::Mapping>();
  const std::string& own_title = platform ? platform->title : config.name;
  const std::string& title = config.title.empty() ? own_title : config.title;
  return std::make_shared<MappedSource>(MappedSource::Names{config.name, title, config.type, config.currency},
                                        std::move(mapping), std::move(agents));
}

std::span<const std::string_view> SourceTypes() {
  static const std::vector<std::string_view> kTypes = AllTypes();
  return kTypes;
}

}  // namespace hookswitch
