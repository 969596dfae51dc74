#include "core/config/platforms.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/config/mapping_reader.h"
#include "core/config/platform_texts.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"
#include "core/config/source_config.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::config {
namespace {

// A page is what one would write below `sources.NAME`, without what each source has of its own.
json::object PageSchema() {
  const json::object& definitions = ConfigSchema().at("definitions").get_object();
  const json::object& source = definitions.at("source").at("properties").get_object();
  json::object properties;
  for (const char* key : {"title", "verify", "methods", "oversized", "handshake", "map"}) {
    if (const auto* property = source.if_contains(key)) properties[key] = *property;
  }
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", {"title", "map"}},
          {"properties", std::move(properties)},
          {"definitions", definitions}};
}

std::vector<Platform> ReadAll() {
  std::vector<Platform> platforms;
  for (const auto& [name, pieces] : PlatformTexts()) {
    Problems problems;
    auto platform = ReadPlatform(std::string(name), Joined(pieces, ""), problems);
    HSW_CHECK(platform, "a unit test reads every page");
    platforms.push_back(std::move(*platform));
  }
  std::ranges::sort(platforms, {}, &Platform::name);
  return platforms;
}

}  // namespace

std::optional<Platform> ReadPlatform(std::string name, std::string text, Problems& problems) {
  static const json::object kSchema = PageSchema();
  Platform platform{std::move(name), {}, std::move(text), {}, {"POST"}, nullptr};
  const auto file = MakeSourceFile(platform.name + ".yaml", platform.text);
  const auto page = ParseYaml(file, problems);
  if (!page) return {};
  Check(*page, kSchema, platform.name, {file, 0, 0}, problems);
  if (const Node* title = page->Find("title")) platform.title = title->scalar;
  if (const Node* verify = page->Find("verify")) platform.verify = *verify;
  if (const Node* methods = page->Find("methods")) {
    platform.methods.clear();
    for (const Node& method : methods->list) platform.methods.push_back(method.scalar);
  }
  if (const Node* word = page->Find("oversized")) platform.oversized = OversizedOf(word->scalar);
  if (const Node* word = page->Find("handshake")) platform.handshake = HandshakeOf(word->scalar);
  if (const Node* map = page->Find("map")) {
    platform.map = std::make_shared<const Mapping>(ReadMapping(*map, platform.name + ".map", problems));
  }
  problems.Sort();
  if (problems.HasErrors()) return {};
  return platform;
}

std::span<const Platform> Platforms() {
  static const std::vector<Platform> kPlatforms = ReadAll();
  return kPlatforms;
}

const Platform* FindPlatform(std::string_view type) {
  // Those that need no page are known without reading all of them.
  const auto texts = PlatformTexts();
  if (std::ranges::find(texts, type, &PlatformText::name) == texts.end()) return nullptr;
  const auto platforms = Platforms();
  return &*std::ranges::find(platforms, type, &Platform::name);
}

}  // namespace hookswitch::config
